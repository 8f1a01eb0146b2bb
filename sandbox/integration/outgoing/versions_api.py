"""Versions of outgoing mappings as operations: listed, made draft again, published, tried on past records."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import Field

from portal.api.lists import equals, query_schema
from portal.api.operation import Call, Done, Page
from portal.api.paging import ListPlan, Reader
from portal.api.schema import ApiModel, Instant, rule
from sandbox.integration.outgoing.models import OutgoingVersion
from sandbox.integration.outgoing.replaying import MOST_RECORDS, replay
from sandbox.integration.outgoing.rows import OutgoingRow
from sandbox.integration.outgoing.versions import MOST_NUMBER


class OutgoingVersionView(ApiModel):
    """One version of a mapping. A live or retired one stays as it is."""

    number: int
    status: Literal["draft", "live", "retired"]
    source: str
    rows: list[OutgoingRow]
    author: str
    created_at: Instant
    published_at: Instant | None


class OutgoingDraftBody(ApiModel):
    """Which version."""

    version: Annotated[int, Field(ge=1, le=MOST_NUMBER)] = Field(json_schema_extra=rule("a version of the mapping"))


class OutgoingReplayBody(ApiModel):
    """How many records."""

    last: Annotated[int, Field(ge=1, le=MOST_RECORDS)] = 20


class OutgoingReplayed(ApiModel):
    """One record that was sent, as both versions would send it now."""

    subject: str = Field(description="Public id of the record")
    sent_at: Instant
    live: str | None = Field(description="Why the live version would not send it")
    draft: str | None = Field(description="Why the draft would not send it")
    verdict: Literal["same", "better", "worse"]
    has_other_body: bool = Field(description="True if the draft makes another body than the live version")


class OutgoingReplayView(ApiModel):
    """The draft on records that were sent, the latest first."""

    records: list[OutgoingReplayed]
    same: int
    better: int
    worse: int
    left_out: int = Field(description="Records that have since been deleted")


_SHOWN = tuple(getattr(OutgoingVersion, name) for name in OutgoingVersionView.model_fields)
_OF_MAPPING = {"mapping_id": equals(OutgoingVersion.mapping_id, int)}
_PLAN = ListPlan(OutgoingVersion, (OutgoingVersion.id, *_SHOWN), _OF_MAPPING, ())
VERSIONS_QUERY = query_schema(
    "OutgoingVersionQuery", {}, ("-number", "created_at"), searches=False, keeps_deletions=False
)


def answer_versions(call: Call) -> Page:
    """One page of the mapping's versions."""
    query = call.query.model_copy(update={"mapping_id": call.record.id})
    page = Reader(call.session, _PLAN, query, call.signer(f"cursor {call.record.id}")).read()
    shown = [{name: row[name] for name in OutgoingVersionView.model_fields} for row in page.items]
    return Page(shown, page.limit, page.page, page.total, next_cursor=page.next_cursor)


def answer_replay(call: Call) -> Done:
    """The draft on the records that the mapping sent last."""
    call.is_dry = True
    found = replay(call.session, call.record, call.body.last)
    data: dict[str, Any] = {"records": [asdict(one) for one in found.records], **found.counts}
    return Done(data | {"left_out": found.left_out})
