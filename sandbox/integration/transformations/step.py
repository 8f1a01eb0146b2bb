"""One transformation as a mapping says it, the same for what comes in and what goes out."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from portal.api.schema import ApiModel, Line, ShortName
from sandbox.integration.transformations.texts import DateFormat, Separator, Source

StepKind = Literal["trim", "case", "date_format", "number_format", "default", "constant", "lookup", "join"]


class Step(ApiModel):
    """One transformation of a row. What it needs besides `kind` depends on the kind."""

    kind: StepKind
    case: Literal["upper", "lower", "title"] | None = Field(None, description="Of `case`")
    format: DateFormat | None = Field(
        None,
        description="Of `date_format`: such as DD/MM/YYYY. An incoming mapping reads the date by it, an outgoing one "
        "writes it",
    )
    zone: ShortName | None = Field(
        None,
        description="Of `date_format`: the other system's time zone. The tenant's if left out",
    )
    decimal: Literal[".", ","] | None = Field(None, description="Of `number_format`: the decimal mark, read or written")
    thousands: Literal[".", ",", " ", "'"] | None = Field(
        None, description="Of `number_format`: the mark between groups of digits"
    )
    value: Line | None = Field(None, description="Of `default` and `constant`: the value; of `lookup`: for all others")
    table: dict[str, Line] | None = Field(None, max_length=200, description="Of `lookup`: from what comes to what is")
    sources: list[Source] | None = Field(
        None,
        max_length=10,
        description="Of `join`: what is joined to the value, such as a path, or a field of the record",
    )
    separator: Separator | None = Field(None, description="Of `join`; a space when left out")

    def in_zone(self, zone: str) -> Step:
        """Return the step for a tenant of this time zone, in which a date without a zone of its own is told."""
        is_local = self.kind == "date_format" and self.zone is None
        return self.model_copy(update={"zone": zone}) if is_local else self
