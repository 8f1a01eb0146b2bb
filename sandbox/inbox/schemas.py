"""What callers say of the inbox and what they are shown, by the API and by the pages alike."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic import WithJsonSchema as JsonSchema

from portal.api.schema import ApiModel, Identity, Instant, Reference, ShortName, Stamps, refuse, rule
from sandbox.inbox.arrivals import BODY_KEPT
from sandbox.inbox.models import Behaviour, Verdict

MOST_TIMES = 1_000
LONGEST_DELAY = 30_000
MOST_HEADERS = 10
_NAME = "^(Retry-After|Location|X-[A-Za-z0-9-]{1,60})$"
_VALUE = "^[!-~]([ -~]{0,498}[!-~])?$"
# What every answer of this server carries already.
_OWN_HEADERS = frozenset({"x-request-id", "x-content-type-options", "x-frame-options"})


def _clean_headers(headers: dict[str, str]) -> dict[str, str]:
    if len(headers) > MOST_HEADERS:
        raise refuse(f"{{label}} may have {MOST_HEADERS} entries at most")
    for name, value in headers.items():
        if not re.fullmatch(_NAME, name) or name.lower() in _OWN_HEADERS:
            raise refuse("{label} may be Retry-After, Location and names that begin with X-, but for our own")
        if not re.fullmatch(_VALUE, value):
            raise refuse("{label} may have values of 1 to 500 printable ASCII characters")
    return headers


def _number(least: int, most: int, example: int) -> Any:
    return JsonSchema({"type": "integer", "minimum": least, "maximum": most, "examples": [example]})


Headers = Annotated[
    dict[str, str],
    AfterValidator(_clean_headers),
    JsonSchema(
        {
            "type": "object",
            "maxProperties": MOST_HEADERS,
            "propertyNames": {"pattern": _NAME},
            "additionalProperties": {"type": "string", "pattern": _VALUE},
            "examples": [{"Retry-After": "5"}],
        }
    ),
]
Status = Annotated[int, Field(ge=200, le=599), _number(200, 599, 503)]
Times = Annotated[int, Field(ge=1, le=MOST_TIMES), _number(1, MOST_TIMES, 2)]
Delay = Annotated[int, Field(ge=0, le=LONGEST_DELAY), _number(0, LONGEST_DELAY, 1500)]


class AddressBody(ApiModel):
    """What a receiving address is called."""

    read_only = ApiModel.read_only | {"url"}

    name: ShortName


class AddressView(Stamps, AddressBody, Identity):
    """A receiving address. Whoever knows its URL may send there."""

    url: str


class AnswerBody(ApiModel):
    """How the next arrivals at an address are answered."""

    read_only = ApiModel.read_only | {"used"}

    address: Reference | None = Field(None, description="The address's id or public id; the oldest one unless given")
    behaviour: Behaviour = Field("answer", description="`drop`: the connection closes without a usable answer")
    status: Status | None = Field(
        None, description="HTTP status; 200 unless given", json_schema_extra=rule("not with drop")
    )
    headers: Headers = Field(
        {},
        description="Headers of the answer: `Retry-After`, `Location`, names that begin with `X-`",
        json_schema_extra=rule("not with drop; not X-Request-Id, X-Content-Type-Options or X-Frame-Options"),
    )
    delay_ms: Delay = Field(0, description="Milliseconds to wait before the answer")
    times: Times = Field(1, description="How many arrivals; after them 200, or what was planned next")


class AnswerView(Stamps, Identity):
    """A planned answer that waits for arrivals."""

    address: int = Field(description="Id of the address")
    behaviour: Behaviour
    status: int
    headers: dict[str, str]
    delay_ms: int
    times: int
    used: int = Field(description="How many arrivals it was used for; the last takes it off the list")


class MessageView(ApiModel):
    """One arrival, in the sandbox's time."""

    public_id: str
    address: int = Field(description="Id of the address")
    method: str
    path: str = Field(description="Path and query")
    size: int = Field(description="Of the body, in bytes")
    verdict: Verdict = Field(
        description="On its signature, by the secrets of your webhooks with this address: `verified`, `wrong`, `stale` "
        "(signed rightly, more than five minutes off), `unsigned`, `unchecked` (no such webhook)"
    )
    webhook_id: str | None = Field(description="The header `webhook-id`: the same in every attempt")
    answer_status: int | None = Field(description="How it was answered; None where the answer was dropped")
    delay_ms: int = Field(description="How long the answer waited")
    received_at: Instant


class MessageHeader(ApiModel):
    """One header."""

    name: str
    value: str


class WholeMessageView(MessageView):
    """One arrival with its headers and its body; secrets are masked."""

    headers: list[MessageHeader]
    body: str = Field(description=f"The first {BODY_KEPT} bytes")
    is_cut: bool = Field(description="True where the body was longer")


class ClearedView(ApiModel):
    """How many messages were forgotten."""

    removed: int
