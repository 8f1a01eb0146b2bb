"""Batch: many records of one resource in one call, with an outcome for each row (contract section 5)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Field, create_model
from pydantic import WithJsonSchema as JsonSchema
from pydantic.json_schema import SkipJsonSchema
from pydantic_core.core_schema import CoreSchema, any_schema

from portal.api.operation import Call, Done, Operation
from portal.api.registrar import create_record
from portal.api.resource import Resource
from portal.api.schema import ApiModel, refuse, rule, validate
from portal.core.errors import DomainError, Duplicate, ValidationFailed
from portal.core.session import TenantSession

MOST_ROWS = 500
BODY_LIMIT = 5 * 1024 * 1024
STATUSES = ("created", "failed", "duplicate")
_ITSELF = "row"
_LEFT_OUT = {"failed": "failed", "duplicate": "were there already"}

Outcome = dict[str, Any]


def _parse_flag(value: Any) -> bool:
    if value not in {"true", "false"}:
        raise refuse("{label} must be true or false")
    return bool(value == "true")


Flag = Annotated[bool, BeforeValidator(_parse_flag), JsonSchema({"type": "boolean"})]


@dataclass(frozen=True)
class _Row:
    """Any value, since rows are checked one by one; the API document shows what `model` takes."""

    model: type[ApiModel]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return any_schema()

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        return {"anyOf": [handler(self.model.__pydantic_core_schema__), {}]}


class BatchQuery(ApiModel):
    """How a batch is carried out."""

    atomic: Flag = Field(False, description="All or nothing: with one bad row, nothing is written")


class OutcomeView(ApiModel):
    """What became of one row."""

    row: int = Field(description="The row's place, from 0")
    status: Literal["created", "failed", "duplicate"]
    id: int | SkipJsonSchema[None] = Field(None, description="The new record's")
    public_id: str | SkipJsonSchema[None] = Field(None, description="The new record's")
    errors: dict[str, str] | SkipJsonSchema[None] = Field(None, description="What is wrong with which field of the row")
    code: str | SkipJsonSchema[None] = Field(None, description="Why the row failed, from the list of codes")
    message: str | SkipJsonSchema[None] = Field(None, description="The same in a sentence")
    existing_id: int | SkipJsonSchema[None] = Field(None, description="The record that already holds the value")


class BatchView(ApiModel):
    """A batch carried out: an outcome for each row, in the order of the rows."""

    outcomes: list[OutcomeView]
    created: int = Field(description="Rows that made a record")
    failed: int = Field(description="Rows that were refused")
    duplicate: int = Field(description="Rows that were there already")
    charged: int = Field(description="Requests counted against the hourly limit: one, whatever the number of rows")


def batch(resource: Resource) -> Operation:
    """The operation that creates many records of `resource`, each as its `create` would."""
    return Operation(
        id=f"batch.{resource.name}",
        method="POST",
        path=f"/api/v2/batch/{resource.name}",
        summary=f"Create many {resource.name}",
        outcome="Batch carried out",
        description=_describe(resource),
        permission=f"{resource.module}:write",
        handle=lambda call: _carry_out(resource, call),
        query=BatchQuery,
        body=_body(resource),
        body_limit=BODY_LIMIT,
        returns=BatchView,
        sample={resource.name: [dict(resource.sample or {})]},
        locks_alone=True,
    )


def _body(resource: Resource) -> type[ApiModel]:
    assert resource.accepts is not None
    about = f"Each as `POST {resource.base_path}` takes it"
    rows = Annotated[
        list[Annotated[Any, _Row(resource.accepts)]],
        Field(
            min_length=1,
            max_length=MOST_ROWS,
            description=about,
            json_schema_extra=rule("with atomic=true all are good"),
        ),
    ]
    fields: dict[str, Any] = {resource.name: (rows, ...)}
    return cast(type[ApiModel], create_model(f"{resource.singular.title()}Batch", __base__=ApiModel, **fields))


def _describe(resource: Resource) -> str:
    assert resource.accepts is not None
    field = next(iter(resource.accepts.model_fields))
    return (
        f"Takes 1 to {MOST_ROWS} rows, each as `POST {resource.base_path}` takes it, in a body of 5 MiB at most. The "
        "answer has an outcome for each row, in order: created, failed with its errors, or duplicate. A bad row harms "
        f"no other; with `atomic=true` it stops them all, every bad row is named, as in `{resource.name}.3.{field}`, "
        "and nothing is written. A batch counts as one request against the hourly limit, whatever the number of rows."
    )


def _carry_out(resource: Resource, call: Call) -> Done:
    rows = getattr(call.body, resource.name)
    outcomes = [{"row": place, **_try_row(resource, call.session, row)} for place, row in enumerate(rows)]
    if call.query.atomic:
        _refuse_bad(resource.name, outcomes)
    found = Counter(outcome["status"] for outcome in outcomes)
    counts = {status: found[status] for status in STATUSES}
    return Done({"outcomes": outcomes, **counts, "charged": 1}, remark=_remark(counts))


def _remark(counts: dict[str, int]) -> str:
    """What to say where not every row made a record."""
    left_out = [f"{counts[status]} {words}" for status, words in _LEFT_OUT.items() if counts[status]]
    return f"Of {sum(counts.values())} rows {' and '.join(left_out)}; see the outcomes." if left_out else ""


def _try_row(resource: Resource, session: TenantSession, row: Any) -> Outcome:
    """Create the row's record, or leave no trace of it and say why."""
    noted = len(session.changes)
    try:
        body = _read_row(resource, row)
        with session.begin_nested():
            data = create_record(resource, session, body)
    except DomainError as refused:
        if refused.status >= 500:
            raise
        del session.changes[noted:]
        return _explain(refused)
    return {"status": "created", "id": data["id"], "public_id": data["public_id"]}


def _read_row(resource: Resource, row: Any) -> ApiModel:
    assert resource.accepts is not None
    if not isinstance(row, dict):
        raise ValidationFailed({_ITSELF: "A row must be a JSON object"})
    return validate(resource.accepts, row)


def _explain(refused: DomainError) -> Outcome:
    if isinstance(refused, Duplicate):
        return {"status": "duplicate", **refused.extra}
    errors = {"errors": refused.extra["errors"]} if "errors" in refused.extra else {}
    return {"status": "failed", **errors, "code": refused.code, "message": refused.message}


def _refuse_bad(noun: str, outcomes: list[Outcome]) -> None:
    """Raises ValidationFailed naming everything wrong in every row that was not created."""
    errors = {}
    for outcome in outcomes:
        if outcome["status"] != "created":
            place = f"{noun}.{outcome['row']}"
            for field, sentence in (outcome.get("errors") or {_ITSELF: outcome["message"]}).items():
                errors[place if field == _ITSELF else f"{place}.{field}"] = sentence
    if errors:
        raise ValidationFailed(errors)
