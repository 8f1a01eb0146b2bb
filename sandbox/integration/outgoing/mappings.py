"""Outgoing mappings: which fields of which records a partner gets, under which names, and when."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic import WithJsonSchema as JsonSchema
from sqlalchemy import select

from portal.api.records import Unique, find_reference, refuse_taken
from portal.api.resource import set_fields
from portal.api.schema import ApiModel, Identity, Instant, Name, Reference, Stamps, rule, typed_line
from portal.core.errors import Conflict, ValidationFailed
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from sandbox.integration.outgoing.models import Connection, OutgoingMapping, OutgoingVersion, SendSchedule
from sandbox.integration.outgoing.rows import MOST_ROWS, OutgoingRow, Rows, article, check_rows, stored_rows
from sandbox.integration.outgoing.schedules import set_schedule, wrong_schedule
from sandbox.integration.outgoing.sources import SOURCES, Source
from sandbox.integration.outgoing.triggers import forget_triggered
from sandbox.integration.outgoing.versions import find_version, put_draft, put_live, save_draft
from sandbox.integration.outgoing.versions_sent import forget_claims

MOST_MAPPINGS = 50
SLUG_PATTERN = "^[a-z0-9]+(-[a-z0-9]+)*$"
SourceName = Literal[
    "invoice", "quote", "customer", "lead", "product", "vendor", "goods_receipt", "employee", "attendance"
]
Slug = Annotated[
    str,
    BeforeValidator(typed_line),
    StringConstraints(pattern=SLUG_PATTERN, min_length=1, max_length=60),
    JsonSchema({"type": "string", "pattern": SLUG_PATTERN, "minLength": 1, "maxLength": 60}),
]
_ONE_TRIGGER = "at least one of events, manual and schedule, unless switched off"
EventName = Annotated[
    str,
    BeforeValidator(typed_line),
    StringConstraints(pattern=r"^[a-z_]{1,40}\.[a-z_]{1,40}$"),
    JsonSchema({"type": "string", "pattern": r"^[a-z_]{1,40}\.[a-z_]{1,40}$", "examples": ["invoice.approved"]}),
]
TAKEN = Unique(OutgoingMapping.slug, "Another mapping has this slug")


class OutgoingMappingBody(ApiModel):
    """What a caller may say of an outgoing mapping."""

    read_only = ApiModel.read_only | {"next_run_at", "last_run_at", "live_version", "draft_version"}

    name: Name
    slug: Slug = Field(description="What requests and logs call it")
    connection_id: Reference
    source: SourceName = Field(description="The kind of record that is sent")
    rows: Rows = Field(description=f"The parameters, up to {MOST_ROWS}", json_schema_extra=rule("fits the source"))
    events: Annotated[list[EventName], Field(max_length=20)] = Field(
        [],
        description="Events after which the record is sent",
        json_schema_extra=rule("events of the source, each once"),
    )
    schedule: Name | None = Field(
        None,
        description="When the records that changed since the last run are sent: a cron expression in the tenant's "
        "time zone",
        json_schema_extra=rule("a cron expression of five fields"),
    )
    active: bool = Field(True, description="Switched off, nothing triggers it")
    manual: bool = Field(True, description="May be sent by hand: `Send to API`", json_schema_extra=rule(_ONE_TRIGGER))
    as_draft: bool = Field(
        False,
        description="Save `rows` as a draft, to be tried and published. The live version stays. Left out, `rows` are "
        "live at once",
        json_schema_extra=rule("with the source of the live version"),
    )


class OutgoingMappingFacts(ApiModel):
    """An outgoing mapping."""

    name: str
    slug: str
    connection_id: int
    source: SourceName
    rows: list[OutgoingRow] = Field(description="Those of the live version; of the draft if nothing is live yet")
    events: list[str]
    schedule: str | None
    active: bool
    manual: bool
    last_run_at: Instant | None = Field(description="When its schedule ran last, or was set")
    next_run_at: Instant | None = Field(description="When its schedule runs next, by the tenant's clock")
    live_version: int | None = Field(description="Number of the version that sends")
    draft_version: int | None = Field(description="Number of the version that is being worked on")


class OutgoingMappingView(Stamps, OutgoingMappingFacts, Identity):
    """An outgoing mapping as the API shows it."""


def add_mapping(session: TenantSession, data: OutgoingMappingBody) -> OutgoingMapping:
    """Add a mapping. Raises ValidationFailed naming what cannot work, Duplicate, Conflict beyond MOST_MAPPINGS."""
    fields = _resolved(session, data.model_dump())
    is_draft, rows = fields.pop("as_draft"), fields["rows"]
    refuse_taken(session, (TAKEN,), fields)
    if len(session.scalars(select(OutgoingMapping.id)).all()) >= MOST_MAPPINGS:
        message = f"A tenant has {MOST_MAPPINGS} outgoing mappings at most. Delete one first."
        raise Conflict(message, remedy=Remedy("limit", MOST_MAPPINGS, "fewer mappings"))
    mapping = OutgoingMapping(**fields | {"rows": [] if is_draft else rows})
    session.add(mapping)
    session.flush()
    (put_draft if is_draft else put_live)(session, mapping, fields["source"], rows)
    _settle(session, mapping)
    return mapping


def check_mapping(session: TenantSession, data: OutgoingMappingBody, mapping: OutgoingMapping | None) -> None:
    """Raises ValidationFailed naming what cannot work, and Duplicate; `mapping` is the one that is changed."""
    refuse_taken(session, (TAKEN,), _resolved(session, data.model_dump()), but=mapping)


def change_mapping(session: TenantSession, mapping: OutgoingMapping, fields: dict[str, Any]) -> None:
    """Change what `fields` names. What was posted before stays as it was composed.

    Rows are live at once, under a version of their own, or become the draft with `as_draft`. Raises ValidationFailed,
    Duplicate.
    """
    fields = dict(fields)
    is_draft = fields.pop("as_draft", False)
    if "rows" in fields:
        fields["rows"] = stored_rows(fields["rows"])
    names = ("connection_id", "source", "rows", "events", "schedule", "active", "manual")
    known = {name: getattr(mapping, name) for name in names} | {"rows": _shown_rows(session, mapping)}
    resolved = _resolved(session, known | fields)
    refuse_taken(session, (TAKEN,), fields, but=mapping)
    set_fields(mapping, {name: resolved[name] for name in fields if name not in ("rows", "source")})
    if {"rows", "source"} & set(fields):
        is_draft = is_draft or ("rows" not in fields and not mapping.rows)
        (save_draft if is_draft else put_live)(session, mapping, resolved["source"], resolved["rows"])
    _settle(session, mapping)


def remove_mapping(session: TenantSession, mapping: OutgoingMapping) -> None:
    """Forget what goes with a mapping that is being deleted. What it posted before goes its way."""
    forget_triggered(session)
    forget_claims(session, mapping_id=mapping.id)


def find_by_slug(session: TenantSession, slug: str) -> OutgoingMapping | None:
    """The mapping that requests and logs call so."""
    return session.scalar(select(OutgoingMapping).where(OutgoingMapping.slug == slug))


def list_mappings(session: TenantSession, source: str | None = None) -> list[OutgoingMapping]:
    """The tenant's mappings, of one source where it is given, oldest first."""
    wanted = select(OutgoingMapping).order_by(OutgoingMapping.id)
    return list(session.scalars(wanted if source is None else wanted.where(OutgoingMapping.source == source)))


def add_runs(session: TenantSession, rows: list[dict[str, Any]]) -> None:
    """Put on each mapping of a page when its schedule ran last and runs next."""
    wanted = select(SendSchedule).where(SendSchedule.mapping_id.in_([row["id"] for row in rows]))
    known = {schedule.mapping_id: schedule for schedule in session.scalars(wanted)}
    for row in rows:
        schedule = known.get(row["id"])
        row["last_run_at"] = schedule.last_at if schedule else None
        row["next_run_at"] = schedule.next_at if schedule else None


def add_versions(session: TenantSession, rows: list[dict[str, Any]]) -> None:
    """Put on each mapping of a page the numbers of its versions, and the draft's rows where nothing is live."""
    own = OutgoingVersion.mapping_id.in_([row["id"] for row in rows])
    known: dict[int, dict[str, OutgoingVersion]] = {}
    for version in session.scalars(select(OutgoingVersion).where(own, OutgoingVersion.status != "retired")):
        known.setdefault(version.mapping_id, {})[version.status] = version
    for row in rows:
        versions = known.get(row["id"], {})
        for status in ("live", "draft"):
            row[f"{status}_version"] = versions[status].number if status in versions else None
        if not row["rows"] and "draft" in versions:
            row["rows"] = versions["draft"].rows


def _shown_rows(session: TenantSession, mapping: OutgoingMapping) -> list[dict[str, Any]]:
    draft = None if mapping.rows else find_version(session, mapping, "draft")
    return draft.rows if draft is not None else mapping.rows


def _settle(session: TenantSession, mapping: OutgoingMapping) -> None:
    session.flush()
    set_schedule(session, mapping)
    session.flush()
    forget_triggered(session)


def _resolved(session: TenantSession, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as they are stored. Raises ValidationFailed with every fault at once."""
    source = SOURCES[fields["source"]]
    errors = check_rows(source, fields["rows"]) | _wrong_triggers(source, fields)
    try:
        connection = find_reference(session, Connection, fields["connection_id"], "connection_id")
    except ValidationFailed as error:
        raise ValidationFailed(errors | error.errors) from None
    if errors:
        raise ValidationFailed(errors)
    return fields | {"connection_id": connection.id, "rows": stored_rows(fields["rows"])}


def _wrong_triggers(source: Source, fields: dict[str, Any]) -> dict[str, str]:
    errors = {}
    events, schedule = fields["events"], fields["schedule"]
    for number, name in enumerate(events):
        if name not in source.events:
            errors[f"events.{number}"] = f"{name} is no event of {article(source.singular)}; {_said(source.events)}"
        elif name in events[:number]:
            errors[f"events.{number}"] = f"{name} stands in the list already"
    if schedule is not None and (wrong := wrong_schedule(schedule)):
        errors["schedule"] = wrong
    if fields["active"] and not (events or schedule or fields["manual"]):
        errors["manual"] = "Nothing would ever send this mapping: name an event or a schedule, or let it be manual"
    return errors


def _said(events: list[str]) -> str:
    return f"these are: {', '.join(events)}" if events else "it has none"
