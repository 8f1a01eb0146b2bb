"""What a mapping says, as a version keeps it: rows from parameters to fields, a rule for duplicates, its answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from portal.api.schema import ApiModel, Code, Difference, Line, ShortName, rule
from sandbox.integration.incoming.texts import ErrorCode, Pattern
from sandbox.integration.transformations.step import Step
from sandbox.integration.transformations.texts import DateFormat, Source

CheckKind = Literal["not_empty", "pattern", "email", "phone", "date", "range", "unique", "master"]
RowType = Literal["string", "number", "date", "date-time", "boolean", "list"]
Action = Literal["refuse", "update", "skip"]
MOST_ROWS = 60


class Check(ApiModel):
    """One check of a row. What it needs besides `kind` depends on the kind."""

    kind: CheckKind
    pattern: Pattern | None = Field(None, description="Of `pattern`: the whole value has to match it (RE2 syntax)")
    min: Difference | None = Field(None, description="Of `range`: the smallest number")
    max: Difference | None = Field(None, description="Of `range`: the largest number")
    master: ShortName | None = Field(None, description="Of `master`: its name; a code or a label of it has to be given")
    format: DateFormat | None = Field(None, description="Of `date`; YYYY-MM-DD when left out")
    code: ErrorCode | None = Field(None, description="The errorCode to answer with, such as INVALID_GST")
    message: Line | None = Field(None, description="The message to answer with")


class ItemRow(ApiModel):
    """From one parameter to one field: transformed in order, read as its type, then checked in order."""

    source: Source | None = Field(None, description="Where the value stands; none for a constant")
    field: Code = Field(description="The field of the ERP")
    type: RowType = "string"
    required: bool = False
    code: ErrorCode | None = Field(None, description="The errorCode where the value is missing or of another type")
    message: Line | None = Field(None, description="The message where the value is missing or of another type")
    transformations: list[Step] = Field(default=[], max_length=10)
    checks: list[Check] = Field(default=[], max_length=10)


class Row(ItemRow):
    """A row of the record itself; one of type list has rows of its own, read from each entry."""

    rows: list[ItemRow] = Field(default=[], max_length=30, description="Of type list: the rows of each entry")


class DuplicateRule(ApiModel):
    """What makes two records the same, and what is done with the second."""

    fields: Annotated[list[Code], Field(min_length=1, max_length=5)]
    action: Action = "refuse"


class AnswerRule(ApiModel):
    """What is answered to one outcome in place of the usual."""

    http_status: Annotated[int, Field(ge=200, le=499)] | None = None
    status: Annotated[str, StringConstraints(pattern="^[A-Za-z_]{1,20}$")] | None = Field(
        None, description="The status word"
    )
    error_code: ErrorCode | None = None
    message: Line | None = None


class AnswerRules(ApiModel):
    """Return-status rules: what each outcome is answered with."""

    created: AnswerRule | None = None
    updated: AnswerRule | None = None
    skipped: AnswerRule | None = None
    duplicate: AnswerRule | None = None
    failed: AnswerRule | None = None
    record_id: Code | None = Field(None, description="The field that is answered as recordId")


_WORKS = rule("works with the target; `check` tells everything that does not")


class Definition(ApiModel):
    """A whole mapping but for its name."""

    rows: Annotated[list[Row], Field(min_length=1, max_length=MOST_ROWS)] = Field(json_schema_extra=_WORKS)
    duplicates: DuplicateRule | None = Field(None, json_schema_extra=_WORKS)
    answers: AnswerRules = Field(default=AnswerRules(), json_schema_extra=_WORKS)


def stored(definition: Definition) -> dict[str, Any]:
    """The definition as JSON, with what was said only."""
    names = set(Definition.model_fields)
    return definition.model_dump(include=names, exclude_none=True)


def read_definition(document: dict[str, Any]) -> Definition:
    """A stored definition."""
    return Definition.model_validate(document)
