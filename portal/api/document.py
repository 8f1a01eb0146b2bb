"""The API document: OpenAPI 3.1, emitted from the declared operations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from portal.api.answers import envelope
from portal.api.components import REFERENCE, Models, tidy
from portal.api.conventions import (
    ANNOUNCED_AT,
    ANSWER_HEADERS,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    OTHER_HEADERS,
    SHARED_SCHEMAS,
    SIGNATURE_HEADERS,
    TOKEN_REFUSALS,
    describe_header,
    failure_schema,
    refer_headers,
    security_schemes,
)
from portal.api.events import EventType
from portal.api.lists import ID_PATTERN
from portal.api.operation import Api, Operation
from portal.core.errors import CODES, DomainError
from portal.core.ids import PUBLIC_ID
from portal.tenancy.permissions import module_of, roles_with
from portal.tenancy.plans import MODULES, smallest_plan

VERSION = "0.3.0"
_SAY_WHEN = frozenset({"rate_limited", "idempotency_in_progress", "service_unavailable"})
_PARAMETER = re.compile(r"\{(\w+)\}")


def build_document(api: Api, *, title: str, description: str, base_url: str) -> dict[str, Any]:
    """The whole document. `base_url` becomes its only server."""
    models = Models()
    paths: dict[str, dict[str, Any]] = {}
    for operation in api.operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation, models)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": VERSION, "description": description},
        "servers": [{"url": base_url}],
        "tags": [
            {
                "name": group.name,
                "description": group.description,
                "x-title": group.title,
                "x-area": group.area,
                **({"x-about": group.about} if group.about else {}),
            }
            for group in api.groups
        ],
        "x-tagGroups": [
            {"name": chapter, "tags": [group.name for group in api.groups if group.chapter == chapter]}
            for chapter in dict.fromkeys(group.chapter for group in api.groups)
        ],
        "paths": paths,
        "webhooks": {event.name: {"post": _describe_event(event, models)} for event in api.events},
        "components": {
            "schemas": {
                **models.schemas,
                "Failure": failure_schema(),
                **SHARED_SCHEMAS,
            },
            "securitySchemes": security_schemes(),
            "headers": {name: describe_header(*parts) for name, parts in {**ANSWER_HEADERS, **OTHER_HEADERS}.items()},
        },
    }


def _describe_event(event: EventType, models: Models) -> dict[str, Any]:
    """A webhook: what is sent to an endpoint when the event happens (contract section 7)."""
    schema = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": event.name},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": models.refer_public(event.payload),
        },
    }
    media: dict[str, Any] = {"schema": schema}
    if event.example is not None:
        media["example"] = {"type": event.name, "timestamp": ANNOUNCED_AT, "data": dict(event.example)}
    return {
        "operationId": f"events.{event.name}",
        "summary": event.text,
        "description": f"{event.text}. References are public ids.",
        "parameters": list(SIGNATURE_HEADERS),
        "requestBody": {"required": True, "content": {"application/json": media}},
        "responses": {"2XX": {"description": "Taken; anything else is tried again"}},
    }


def _describe(operation: Operation, models: Models) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.group],
        "summary": operation.summary,
        "description": operation.description or f"{operation.summary}.",
        "parameters": [*_path_parameters(operation), *_query_parameters(operation), *_header_parameters(operation)],
        "responses": _responses(operation, models),
        "security": [{"bearer": []}, {"apiKey": []}, {"oauth2": []}],
        "x-errors": list(codes_of(operation)),
    }
    if operation.is_public:
        described["x-public"] = True
        described["security"] = _public_security(operation)
    if operation.permission:
        described |= _describe_access(operation.permission, operation.modules)
    if operation.body is not None or operation.shape is not None:
        described["requestBody"] = _request_body(operation, models)
    if operation.sample is not None:
        described["x-sample"] = dict(operation.sample)
    return described


def _describe_access(permission: str, modules: tuple[str, ...]) -> dict[str, Any]:
    """Who may: the permission, the module and the plan it comes with, the roles. The platform's own has no module."""
    module = module_of(permission)
    entitlement = {"x-module": module, "x-plan": smallest_plan((module, *modules))} if module in MODULES else {}
    return {"x-permission": permission, **entitlement, "x-roles": roles_with(permission)}


def _public_security(operation: Operation) -> list[dict[str, list[str]]]:
    if operation.family == "tokens":
        return [{"keyPair": []}]
    return [{"guestToken": []}] if operation.takes_guest_token else [{}, {"publishableKey": []}]


def codes_of(operation: Operation) -> tuple[str, ...]:
    """Every code this operation may answer with, in the contract's order of refusal."""
    codes = [] if operation.is_public and operation.family != "public" else ["unauthorized"]
    codes.append("rate_limited")
    if operation.permission:
        codes.append("forbidden")
        codes += ["upgrade_required"] if module_of(operation.permission) in MODULES else []
    if operation.path.count("{"):
        codes.append("not_found")
    codes.append("payload_too_large" if operation.is_form else "validation_failed")
    if operation.takes_json:
        codes += ["malformed_json", "payload_too_large", "unsupported_media_type"]
    codes += operation.codes
    if operation.takes_key:
        codes += ["idempotency_in_progress", "idempotency_mismatch"]
    if operation.represent is not None:
        codes.append("precondition_failed")
    return tuple(dict.fromkeys([*codes, "internal_error", "service_unavailable"]))


def _path_parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    for name in _PARAMETER.findall(operation.path):
        parameter = {
            "name": name,
            "in": "path",
            "required": True,
            "description": operation.headers.get(f"path:{name}", "The record's id or its public id"),
            "schema": _path_schema(operation, name),
        }
        if name in operation.sample_path:
            parameter["example"] = str(operation.sample_path[name])
        yield parameter


def _path_schema(operation: Operation, name: str) -> dict[str, Any]:
    """What may stand in the path; anything else is 404 as well."""
    if name != "id":
        return {"type": "string", "minLength": 1}
    return {"type": "string", "pattern": PUBLIC_ID.pattern if operation.tenant_in_path else ID_PATTERN}


def _query_parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    if operation.query is None:
        return
    schema = operation.query.model_json_schema(by_alias=True)
    for name, field in schema["properties"].items():
        kept = {key: value for key, value in tidy(field).items() if key not in {"description", "title"}}
        if "anyOf" in kept:
            options = [option for option in kept.pop("anyOf") if option != {"type": "null"}]
            kept = (options[0] if len(options) == 1 else {"anyOf": options}) | kept
        if kept.get("default", 0) is None:
            del kept["default"]
        parameter = {"name": name, "in": "query", "schema": kept, "description": field.get("description", "")}
        if name in schema.get("required", ()):
            parameter["required"] = True
        if name in operation.sample_query:
            parameter["example"] = operation.sample_query[name]
        yield parameter


def _header_parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    if operation.takes_key:
        yield IDEMPOTENCY_KEY
    if operation.represent is not None:
        yield IF_MATCH
    if not operation.writes:
        yield IF_NONE_MATCH
    for name, description in operation.headers.items():
        if not name.startswith("path:"):
            yield {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}


def _request_body(operation: Operation, models: Models) -> dict[str, Any]:
    if operation.body is not None:
        media: dict[str, Any] = {"schema": models.refer(operation.body)}
    else:
        assert operation.shape is not None
        media = {"schema": dict(operation.shape.takes)}
    if operation.sample is not None:
        media["example"] = dict(operation.sample)
    mimetype = "application/x-www-form-urlencoded" if operation.is_form else "application/json"
    return {"required": operation.needs_body, "content": {mimetype: media}}


def _responses(operation: Operation, models: Models) -> dict[str, Any]:
    headers = refer_headers(*_success_headers(operation))
    success: dict[str, Any] = {"description": operation.outcome or operation.summary, "headers": headers}
    if operation.returns is not None or operation.shape is not None:
        media: dict[str, Any] = {"schema": _success_schema(operation, models)}
        if operation.example is not None:
            is_bare = operation.is_form
            media["example"] = operation.example if is_bare else envelope(operation.example, operation.outcome)
        success["content"] = {"application/json": media}
        success["content"] |= {mimetype: {"schema": {"type": "string"}} for mimetype in operation.also_answers}
    responses: dict[str, Any] = {str(operation.status): success}
    if not operation.writes:
        responses["304"] = {"description": "What you hold still stands", "headers": refer_headers("ETag")}
    if operation.is_form:
        responses |= {status: _token_refusal(text) for status, text in TOKEN_REFUSALS.items()}
    for code in codes_of(operation):
        error = CODES[code]
        status = str(error.status)
        existing = responses.get(status)
        if existing:
            existing["description"] += f"; `{code}`"
        else:
            responses[status] = _refusal(error, code, operation, models)
    return dict(sorted(responses.items()))


def _success_headers(operation: Operation) -> Iterable[str]:
    if operation.shows_record or not operation.writes:
        yield "ETag"
    if operation.is_list:
        yield "Link"
    if operation.takes_key:
        yield "Idempotent-Replayed"


def _success_schema(operation: Operation, models: Models) -> dict[str, Any]:
    if operation.shape is not None:
        one = models.refer(operation.shape.gives)
        return {"anyOf": [one, {"type": "array", "items": one}]} if operation.shape.gives_list else dict(one)
    assert operation.returns is not None
    item = models.refer(operation.returns)
    if operation.is_form:
        return item
    properties: dict[str, Any] = {"success": {"const": True}}
    properties["data"] = {"type": "array", "items": item} if operation.is_list else item
    required = ["success", "data"]
    if operation.is_list:
        properties["meta"] = {"$ref": REFERENCE.format(model="Meta")}
        if "updated_since" in getattr(operation.query, "model_fields", {}):
            deletion = {"$ref": REFERENCE.format(model="Deletion")}
            properties["deleted"] = {"type": "array", "items": deletion, "description": "With updated_since"}
        required.append("meta")
    elif operation.writes:
        properties["message"] = {"type": "string"}
        properties["notice"] = {"$ref": REFERENCE.format(model="Notice")}
    return {"type": "object", "required": required, "properties": properties}


def _refusal(error: type[DomainError], code: str, operation: Operation, models: Models) -> dict[str, Any]:
    schema = {"$ref": REFERENCE.format(model="Failure")}
    headers = refer_headers(*(["Retry-After"] if code in _SAY_WHEN else []))
    media = {mimetype: {"schema": schema} for mimetype in ("application/json", "application/problem+json")}
    if operation.shape is not None:
        media = {"application/json": {"schema": models.refer(operation.shape.refuses)}}
    return {"description": f"{error.title}: `{code}`", "headers": headers, "content": media}


def _token_refusal(text: str) -> dict[str, Any]:
    schema = {"$ref": REFERENCE.format(model="TokenFailure")}
    return {"description": text, "headers": refer_headers(), "content": {"application/json": {"schema": schema}}}
