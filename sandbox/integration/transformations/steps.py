"""Transformations of a value, each in order, before it is read as its type (contract section 7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from sandbox.integration.transformations.dates import ClockChange, read_date, write_date
from sandbox.integration.transformations.numbers import example_of, read_number, write_number
from sandbox.integration.transformations.sources import MISSING, find_value
from sandbox.integration.transformations.step import Step

LONGEST = 5000
"""Characters that a value may have: the ERP keeps no longer text."""
_CASES: dict[str, Callable[[str], str]] = {"upper": str.upper, "lower": str.lower, "title": str.title}


class Unfit(ValueError):
    """A value that cannot be what the row wants; says what is wrong, with `{label}` for its name."""


def transform(value: Any, steps: list[Step], record: Any) -> Any:
    """The value after every step. Raises Unfit."""
    for step in steps:
        value = _STEPS[step.kind](value, step, record)
    return value


def transform_out(value: Any, steps: Sequence[Step], record: Any) -> Any:
    """The value after every step, on its way out: dates and numbers are written in the form that is read on the way in.

    `value` and what `record` holds are texts and numbers; dates and instants are as the API writes them. Raises Unfit.
    """
    for step in steps:
        value = _STEPS_OUT[step.kind](value, step, record)
    return value


def is_empty(value: Any) -> bool:
    """True for what was not sent: missing, null, or a text of nothing but white space."""
    return value is MISSING or value is None or (isinstance(value, str) and not value.strip())


def is_number(value: Any) -> bool:
    """True for what JSON wrote as a number."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def as_text(value: Any) -> str | None:
    """A text or a number as text; None for anything else."""
    if isinstance(value, str):
        return value
    if is_number(value):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    return None


def _on_text(change: Callable[[str, Step], Any]) -> Callable[[Any, Step, Any], Any]:
    """A step that changes texts and leaves alone what was not sent."""

    def apply(value: Any, step: Step, record: Any) -> Any:
        if is_empty(value):
            return value
        text = as_text(value)
        if text is None:
            raise Unfit("{label} must be a text or a number")
        if len(text) > LONGEST:
            raise Unfit(f"{{label}} may have {LONGEST} characters at most")
        return change(text, step)

    return apply


def _read_date(text: str, step: Step) -> str:
    try:
        return read_date(text.strip(), step.format or "YYYY-MM-DD", step.zone)
    except ClockChange as told:
        raise Unfit(f"{{label}} {told}") from None
    except ValueError:
        raise Unfit(f"{{label}} must be a date as {step.format}") from None


def _read_number(text: str, step: Step) -> Decimal:
    marks = (step.decimal or ".", step.thousands)
    try:
        return read_number(text, *marks)
    except ValueError:
        raise Unfit(f"{{label}} must be a number such as {example_of(*marks)}") from None


def _write_date(text: str, step: Step) -> str:
    try:
        return write_date(text.strip(), step.format or "YYYY-MM-DD", step.zone)
    except ValueError:
        raise Unfit(f"{{label}} cannot be written as a date {step.format}") from None


def _write_number(text: str, step: Step) -> str:
    try:
        return write_number(read_number(text), step.decimal or ".", step.thousands)
    except ValueError:
        raise Unfit("{label} is not a number") from None


def _unless_number(apply: Callable[[Any, Step, Any], Any]) -> Callable[[Any, Step, Any], Any]:
    """A step that takes a JSON number as it is."""
    return lambda value, step, record: value if is_number(value) else apply(value, step, record)


def _look_up(value: Any, step: Step, record: Any) -> Any:
    text = as_text(value)
    table = step.table or {}
    if text is not None and text.strip() in table:
        return table[text.strip()]
    if step.value is not None:
        return step.value
    if is_empty(value):
        return value
    raise Unfit("{label} is not in the lookup table")


def _join(value: Any, step: Step, record: Any) -> Any:
    parts = [value, *(find_value(record, source) for source in step.sources or ())]
    texts = [as_text(part) for part in parts if not is_empty(part)]
    if any(text is None or len(text) > LONGEST for text in texts):
        raise Unfit("{label} can be joined of texts and numbers only")
    separator = " " if step.separator is None else step.separator
    return separator.join(text.strip() for text in texts if text is not None) if texts else MISSING


_STEPS: dict[str, Callable[[Any, Step, Any], Any]] = {
    "trim": lambda value, step, record: value.strip() if isinstance(value, str) else value,
    "case": _unless_number(_on_text(lambda text, step: _CASES[step.case or "upper"](text))),
    "date_format": _on_text(_read_date),
    "number_format": _unless_number(_on_text(_read_number)),
    "default": lambda value, step, record: step.value if is_empty(value) else value,
    "constant": lambda value, step, record: step.value,
    "lookup": _look_up,
    "join": _join,
}
_STEPS_OUT = _STEPS | {"date_format": _on_text(_write_date), "number_format": _on_text(_write_number)}
