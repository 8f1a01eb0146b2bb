"""Example values made from a schema, for documents that give none of their own."""

from __future__ import annotations

from collections.abc import Mapping
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


def example_value(resolver: Resolver, schema: Schema, writing: bool = False) -> Any:
    """A value the schema allows, as far as its examples, defaults, choices and types tell."""
    return _value(resolver, schema, "readOnly" if writing else "writeOnly", frozenset(), 0)


def _value(resolver: Resolver, node: Schema, hidden: str, seen: frozenset[str], depth: int) -> Any:
    plain, seen = resolver.plain(node, seen)
    if (given := _given(plain)) is not None or depth > DEEPEST:
        return given
    for word in CHOICES:
        if plain.get(word):
            return _value(resolver, plain[word][0], hidden, seen, depth + 1)
    if plain.get("items"):
        return [_value(resolver, plain["items"], hidden, seen, depth + 1)]
    if isinstance(plain.get("properties"), Mapping):
        return {
            name: _value(resolver, child, hidden, seen, depth + 1)
            for name, child in plain["properties"].items()
            if not resolver.plain(child, seen)[0].get(hidden)
        }
    return _typed(plain)


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
