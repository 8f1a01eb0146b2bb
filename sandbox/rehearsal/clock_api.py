"""The sandbox's clock as operations: reading it, and moving it on."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic import WithJsonSchema as JsonSchema

from portal.api.operation import Call, Done, Operation
from portal.api.schema import ApiModel, Instant, Moment, refuse, rule
from portal.core.errors import ValidationFailed
from sandbox.rehearsal.clock import FURTHEST, Duration, Move, advance, move_to, move_to_next, next_due, read_duration
from sandbox.rehearsal.due import KINDS, Due
from sandbox.rehearsal.operations import hold_tenant, sandbox_operation

NEXT = "next"
_MOMENT = TypeAdapter[Any](Moment)
_KINDS = "; ".join(f"`{kind.type}` ({kind.text[0].lower()}{kind.text[1:]})" for kind in KINDS)


def _parse_duration(value: Any) -> Duration:
    found = read_duration(value) if isinstance(value, str) else None
    if found is None:
        raise refuse("{label} must be a duration of ISO 8601 in whole numbers, longer than nothing, such as P3D")
    return found


def _parse_target(value: Any) -> Any:
    if value == NEXT:
        return value
    try:
        return _MOMENT.validate_python(value)
    except ValidationError:
        raise refuse("{label} must be next, or an instant such as 2027-01-15T10:00:00Z") from None


Length = Annotated[
    Any,
    BeforeValidator(_parse_duration),
    JsonSchema(
        {
            "type": "string",
            "pattern": r"^P(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?$",
            "examples": ["P3D", "P1M", "PT90M"],
        }
    ),
]
Target = Annotated[
    Any,
    BeforeValidator(_parse_target),
    JsonSchema(
        {
            "anyOf": [{"const": NEXT}, {"type": "string", "format": "date-time"}],
            "examples": [NEXT, "2027-01-15T10:00:00Z"],
        }
    ),
]


REACH = "either advance or to; forward, and not further ahead of real time than the clock may be"


class MoveBody(ApiModel):
    """How far the clock is to go: one of the two."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})
    read_only = ApiModel.read_only | {"now", "offset", "next"}

    advance: Length = Field(
        None,
        description="A duration of ISO 8601 in whole numbers; years and months by the calendar",
        json_schema_extra=rule(REACH),
    )
    to: Target = Field(
        None, description="An instant, or `next` for whatever falls due next", json_schema_extra=rule(REACH)
    )


class DueView(ApiModel):
    """One thing that falls due."""

    at: Instant
    type: str = Field(description=f"One of {_KINDS}")
    subject: str | None = Field(description="Public id, id of a key, or an idempotency key")


class ClockView(ApiModel):
    """The sandbox's time."""

    now: Instant
    offset: int = Field(description="How many seconds ahead of real time")
    next: DueView | None = Field(description="What falls due next, if the clock can be moved that far")


class MoveView(ApiModel):
    """How far the clock went."""

    was: Instant
    now: Instant
    offset: int = Field(description="How many seconds ahead of real time")
    due: list[DueView] = Field(description="What fell due on the way, in order: the first hundred")
    due_total: int = Field(description="How many things fell due in all")


def _read(call: Call) -> dict[str, Any]:
    tenant = hold_tenant(call)
    upcoming = next_due(call.session, tenant)
    return {"now": tenant.clock.now(), "offset": tenant.clock_offset, "next": _show(upcoming) if upcoming else None}


def _move(call: Call) -> Done:
    tenant, body = hold_tenant(call), call.body
    if (body.advance is None) == (body.to is None):
        sentence = "Give either advance or to"
        raise ValidationFailed({"advance": sentence, "to": sentence})
    if body.advance is not None:
        move = advance(call.session, tenant, body.advance)
    elif body.to == NEXT:
        move = move_to_next(call.session, tenant)
    else:
        move = move_to(call.session, tenant, body.to)
    call.subject = tenant.public_id
    return Done(_show_move(move, tenant.clock_offset))


def _show_move(move: Move, offset: int) -> dict[str, Any]:
    due = [_show(item) for item in move.due]
    return {"was": move.was, "now": move.now, "offset": offset, "due": due, "due_total": move.total}


def _show(due: Due) -> dict[str, Any]:
    return {"at": due.at, "type": due.type, "subject": due.subject}


OPERATIONS: tuple[Operation, ...] = (
    sandbox_operation(
        "read_clock",
        "GET",
        "clock",
        summary="Read the clock",
        outcome="The sandbox's time",
        description="Your sandbox has a time of its own. Records, due dates, and the end of keys, tokens and "
        "idempotency keys go by it; limits and the log go by real time.",
        handle=_read,
        returns=ClockView,
        example={"now": "2026-11-21T09:12:44Z", "offset": 0, "next": None},
    ),
    sandbox_operation(
        "move_clock",
        "POST",
        "clock",
        summary="Move the clock",
        outcome="Clock moved",
        description=f"Moves the time of your sandbox on, up to {FURTHEST.days} days ahead of real time, and tells what "
        "fell due on the way. Nothing goes back but by restoring a snapshot or by a reset, which ends at real time. "
        "A key or a token may end by this, the one you call with included.",
        handle=_move,
        body=MoveBody,
        returns=MoveView,
        sample={"advance": "P3D"},
        locks_alone=True,
        example=Done(
            {
                "was": "2026-11-21T09:12:44Z",
                "now": "2026-11-24T09:12:44Z",
                "offset": 259_200,
                "due": [],
                "due_total": 0,
            }
        ),
    ),
)
