"""Checks of a value after it was read as its type (contract section 7). Whether it is unique is asked of the target."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError

from portal.api.schema import Email, Phone
from portal.core.session import TenantSession
from sandbox.integration.incoming.definition import Check
from sandbox.integration.incoming.patterns import matches
from sandbox.integration.transformations.dates import read_date
from sandbox.integration.transformations.steps import as_text, is_empty
from sandbox.resources.masters import exists_in_master

_EMAIL: TypeAdapter[Any] = TypeAdapter(Email)
_PHONE: TypeAdapter[Any] = TypeAdapter(Phone)
_LONGEST_NAME = 200

Holds = Callable[[TenantSession, Check, Any], bool]


def passes(session: TenantSession, check: Check, value: Any) -> bool:
    """True where the value passes the check. What was not sent passes all but `not_empty`."""
    if check.kind == "not_empty":
        return not is_empty(value)
    return is_empty(value) or _CHECKS[check.kind][0](session, check, value)


def default_code(check: Check) -> str:
    """The errorCode of a check that has none of its own."""
    return "MISSING_FIELD" if check.kind == "not_empty" else _CHECKS[check.kind][1]


def default_message(check: Check) -> str:
    """The message of a check that has none of its own, with `{label}` for the value's name."""
    if check.kind == "not_empty":
        return "{label} is required"
    if check.kind == "range":
        return _range_in_words(check)
    return _CHECKS[check.kind][2].replace("{master}", check.master or "")


def _is_accepted(adapter: TypeAdapter[Any]) -> Holds:
    def holds(session: TenantSession, check: Check, value: Any) -> bool:
        try:
            adapter.validate_python(value)
        except ValidationError:
            return False
        return True

    return holds


def _is_date(session: TenantSession, check: Check, value: Any) -> bool:
    try:
        read_date(str(value), check.format or "YYYY-MM-DD")
    except ValueError:
        return False
    return True


def _is_in_range(session: TenantSession, check: Check, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False
    return (check.min is None or value >= check.min) and (check.max is None or value <= check.max)


def _is_in_master(session: TenantSession, check: Check, value: Any) -> bool:
    text = as_text(value)
    return text is not None and len(text) <= _LONGEST_NAME and exists_in_master(session, check.master or "", text)


def _matches(session: TenantSession, check: Check, value: Any) -> bool:
    text = as_text(value)
    return text is not None and matches(check.pattern or "", text)


def _range_in_words(check: Check) -> str:
    if check.min is not None and check.max is not None:
        return f"{{label}} must be from {check.min:f} to {check.max:f}"
    return f"{{label}} must be {'at least' if check.max is None else 'at most'} {check.min or check.max or 0:f}"


_CHECKS: dict[str, tuple[Holds, str, str]] = {
    "pattern": (_matches, "INVALID_FORMAT", "{label} does not have the expected format"),
    "email": (_is_accepted(_EMAIL), "INVALID_EMAIL", "{label} is not an e-mail address"),
    "phone": (_is_accepted(_PHONE), "INVALID_PHONE", "{label} is not a phone number"),
    "date": (_is_date, "INVALID_DATE", "{label} is not a date of the expected form"),
    "range": (_is_in_range, "OUT_OF_RANGE", ""),
    "master": (_is_in_master, "NOT_IN_MASTER", "{label} is not in the master {master}"),
    "unique": (lambda session, check, value: True, "DUPLICATE", "{label} is taken by another record"),
}
