"""Texts that a mapping is made of: sources, error codes, patterns, formats."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints
from pydantic import WithJsonSchema as JsonSchema

_ERROR_CODE = "^[A-Z][A-Z0-9_]{1,39}$"

SLUG = "^[a-z][a-z0-9-]{1,39}$"
ErrorCode = Annotated[str, StringConstraints(pattern=_ERROR_CODE)]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=300), JsonSchema({"type": "string"})]
Slug = Annotated[str, StringConstraints(pattern=SLUG), JsonSchema({"type": "string", "pattern": SLUG})]
"""A mapping's name in an address."""
