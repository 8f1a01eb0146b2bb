"""Values read as the type a row wants, in the form in which the ERP's own bodies are checked."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from portal.api.schema import Date, Moment, check_text
from sandbox.integration.transformations.numbers import read_number
from sandbox.integration.transformations.steps import LONGEST, Unfit, as_text, is_number

_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_DATE: TypeAdapter[Any] = TypeAdapter(Date)
_MOMENT: TypeAdapter[Any] = TypeAdapter(Moment)


def read_as(kind: str, value: Any) -> Any:
    """The value as a row's type. Raises Unfit.

    Numbers may come as texts, and texts as numbers: forms and spreadsheets know nothing else.
    """
    return _KINDS[kind](value)


def _text(value: Any) -> str:
    text = as_text(value)
    if text is None:
        raise Unfit("{label} must be a text")
    if len(text) > LONGEST:
        raise Unfit(f"{{label}} may have {LONGEST} characters at most")
    try:
        return check_text(text)
    except PydanticCustomError as error:
        raise Unfit(error.message()) from None


def _number(value: Any) -> int | Decimal:
    """A JSON number as it is; a text in the form that JSON would write, leading zeros and a plus aside."""
    number = Decimal(value) if is_number(value) else _read_number(value)
    return int(number) if number == number.to_integral_value() else number


def _read_number(value: Any) -> Decimal:
    try:
        return read_number(value if isinstance(value, str) else "")
    except ValueError:
        raise Unfit("{label} must be a number such as 1234.50") from None


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = as_text(value)
    if text is None or text.strip().lower() not in _FLAGS:
        raise Unfit("{label} must be true or false")
    return _FLAGS[text.strip().lower()]


def _checked(adapter: TypeAdapter[Any], words: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        text = value.strip() if isinstance(value, str) else ""
        try:
            adapter.validate_python(text[:LONGEST])
        except ValidationError:
            raise Unfit(f"{{label}} must be {words}") from None
        return text

    return read


def _entries(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


_KINDS: dict[str, Callable[[Any], Any]] = {
    "string": _text,
    "number": _number,
    "boolean": _flag,
    "date": _checked(_DATE, "a date such as 2024-02-15"),
    "date-time": _checked(_MOMENT, "an instant such as 2024-01-15T10:00:00Z"),
    "list": _entries,
}
