"""A call as a client makes it: what the samples in every language are written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from portal.docs.exact_json import compact

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `path` is already percent-encoded and without the query.

    `credential` is `bearer`, `basic`, `""` for none, or the name of a header that takes the key;
    `variable` is the environment's name for it.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    media_type: str = ""
    credential: str = "bearer"
    variable: str = "SLIPWAY_KEY"

    @property
    def target(self) -> str:
        """Path and query, percent-encoded: safe inside any quotes."""
        return f"{self.path}?{urlencode(self.query, quote_via=quote)}" if self.query else self.path

    @property
    def is_form(self) -> bool:
        return self.media_type.startswith(FORM)

    @property
    def is_json(self) -> bool:
        return self.body is not None and not isinstance(self.body, str) and not self.is_form


def fill_path(template: str, values: Mapping[str, Any]) -> str:
    """`/customers/{id}` with its places filled and everything unsafe percent-encoded."""
    parts = []
    for segment in template.split("/"):
        for name, value in values.items():
            segment = segment.replace("{" + name + "}", plain_text(value))
        parts.append(quote(segment, safe="@:+,;=~"))
    return "/".join(parts)


def plain_text(value: Any) -> str:
    """A value as it stands in an address: strings as they are, the rest as JSON."""
    return value if isinstance(value, str) else compact(value)
