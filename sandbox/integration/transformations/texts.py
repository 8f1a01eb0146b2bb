"""Texts that a transformation is made of: sources, separators, formats."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic import WithJsonSchema as JsonSchema

from portal.api.schema import check_text, rule, text_type

Source = text_type(200, **rule("a parameter's name, or a path such as $.order.lines[0].sku"))
Separator = Annotated[
    str,
    StringConstraints(max_length=10),
    AfterValidator(check_text),
    JsonSchema({"type": "string", "maxLength": 10, **rule("no control characters")}),
]
DateFormat = text_type(40, **rule("made of YYYY, MM, DD, HH, mm, ss and what stands between them"))
