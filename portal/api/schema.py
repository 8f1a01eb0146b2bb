"""Field types of the API, and the sentences a caller reads when a field is wrong.

Types are strict: a string is never read as a number, nor a number as a string.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, TypeVar

import phonenumbers
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic import WithJsonSchema as JsonSchema

from portal.api.text_types import TEXT_PATTERN as TEXT_PATTERN
from portal.api.text_types import Code as Code
from portal.api.text_types import Email as Email
from portal.api.text_types import Line as Line
from portal.api.text_types import LongLine as LongLine
from portal.api.text_types import Name as Name
from portal.api.text_types import Paragraph as Paragraph
from portal.api.text_types import Phone as Phone
from portal.api.text_types import ShortName as ShortName
from portal.api.text_types import SurnameIfAny as SurnameIfAny
from portal.api.text_types import check_text as check_text
from portal.api.text_types import refuse as refuse
from portal.api.text_types import rule as rule
from portal.api.text_types import text_type as text_type
from portal.api.text_types import typed_line as typed_line
from portal.api.text_types import typed_paragraph as typed_paragraph
from portal.core.errors import ValidationFailed
from portal.core.ids import PUBLIC_ID
from portal.core.types import plain_number, shorten

COUNTRIES = frozenset(phonenumbers.SUPPORTED_REGIONS) - {"001"} | {"AQ", "BV", "GS", "HM", "PN", "TF", "UM"}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2})(\.\d+)?(?:[Zz]|([+-]\d{2}):?([0-5]\d))", re.ASCII)


class ApiModel(BaseModel):
    """A schema of the API. `read_only` names fields that answers carry and bodies must not."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)
    read_only: ClassVar[frozenset[str]] = frozenset(
        {"id", "public_id", "created_at", "updated_at", "version", "tenant", "tenant_id"}
    )


def _parse_country(value: str) -> str:
    if value not in COUNTRIES:
        raise refuse("{label} must be a two-letter country code of ISO 3166-1, in capitals")
    return value


def _parse_date(value: Any) -> dt.date:
    value = typed_line(value)
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            raise refuse("{label} is not a day of the calendar") from None
    raise refuse("{label} must be a date such as 2024-02-15")


def _parse_instant(value: Any) -> dt.datetime:
    """An instant of RFC 3339, in UTC. An offset may lack its colon; a fraction is cut after the microsecond."""
    value = typed_line(value)
    if isinstance(value, str) and (found := _INSTANT.fullmatch(value)):
        local, fraction, hours, minutes = found.groups()
        rest = (fraction or "")[:7] + (f"{hours}:{minutes}" if hours else "+00:00")
        try:
            return dt.datetime.fromisoformat(local.upper() + rest).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            raise refuse("{label} is not an instant of the calendar") from None
    raise refuse("{label} must be an instant such as 2024-01-15T10:00:00Z")


def _parse_number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise refuse("{label} must be a number")
    return Decimal(value)


def _whole_cents(value: Decimal) -> Decimal:
    return _at_most_places(value, 2, 12)


def _whole_mills(value: Decimal) -> Decimal:
    return plain_number(_at_most_places(value, 3, 9))


def _whole_rate(value: Decimal) -> Decimal:
    return shorten(_at_most_places(value, 4, 9), 2)


def _at_most_places(value: Decimal, places: int, digits: int) -> Decimal:
    if value.adjusted() >= digits:
        raise refuse("{label} is too large")
    if value != round(value, places):
        raise refuse(f"{{label}} may have {places} decimals at most")
    return round(value, places) + 0  # Adding nothing takes the sign off a negative zero.


def _parse_reference(value: Any) -> int | str:
    value = typed_line(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53:
        return value
    if isinstance(value, str) and PUBLIC_ID.match(value):
        return value
    raise refuse("{label} must be a record's id or public id")


Country = Annotated[
    str,
    BeforeValidator(typed_line),
    AfterValidator(_parse_country),
    JsonSchema({"type": "string", "pattern": "^[A-Z]{2}$", "examples": ["IN"], **rule("a country of ISO 3166-1")}),
]
Date = Annotated[dt.date, BeforeValidator(_parse_date), JsonSchema({"type": "string", "format": "date"})]
Instant = Annotated[dt.datetime, JsonSchema({"type": "string", "format": "date-time"})]
Moment = Annotated[dt.datetime, BeforeValidator(_parse_instant), JsonSchema({"type": "string", "format": "date-time"})]
_TWO_DECIMALS, _THREE_DECIMALS = rule("two decimals at most"), rule("three decimals at most")
_FOUR_DECIMALS = rule("four decimals at most")
"""Said in words: by `multipleOf`, validators that count in floats refuse 38.34 as no multiple of 0.01."""
_CENTS = {"maximum": 999_999_999_999.99, **_TWO_DECIMALS}
_MILLS = {"maximum": 999_999_999.999, **_THREE_DECIMALS}
_MONEY = JsonSchema({"type": "number", "examples": [1500.00]})


class Identity(ApiModel):
    """How a record is known; stands first in an answer."""

    id: int = Field(description="Counted within the tenant")
    public_id: str = Field(description="Global and unguessable")


class Stamps(ApiModel):
    """What the server keeps about a record; stands last in an answer."""

    created_at: Instant
    updated_at: Instant
    version: int = Field(description="Grows with every change")


class TelephoneView(ApiModel):
    """The telephone number as other systems dial it."""

    phone_e164: str | None = Field(None, description="The telephone number in E.164 form, if its country is known")


Money = Annotated[Decimal, BeforeValidator(_parse_number), AfterValidator(_whole_cents), _MONEY]
Price = Annotated[
    Decimal,
    BeforeValidator(_parse_number),
    Field(ge=0),
    AfterValidator(_whole_cents),
    JsonSchema({"type": "number", "minimum": 0, **_CENTS, "examples": [1500.00]}),
]
Amount = Annotated[
    Decimal,
    BeforeValidator(_parse_number),
    Field(gt=0),
    AfterValidator(_whole_cents),
    JsonSchema({"type": "number", "exclusiveMinimum": 0, **_CENTS, "examples": [1500.00]}),
]
Percentage = Annotated[
    Decimal,
    BeforeValidator(_parse_number),
    Field(ge=0, le=100),
    AfterValidator(_whole_rate),
    JsonSchema({"type": "number", "minimum": 0, "maximum": 100, **_FOUR_DECIMALS, "examples": [18.00]}),
]
Quantity = Annotated[
    Decimal,
    BeforeValidator(_parse_number),
    Field(gt=0),
    AfterValidator(_whole_mills),
    JsonSchema({"type": "number", "exclusiveMinimum": 0, **_MILLS, "examples": [1]}),
]
Level = Annotated[Decimal, JsonSchema({"type": "number", "minimum": 0, "examples": [40]})]
Difference = Annotated[
    Decimal,
    BeforeValidator(_parse_number),
    AfterValidator(_whole_mills),
    JsonSchema({"type": "number", "minimum": -999_999_999.999, **_MILLS, "examples": [-2]}),
]
Reference = Annotated[
    int | str,
    BeforeValidator(_parse_reference),
    JsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 2**53 - 1},
                {"type": "string", "pattern": PUBLIC_ID.pattern},
            ],
            "description": "The record's id or its public id",
            **rule("names a record of yours"),
        }
    ),
]

Model = TypeVar("Model", bound=ApiModel)

_SENTENCES: dict[str, str] = {
    "missing": "{label} is required",
    "extra_forbidden": "Unknown field",
    "greater_than": "{label} must be greater than {gt}",
    "greater_than_equal": "{label} must be at least {ge}",
    "less_than": "{label} must be less than {lt}",
    "less_than_equal": "{label} must be at most {le}",
    "string_too_short": "{label} must not be empty",
    "string_too_long": "{label} may have {max_length} characters at most",
    "string_type": "{label} must be a string",
    "string_unicode": "{label} contains characters that are not allowed",
    "int_type": "{label} must be a whole number",
    "bool_type": "{label} must be true or false",
    "list_type": "{label} must be a list",
    "dict_type": "{label} must be an object",
    "model_type": "{label} must be an object",
    "model_attributes_type": "{label} must be an object",
    "too_short": "{label} must have at least {min_length} entry",
    "too_long": "{label} may have {max_length} entries at most",
    "literal_error": "{label} must be one of {expected}",
    "string_pattern_mismatch": "{label} does not have the expected format",
    "sentence": "{message}",
}


def validate(model: type[Model], value: Any) -> Model:
    """Check `value` against `model`. Raises ValidationFailed with every bad field at once."""
    if not isinstance(value, dict):
        raise ValidationFailed({"body": "The body must be a JSON object"})
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise ValidationFailed(explain(error, model.read_only)) from None


def explain(error: ValidationError, read_only: frozenset[str] = frozenset()) -> dict[str, str]:
    """Dotted paths and sentences for the faults pydantic found."""
    errors: dict[str, str] = {}
    for fault in error.errors(include_url=False):
        path = [part for part in fault["loc"] if not _is_branch(part)]
        key = ".".join(str(part) for part in path) or "body"
        if fault["type"] == "extra_forbidden" and key in read_only:
            errors[key] = f"{label_of(path)} is read-only"
        else:
            errors.setdefault(key[:200], _sentence(dict(fault), label_of(path)))
    return errors


def label_of(path: list[Any]) -> str:
    """The last name of a path as a person would say it: `due_date` becomes `Due date`."""
    names = [part for part in path if isinstance(part, str)]
    return names[-1].replace("_", " ").capitalize()[:60] if names else "Body"


def _is_branch(part: int | str) -> bool:
    return part in {"int", "str", "constrained-str"} or (isinstance(part, str) and part.startswith("function-"))


def _sentence(fault: Mapping[str, Any], label: str) -> str:
    context = dict(fault.get("ctx") or {})
    message = str(context.pop("message", fault["msg"])).replace("{label}", label)
    template = _SENTENCES.get(fault["type"], "{message}")
    return template.format(label=label, message=message, **context)
