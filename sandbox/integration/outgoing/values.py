"""From a field's value to a parameter's: String, Number, Date or Boolean, as JSON carries it."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sandbox.integration.outgoing.sources import Kind
from sandbox.integration.transformations.dates import in_zone

Type = Literal["String", "Number", "Date", "Boolean"]
RowType = Literal["String", "Number", "Date", "Boolean", "List"]
LIST = "List"
"""The type of a row that sends a list of the record, with rows of its own for each entry."""
FITTING: dict[Type, frozenset[Kind]] = {
    "String": frozenset({"text", "number", "date", "instant", "flag"}),
    "Number": frozenset({"number", "text"}),
    "Date": frozenset({"date", "instant"}),
    "Boolean": frozenset({"flag"}),
}
"""The kinds of field that each type of parameter can be made of."""
_TOKENS = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_TOKEN = re.compile("|".join(_TOKENS))
_OF_TIME = re.compile("HH|mm|ss")
FORMAT_PATTERN = "^(YYYY|YY|MM|DD|HH|mm|ss|[-/.: ,T])+$"
_FORMAT = re.compile(FORMAT_PATTERN)
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,10})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Unfit(Exception):
    """A value that cannot be what the parameter is to be; `text` ends a sentence about it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def wrong_format(format_: str, kind: Kind) -> str | None:
    """What is wrong with a date's format; None where it can be used."""
    if not _FORMAT.fullmatch(format_) or not _TOKEN.search(format_):
        return "Format is made of YYYY, YY, MM, DD, HH, mm, ss and the signs - / . : , T between them"
    if kind == "date" and _OF_TIME.search(format_):
        return "Format asks for the time of day, which this field does not have"
    return None


def read_constant(text: str, type_: Type) -> Any:
    """A constant as a value of the type. Raises Unfit."""
    if type_ == "Boolean":
        if text not in {"true", "false"}:
            raise Unfit("must be true or false")
        return text == "true"
    if type_ == "Date":
        return _read_date(text)
    return _read_number(text) if type_ == "Number" else text


def convert(value: Any, type_: Type, format_: str | None, zone: ZoneInfo) -> Any:
    """A field's value as the parameter carries it. Instants with a format are told in `zone`. Raises Unfit.

    Numbers stay exact. Without a format a date is `2024-01-15`, an instant RFC 3339 in UTC.
    """
    if type_ == "Number":
        return value if isinstance(value, int | Decimal) else _read_number(str(value))
    if type_ == "Boolean":
        return read_constant(value, type_) if isinstance(value, str) else bool(value)
    if type_ == "Date" and format_:
        return _write_date(_read_moment(value) if isinstance(value, str) else value, format_, zone)
    return as_text(value)


def plain(value: Any) -> Any:
    """Return a field's value as transformations take it: a text or a number, None for no value."""
    if value is None or (isinstance(value, int | Decimal) and not isinstance(value, bool)):
        return value
    return as_text(value)


def _write_date(value: dt.date, format_: str, zone: ZoneInfo) -> str:
    try:
        local = in_zone(value, zone) if isinstance(value, dt.datetime) else value
        return local.strftime(_TOKEN.sub(lambda token: _TOKENS[token[0]], format_))
    except (OverflowError, ValueError):
        raise Unfit("lies outside the years 1 to 9999 in the tenant's time zone") from None


def as_text(value: Any) -> str:
    """Return a field's value as a parameter of type String carries it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _read_moment(text: str) -> dt.date:
    """A date or an instant from a text that transformations made."""
    try:
        return dt.datetime.fromisoformat(text) if "T" in text else dt.date.fromisoformat(text)
    except ValueError:
        raise Unfit("is not a date such as 2024-02-15") from None


def _read_number(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text.strip()):
        raise Unfit("is not a number")
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        raise Unfit("is not a number") from None


def _read_date(text: str) -> dt.date:
    try:
        if _DATE.fullmatch(text):
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    raise Unfit("must be a date such as 2024-02-15")
