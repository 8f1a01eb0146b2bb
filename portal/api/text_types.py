"""Types of what people type: texts of one line and longer ones, addresses, telephone numbers (contract section 4).

Surrounding blanks and invisible characters that people paste along are cleaned before anything is checked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator, StringConstraints
from pydantic import WithJsonSchema as JsonSchema
from pydantic_core import PydanticCustomError

from portal.core.phones import FEWEST_DIGITS, MOST_DIGITS, read_phone
from portal.core.text import (
    FORBIDDEN,
    INVISIBLE,
    ISOLATES,
    clean_line,
    clean_paragraph,
    find_forbidden,
    has_too_many_marks,
)

TEXT_PATTERN = rf"^(?![\s{INVISIBLE}{ISOLATES}]*$)[^{FORBIDDEN}]*$"


def refuse(message: str) -> PydanticCustomError:
    """The error a field type raises; `{label}` in the sentence becomes the field's name."""
    return PydanticCustomError("sentence", "{message}", {"message": message})


def check_text(value: str) -> str:
    """Return a text that may be stored. Raises what names the first character that none may contain."""
    forbidden = find_forbidden(value)
    if forbidden is not None:
        raise refuse(f"{{label}} contains {forbidden}. Remove this character.")
    if has_too_many_marks(value):
        raise refuse("{label} contains too many combining marks in a row")
    return value


def typed_line(value: Any) -> Any:
    """Return what was typed into a field of one line, cleaned (contract section 4). Raises as `check_text` does."""
    return check_text(clean_line(value)) if isinstance(value, str) else value


def typed_paragraph(value: Any) -> Any:
    """Return what was typed into a longer field, cleaned (contract section 4). Raises as `check_text` does."""
    return check_text(clean_paragraph(value)) if isinstance(value, str) else value


def _parse_email(value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        raise refuse("Invalid email format") from None


def _parse_phone(value: str) -> str:
    try:
        read_phone(value)
    except ValueError:
        digits = f"{FEWEST_DIGITS} to {MOST_DIGITS} digits"
        raise refuse(f"Invalid phone number: use {digits}, with + and the country code where abroad") from None
    return value


def rule(text: str) -> dict[str, Any]:
    """What is checked of a field and no keyword of JSON Schema can say, for the API document (`x-rule`)."""
    return {"x-rule": text}


def text_type(longest: int, *, shortest: int = 1, typed: Callable[[Any], Any] = typed_line, **said: Any) -> Any:
    """A clean string of `shortest` to `longest` characters; `typed` cleans it, `said` goes into the API document."""
    limits = StringConstraints(min_length=shortest, max_length=longest)
    pattern = TEXT_PATTERN if shortest else f"^[^{FORBIDDEN}]*$"
    shown = {"type": "string", "minLength": shortest, "maxLength": longest, "pattern": pattern, **said}
    return Annotated[str, limits, BeforeValidator(typed), JsonSchema(shown)]


Code = text_type(40)
ShortName = text_type(80)
Name = text_type(120)
SurnameIfAny = text_type(120, shortest=0)
Line = text_type(200)
LongLine = text_type(2000)
Paragraph = text_type(5000, typed=typed_paragraph)
Email = Annotated[
    str,
    StringConstraints(min_length=1, max_length=254),
    BeforeValidator(typed_line),
    AfterValidator(_parse_email),
    JsonSchema({"type": "string", "format": "email", "maxLength": 254}),
]
Phone = Annotated[
    str,
    StringConstraints(min_length=1, max_length=32),
    BeforeValidator(typed_line),
    AfterValidator(_parse_phone),
    JsonSchema(
        {"type": "string", "maxLength": 32, **rule("a telephone number, with + and the country code if abroad")}
    ),
]
