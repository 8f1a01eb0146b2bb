"""Texts that a mapping is made of: sources, error codes, patterns, formats."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic import WithJsonSchema as JsonSchema

from portal.api.schema import clean_text, rule, text_type

_ERROR_CODE = "^[A-Z][A-Z0-9_]{1,39}$"

SLUG = "^[a-z][a-z0-9-]{1,39}$"
Source = text_type(200, **rule("a parameter's name, or a path such as $.order.lines[0].sku"))
ErrorCode = Annotated[str, StringConstraints(pattern=_ERROR_CODE)]
Separator = Annotated[
    str,
    StringConstraints(max_length=10),
    AfterValidator(clean_text),
    JsonSchema({"type": "string", "maxLength": 10, **rule("no control characters")}),
]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=300), JsonSchema({"type": "string"})]
DateFormat = text_type(40, **rule("made of YYYY, MM, DD, HH, mm, ss and what stands between them"))
Slug = Annotated[str, StringConstraints(pattern=SLUG), JsonSchema({"type": "string", "pattern": SLUG})]
"""A mapping's name in an address."""
