"""What callers say of webhooks and what they are shown, by the API and by the pages alike."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from flask import current_app
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic import WithJsonSchema as JsonSchema

from portal.api.history import PublicId
from portal.api.schema import ApiModel, Identity, Instant, Line, Moment, Stamps, refuse, rule, typed_line
from portal.core.addresses import LONGEST_URL
from sandbox.delivery.states import ABOUT_STATUS, COMPUTED, Status
from sandbox.webhooks.subscriptions import EVERYTHING

_SCHEME = "^[Hh][Tt][Tt][Pp][Ss]?://"
_EVENT = r"^(\*|[a-z_]{1,40}\.(\*|[a-z_]{1,40}))$"
MOST_EVENTS = 50


def _has_scheme(value: str) -> str:
    if re.match(_SCHEME, value) is None:
        raise refuse("{label} must begin with https:// or http://")
    return value


def _known_event(name: str) -> str:
    """A name of the catalogue, a family of it, or all."""
    names = current_app.extensions["event names"]
    family = name.removesuffix("*") if name.endswith(".*") else None
    if name == EVERYTHING or name in names or (family and any(each.startswith(family) for each in names)):
        return name
    raise refuse(
        f"No such event: {name[:80]}. The page /events names them all; customer.* stands for a family, * for all"
    )


Url = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_URL, strip_whitespace=True),
    BeforeValidator(typed_line),
    AfterValidator(_has_scheme),
    JsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST_URL, "pattern": _SCHEME}),
]
EventName = Annotated[
    str,
    BeforeValidator(typed_line),
    AfterValidator(_known_event),
    JsonSchema({"type": "string", "pattern": _EVENT, "examples": ["customer.created", "invoice.*", "*"]}),
]


class WebhookBody(ApiModel):
    """What a caller may say of a webhook."""

    read_only = ApiModel.read_only | {"secret", *COMPUTED, "old_secret_until"}

    url: Url = Field(
        description="Where messages are sent by POST. Must resolve to a public address",
        json_schema_extra=rule("an address that may be called from here"),
    )
    events: Annotated[list[EventName], Field(min_length=1, max_length=MOST_EVENTS)] = Field(
        description="Names of the event catalogue; `customer.*` for a family, `*` for all",
        json_schema_extra=rule("names of the event catalogue, or families of it"),
    )
    description: Line | None = None
    active: bool = Field(True, description="False holds what comes; true again sends it, oldest first")
    ordered: bool = Field(False, description="True sends one message at a time: each waits for the one before it")


class WebhookState(ApiModel):
    """What becomes of a webhook by itself."""

    status: Status = Field(description=ABOUT_STATUS)
    held: int = Field(description="Messages that wait until it is active again")
    closed_at: Instant | None = Field(description="Since when it gets nothing")
    failing_since: Instant | None = Field(description="The first failure after the last success")
    old_secret_until: Instant | None = Field(
        description="Until when messages were, or are, also signed with the secret before; by the sandbox's clock"
    )


class WebhookView(Stamps, WebhookState, WebhookBody, Identity):
    """A webhook as the API shows it, without its secret."""


class SecretOnce(ApiModel):
    """A signing secret, in the one answer that shows it."""

    secret: str = Field(description="Signs the messages. Shown in this answer only: keep it")


class WebhookWithSecret(Stamps, WebhookState, SecretOnce, WebhookBody, Identity):
    """A webhook and its new secret."""


class ResendBody(ApiModel):
    """Which messages are sent again: those announced in a range of time, those that failed, or both at once."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, **rule("one of them at least is given")})

    since: Moment | None = Field(None, alias="from", description="First instant, included; by the tenant's time")
    until: Moment | None = Field(
        None, alias="to", description="Last instant, included", json_schema_extra=rule("not before from")
    )
    status: Literal["failed"] | None = Field(None, description="Only what failed")
    after: PublicId | None = Field(
        None,
        description="Only what was posted behind this delivery: the `next_after` of the call before",
        json_schema_extra=rule("names a delivery of yours"),
    )


class ResentView(ApiModel):
    """How much is sent again."""

    resent: int = Field(description="How many messages this call put back into the queue")
    next_from: Instant | None = Field(description="The instant of the first message left, when one call was not enough")
    next_after: str | None = Field(description="Goes on there: `after` of the next call, with the rest as it was")
