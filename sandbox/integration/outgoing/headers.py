"""Header configuration: what a connection sends besides the body. Secrets come in, and never out again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator
from pydantic import WithJsonSchema as JsonSchema

from portal.api.schema import ApiModel, rule, typed_line
from portal.core.masking import MASK, is_secret_header
from portal.core.outgoing import OutgoingFailed, check_headers

MOST_HEADERS = 20
SHOWN_SECRET = MASK * 2
OUR_OWN = frozenset(
    {
        *("cookie", "set-cookie", "content-type", "content-encoding", "accept-encoding", "idempotency-key"),
        *("host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade"),
        *("expect", "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"),
    }
)
"""Headers, in small letters, that a configuration must not set: the sender does, or nobody."""
_NAME_PATTERN = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
_MAY_BE_SET = rule("once in a list; none that the sender sets itself, such as Host or Content-Length, and no Cookie")

HeaderName = Annotated[
    str,
    BeforeValidator(typed_line),
    StringConstraints(min_length=1, max_length=80),
    JsonSchema({"type": "string", "minLength": 1, "maxLength": 80, "pattern": _NAME_PATTERN, **_MAY_BE_SET}),
]
HeaderValue = Annotated[
    str,
    BeforeValidator(typed_line),
    StringConstraints(max_length=4000, strip_whitespace=True),
    JsonSchema({"type": "string", "maxLength": 4000, **rule("one line of Latin characters, and not empty")}),
]


class ConnectionHeader(ApiModel):
    """One header."""

    name: HeaderName
    value: HeaderValue | None = Field(
        None,
        description="Left out of a secret that is stored already, it stays",
        json_schema_extra=rule("required, but of a secret that is stored already"),
    )
    secret: bool = Field(
        False, description="Kept encrypted, shown as a mask from then on; always so for Authorization and its like"
    )

    @model_validator(mode="after")
    def _keep_credentials_secret(self) -> Self:
        self.secret = self.secret or is_secret_header(self.name)
        return self


class ConnectionHeaderView(ApiModel):
    """One header as the API shows it."""

    name: str
    value: str = Field(description="A mask where it is secret")
    secret: bool


Headers = Annotated[list[ConnectionHeader], Field(max_length=MOST_HEADERS)]


def check_all(headers: Sequence[dict[str, Any]], secrets: dict[str, str], *, has_moved: bool = False) -> dict[str, str]:
    """What is wrong with a list of headers, by place: `{"headers.1.name": "…"}`. `secrets` are those known so far.

    Of a connection that `has_moved` to another partner's address, every secret is to be given anew.
    """
    errors: dict[str, str] = {}
    seen: set[str] = set()
    for number, header in enumerate(headers):
        name = header["name"].lower()
        wrong = _wrong_name(header["name"], is_repeated=name in seen)
        seen.add(name)
        if wrong:
            errors[f"headers.{number}.name"] = wrong
            continue
        value = header["value"] if _is_given(header) else secrets.get(name) if header["secret"] else None
        fault = _wrong_value(header["name"], value)
        if has_moved and header["secret"] and not _is_given(header):
            fault = f"The address is another: give the secret value of {header['name']} anew"
        if fault:
            errors[f"headers.{number}.value"] = fault
    return errors


def shown_headers(headers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The list as it is stored for everybody to see."""
    return [
        {"name": one["name"], "value": SHOWN_SECRET if one["secret"] else one["value"], "secret": one["secret"]}
        for one in headers
    ]


def kept_secrets(headers: Sequence[dict[str, Any]], secrets: dict[str, str]) -> str | None:
    """What the masks of a list stand for, as JSON to be encrypted: values given now, else those known so far."""
    kept = {
        one["name"].lower(): one["value"] if _is_given(one) else secrets[one["name"].lower()]
        for one in headers
        if one["secret"]
    }
    return json.dumps(kept) if kept else None


def read_secrets(stored: str | None) -> dict[str, str]:
    """Secret values by the header's name in small letters."""
    return dict(json.loads(stored)) if stored else {}


def open_headers(headers: Sequence[dict[str, Any]], stored: str | None) -> dict[str, str]:
    """The headers as they are sent, secrets in the clear."""
    secrets = read_secrets(stored)
    return {one["name"]: secrets[one["name"].lower()] if one["secret"] else one["value"] for one in headers}


def _is_given(header: dict[str, Any]) -> bool:
    """False for a value that is left out, and for the mask that an answer showed in its place."""
    return header["value"] is not None and not (header["secret"] and header["value"] == SHOWN_SECRET)


def _wrong_name(name: str, *, is_repeated: bool) -> str | None:
    if name.lower() in OUR_OWN or name.lower().startswith("proxy-"):
        return f"{name[:80]} cannot be set here: the sender sets it, or nobody"
    if is_repeated:
        return f"{name[:80]} stands in the list already"
    try:
        check_headers({name: ""})
    except OutgoingFailed:
        return "Name may have letters, digits and hyphens; no spaces, no colon, no line breaks"
    return None


def _wrong_value(name: str, value: str | None) -> str | None:
    if not value:
        return f"{name} needs a value"
    try:
        check_headers({name: value})
    except OutgoingFailed:
        return f"The value of {name} must be one line of Latin characters: no line breaks, no control characters"
    return None
