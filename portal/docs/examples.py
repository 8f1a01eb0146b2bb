"""Example values made from a schema, for documents that give none of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.docs.schema import CHOICES, DEEPEST, Resolver, Schema

FORMATS = {
    "date": "2024-01-15",
    "date-time": "2024-01-15T10:00:00Z",
    "email": "john@example.com",
    "uri": "https://example.com/",
    "uuid": "3f2b8c1e-6d0a-4f57-9a43-0c8f1f6f9b11",
}
TYPES: dict[str, Any] = {"string": "text", "integer": 1, "number": 1, "boolean": True, "null": None}


def example_value(
    resolver: Resolver, schema: Schema, writing: bool = False, known: Mapping[str, Any] | None = None
) -> Any:
    """A value the schema allows, as far as its examples, defaults, choices and types tell.

    `known` names plain values to prefer for fields without an example of their own.
    """
    maker = _Maker(resolver, "readOnly" if writing else "writeOnly", known or {})
    return maker.value(schema, frozenset(), 0)


def plain_values(example: Any) -> dict[str, Any]:
    """Every named text, number and truth value inside an example, the outermost first."""
    if isinstance(example, list | tuple):
        return plain_values(example[0]) if example else {}
    if not isinstance(example, Mapping):
        return {}
    found = {name: value for name, value in example.items() if not isinstance(value, Mapping | list | tuple)}
    for value in example.values():
        found = {**plain_values(value), **found}
    return found


@dataclass(frozen=True, slots=True)
class _Maker:
    resolver: Resolver
    hidden: str
    known: Mapping[str, Any]

    def value(self, node: Schema, seen: frozenset[str], depth: int) -> Any:
        plain, seen = self.resolver.plain(node, seen)
        if (given := _given(plain)) is not None or depth > DEEPEST:
            return given
        for word in CHOICES:
            if plain.get(word):
                return self.value(plain[word][0], seen, depth + 1)
        if plain.get("items"):
            return [self.value(plain["items"], seen, depth + 1)]
        if isinstance(plain.get("properties"), Mapping):
            return self.members(plain["properties"], seen, depth)
        return _typed(plain)

    def members(self, properties: Mapping[str, Schema], seen: frozenset[str], depth: int) -> dict[str, Any]:
        made = {}
        for name, node in properties.items():
            plain, _ = self.resolver.plain(node, seen)
            if plain.get(self.hidden):
                continue
            is_plain = not any(word in plain for word in ("properties", "items", *CHOICES))
            is_known = name in self.known and is_plain and _given(plain) is None
            made[name] = self.known[name] if is_known else self.value(node, seen, depth + 1)
        return made


def _given(plain: Schema) -> Any:
    if plain.get("examples") and isinstance(plain["examples"], list):
        return plain["examples"][0]
    if plain.get("enum"):
        return plain["enum"][0]
    return next((plain[word] for word in ("example", "const", "default") if word in plain), None)


def _typed(plain: Schema) -> Any:
    kind = plain.get("type")
    if isinstance(kind, list):
        kind = kind[0] if kind else None
    if kind == "string":
        return FORMATS.get(str(plain.get("format")), TYPES["string"])
    if kind in ("integer", "number"):
        return plain.get("minimum", TYPES[kind])
    if kind == "array":
        return []
    return TYPES.get(str(kind), {})
