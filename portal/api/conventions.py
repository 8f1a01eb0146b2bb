"""What every operation of the API document shares: envelopes, headers, parameters, credentials."""

from __future__ import annotations

from typing import Any, get_args

from portal.api.components import REFERENCE
from portal.core.errors import CODES
from portal.core.remedies import Change

_META = {
    "anyOf": [
        {
            "type": "object",
            "description": "Of a page",
            "required": ["current_page", "total_pages", "total_records"],
            "properties": {
                "current_page": {"type": "integer", "minimum": 1},
                "total_pages": {"type": "integer", "minimum": 0},
                "total_records": {"type": "integer", "minimum": 0},
                "total_deleted": {"type": "integer", "minimum": 0, "description": "With updated_since"},
            },
        },
        {
            "type": "object",
            "description": "Of a walk by cursor",
            "required": ["next_cursor"],
            "properties": {"next_cursor": {"type": ["string", "null"], "description": "Null at the end"}},
        },
    ]
}
_DELETION = {
    "type": "object",
    "required": ["id", "public_id", "deleted_at"],
    "properties": {
        "id": {"type": "integer"},
        "public_id": {"type": "string"},
        "deleted_at": {"type": "string", "format": "date-time"},
    },
}
_NOTICE = {
    "type": "object",
    "description": "Ready to be shown as it comes",
    "required": ["type", "title", "text", "display"],
    "properties": {
        "type": {"enum": ["success", "warning", "failure", "upgrade_required"]},
        "title": {"type": "string"},
        "text": {"type": "string"},
        "display": {"enum": ["toast", "alert"]},
    },
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Any text of your own for this request. Sent again within 24 hours, it gets the first answer",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The record's ETag as you read it: refused if it has changed since",
    "schema": {"type": "string"},
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of the answer you hold: 304 if it still stands",
    "schema": {"type": "string"},
}
ANNOUNCED_AT = "2026-11-21T09:12:44Z"
"""When the events of the examples happened."""


def _signature_header(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "string"}
    return {"name": name, "in": "header", "required": True, "description": description, "schema": schema}


SIGNATURE_HEADERS = (
    _signature_header("webhook-id", "The event's id: the same in every attempt, so that a repetition is known"),
    _signature_header("webhook-timestamp", "When this attempt was made, in seconds since 1970; refuse old ones"),
    _signature_header("webhook-signature", "One `v1,` signature for each secret, separated by spaces"),
)
"""What proves a message to a webhook (Standard Webhooks specification)."""
_REMEDY = {
    "type": "object",
    "description": "What would change the answer for your own credential",
    "required": ["change", "from", "to"],
    "properties": {
        "change": {"enum": list(get_args(Change)), "description": "What has to change"},
        "from": {"description": "What it is now; null where only the message can say it"},
        "to": {"description": "What it would take; a list names alternatives, null where only the message can say it"},
    },
}
_TOKEN_FAILURE = {
    "type": "object",
    "description": "A failure in the form of RFC 6749 section 5.2",
    "required": ["error"],
    "properties": {
        "error": {"enum": ["invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type"]},
        "error_description": {"type": "string"},
    },
}
TOKEN_REFUSALS = {
    "400": "The form, the scope or the kind of grant is not right",
    "401": "The id and the secret are not those of a key in force: `invalid_client`",
}
SHARED_SCHEMAS = {
    "Notice": _NOTICE,
    "Meta": _META,
    "Deletion": _DELETION,
    "Remedy": _REMEDY,
    "TokenFailure": _TOKEN_FAILURE,
}
ANSWER_HEADERS = {
    "X-Request-Id": ("string", "Number of this request; quote it when you ask support"),
    "X-RateLimit-Limit": ("integer", "Requests allowed in the window"),
    "X-RateLimit-Remaining": ("integer", "Requests left in the window"),
    "X-RateLimit-Reset": ("integer", "End of the window, in epoch seconds"),
}


OTHER_HEADERS = {
    "ETag": ("string", "Stands for this very answer; send it as If-None-Match, or as If-Match with a change"),
    "Link": ("string", "The first, previous, next and last page (RFC 8288)"),
    "Idempotent-Replayed": ("string", "`true` where the answer is the first one's"),
    "Retry-After": ("integer", "Seconds to wait"),
}


def refer_headers(*names: str) -> dict[str, dict[str, str]]:
    """The headers of every answer, and those named."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*ANSWER_HEADERS, *names)}


def failure_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["success", "message", "code", "request_id", "notice", "docs_url"],
        "properties": {
            "success": {"const": False},
            "message": {"type": "string"},
            "code": {"type": "string", "enum": list(CODES)},
            "request_id": {"type": "string"},
            "errors": {"type": "object", "additionalProperties": {"type": "string"}},
            "required": {"type": "string", "description": "The permission that was missing"},
            "upgrade": {"type": "object", "description": "Module, current plan, required plan, where to upgrade"},
            "current": {"type": "string", "description": "The record's entity tag now"},
            "deleted_at": {"type": "string", "format": "date-time", "description": "When you deleted the record"},
            "existing_id": {"type": "integer", "description": "The record that already holds the value"},
            "shortages": {
                "type": "array",
                "items": {"type": "object"},
                "description": "Each product of which there is too little: product_id, name, asked, available",
            },
            "invoice_id": {"type": "integer", "description": "The invoice a quote was converted to"},
            "customer_id": {"type": "integer", "description": "The customer a lead was converted to"},
            "limit": {"type": "string", "description": "The limit that was hit"},
            "retry_after": {"type": "integer", "description": "Seconds to wait"},
            "remedy": {"$ref": REFERENCE.format(model="Remedy")},
            "notice": {"$ref": REFERENCE.format(model="Notice")},
            "docs_url": {"type": "string", "format": "uri"},
        },
    }


def security_schemes() -> dict[str, Any]:
    return {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API key or an access token"},
        "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
        "publishableKey": {"type": "apiKey", "in": "header", "name": "X-Publishable-Key"},
        "guestToken": {
            "type": "http",
            "scheme": "bearer",
            "description": "The token of a guest conversation",
            "x-variable": "SLIPWAY_GUEST_TOKEN",
        },
        "keyPair": {"type": "http", "scheme": "basic", "description": "The id and the secret of an API key"},
        "oauth2": {
            "type": "oauth2",
            "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": {}}},
        },
    }


def describe_header(kind: str, description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind}}
