"""What callers send and are shown of mappings, their versions, samples and replays."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from portal.api.schema import ApiModel, Identity, Instant, Name, Stamps, rule
from sandbox.integration.incoming.answering import Answered
from sandbox.integration.incoming.definition import AnswerRules, Definition
from sandbox.integration.incoming.rehearsing import MOST_PAYLOADS
from sandbox.integration.incoming.texts import Slug

TargetName = Literal["vendor", "lead", "invoice_update", "attendance", "goods_receipt"]


class IncomingMappingBody(Definition):
    """A mapping: its name, and what its draft is to say."""

    read_only = ApiModel.read_only | {"live_version", "draft_version"}

    slug: Slug = Field(description="Its name in addresses")
    name: Name
    target: TargetName = Field(
        description="What it writes", json_schema_extra=rule("stays as it is once a version was published")
    )
    is_default: bool = Field(False, description="True for the mapping of calls that name none; one at most")


class IncomingMappingFacts(ApiModel):
    """A mapping's own fields. What it says is the draft's; the live version's where there is no draft."""

    slug: str
    name: str
    target: TargetName
    is_default: bool
    rows: list[dict[str, Any]]
    duplicates: dict[str, Any] | None
    answers: AnswerRules
    live_version: int | None = Field(description="The number of the version that receives")
    draft_version: int | None = Field(description="The number of the version that is being worked on")


class IncomingMappingView(Stamps, IncomingMappingFacts, Identity):
    """A mapping as the API shows it."""


class IncomingVersionView(ApiModel):
    """One version of a mapping. A live or retired one stays as it is."""

    number: int
    status: Literal["draft", "live", "retired"]
    definition: dict[str, Any] = Field(description="Rows, duplicates and answers")
    author: str
    created_at: Instant
    published_at: Instant | None


class IncomingFaults(ApiModel):
    """What a check found."""

    is_sound: bool = Field(description="True where the definition could be saved")
    faults: dict[str, str] = Field(description="What cannot work, by its place such as rows.3.checks.0.pattern")


_PAYLOAD = {"anyOf": [{"type": "object"}, {"type": "array", "items": {}, "minItems": 1, "maxItems": 500}]}


class IncomingRunBody(ApiModel):
    """A payload to try, and which version of the mapping."""

    payload: Annotated[Any, Field(json_schema_extra={**_PAYLOAD, **rule("a record, or an array of 1 to 500")})]
    version: Literal["draft", "live"] = "live"


class IncomingRunView(ApiModel):
    """What the payload would come to."""

    outcome: Literal["SUCCESS", "FAILED", "DUPLICATE", "MIXED"]
    status: int = Field(description="The HTTP status it would be answered with")
    answers: list[Answered] = Field(description="An answer for each record, with verdicts and effects")


class IncomingReplayBody(ApiModel):
    """How far back."""

    last: Annotated[int, Field(ge=1, le=MOST_PAYLOADS)] = 20


class IncomingReplayed(ApiModel):
    """One payload, by what was logged then, and by the live version and the draft now."""

    request_id: str
    received_at: Instant
    records: int
    then: str
    live: str | None
    draft: str
    verdict: Literal["same", "better", "worse"]
    live_codes: list[str]
    draft_codes: list[str]
    has_other_values: bool = Field(description="True where the draft reads other values than the live version")


class IncomingReplayView(ApiModel):
    """The draft on past payloads, newest first."""

    payloads: list[IncomingReplayed]
    same: int
    better: int
    worse: int
    left_out: int = Field(description="Payloads of which the log holds a part only, or too large a number of records")


class IncomingDraftBody(ApiModel):
    """Which version."""

    version: Annotated[int, Field(ge=1, le=999_999_999)] = Field(json_schema_extra=rule("a version of the mapping"))
