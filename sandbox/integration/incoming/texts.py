"""Texts that a mapping is made of: sources, error codes, patterns, formats."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, StringConstraints
from pydantic import WithJsonSchema as JsonSchema

from portal.api.schema import typed_line

_ERROR_CODE = "^[A-Z][A-Z0-9_]{1,39}$"

SLUG = "^[a-z][a-z0-9-]{1,39}$"
ErrorCode = Annotated[str, BeforeValidator(typed_line), StringConstraints(pattern=_ERROR_CODE)]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=300), JsonSchema({"type": "string"})]
Slug = Annotated[
    str, BeforeValidator(typed_line), StringConstraints(pattern=SLUG), JsonSchema({"type": "string", "pattern": SLUG})
]
"""A mapping's name in an address."""
