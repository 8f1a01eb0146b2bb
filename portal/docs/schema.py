"""JSON Schema (2020-12, as OpenAPI 3.1 uses it) flattened into the rows a page shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from portal.docs.exact_json import compact

Schema = Mapping[str, Any]
Limit = tuple[str, str]

DEEPEST = 8
LONGEST_PATTERN = 40
LIMITS = (
    "minLength",
    "maxLength",
    "minimum",
    "exclusiveMinimum",
    "maximum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "pattern",
    "const",
)
CHOICES = ("anyOf", "oneOf")
NAMES = {str: "string", bool: "boolean", int: "integer", float: "number", Decimal: "number"}


@dataclass(frozen=True, slots=True)
class Property:
    """One row: a field of a body or an answer, with the fields inside it as `children`.

    `path` is dotted without array indexes (`items.amount`); `anchor` is the path behind the place it is
    shown at (`body.items.amount`). `default` and `example` are JSON text. `limits` pairs a JSON Schema
    keyword with its value, so that templates choose the words.
    """

    name: str
    path: str
    anchor: str
    type: str
    required: bool = False
    read_only: bool = False
    write_only: bool = False
    deprecated: bool = False
    description: str = ""
    values: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    default: str | None = None
    example: str | None = None
    children: tuple[Property, ...] = ()

    @property
    def facts(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What narrows the value, as pairs of a keyword and its values; the words are the templates'."""
        pairs: list[tuple[str, tuple[str, ...]]] = [(word, (value,)) for word, value in self.limits]
        pairs += [("enum", self.values)] if self.values else []
        pairs += [("default", (self.default,))] if self.default is not None else []
        pairs += [("example", (self.example,))] if self.example is not None else []
        pairs += [("readOnly", ())] if self.read_only else []
        pairs += [("writeOnly", ())] if self.write_only else []
        return tuple(pairs)

    def walk(self) -> list[Property]:
        """This row and every row below it, in reading order."""
        return [self, *(row for child in self.children for row in child.walk())]


class Resolver:
    """Follows `$ref` inside one document. Foreign references resolve to an empty schema."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.walked: dict[tuple[str, bool, str], tuple[Property, ...]] = {}

    def find(self, pointer: str) -> Schema:
        if not pointer.startswith("#"):
            return {}
        node: Any = self.document
        for part in unquote(pointer[1:]).split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(node, list):
                node = node[int(name)] if name.isdigit() and int(name) < len(node) else None
            else:
                node = node.get(name) if isinstance(node, Mapping) else None
        return node if isinstance(node, Mapping) else {}

    def follow(self, node: Schema | bool, seen: frozenset[str] = frozenset()) -> tuple[Schema, frozenset[str]]:
        """The node with its `$ref` replaced by what it names (siblings win), and the references followed."""
        if isinstance(node, bool):
            return {}, seen
        while "$ref" in node:
            pointer = str(node["$ref"])
            siblings = {key: value for key, value in node.items() if key != "$ref"}
            if pointer in seen:
                return {"title": pointer.rsplit("/", 1)[-1], **siblings, "x-seen": True}, seen
            seen = seen | {pointer}
            node = {**self.find(pointer), **siblings}
        return node, seen

    def plain(self, node: Schema, seen: frozenset[str] = frozenset()) -> tuple[Schema, frozenset[str]]:
        """The node without references, `allOf`, or choices that only add null (`x-null` marks those)."""
        node, seen = self.follow(node, seen)
        if "allOf" in node:
            node, seen = self._merged(node, seen)
        for word in CHOICES:
            if word in node:
                node, seen = self._without_null(node, word, seen)
        kinds = node.get("type")
        if isinstance(kinds, list):
            rest = [kind for kind in kinds if kind != "null"]
            node = {**node, "type": rest[0] if len(rest) == 1 else rest, "x-null": len(rest) < len(kinds)}
        return node, seen

    def _merged(self, node: Schema, seen: frozenset[str]) -> tuple[Schema, frozenset[str]]:
        merged: dict[str, Any] = {}
        own = {key: value for key, value in node.items() if key != "allOf"}
        for part in [*node["allOf"], own]:
            plain, seen = self.plain(part, seen)
            properties = {**merged.get("properties", {}), **plain.get("properties", {})}
            required = [*merged.get("required", []), *plain.get("required", [])]
            merged = {**merged, **plain}
            if properties:
                merged["properties"] = properties
            if required:
                merged["required"] = required
        return merged, seen

    def _without_null(self, node: Schema, word: str, seen: frozenset[str]) -> tuple[Schema, frozenset[str]]:
        options = [option for option in node[word] if option is True or option.get("type") != "null"]
        rest = {key: value for key, value in node.items() if key != word}
        if len(options) < len(node[word]):
            rest["x-null"] = True
        if len(options) != 1:
            return {**rest, word: options}, seen
        plain, seen = self.plain(options[0], seen)
        return {**plain, **rest}, seen


def type_words(resolver: Resolver, node: Schema, seen: frozenset[str] = frozenset()) -> str:
    """What a program would call the type: `string (date)`, `array of object`, `integer or string`."""
    plain, seen = resolver.plain(node, seen)
    words = _bare_type(resolver, plain, seen)
    return f"{words} or null" if plain.get("x-null") else words


def _bare_type(resolver: Resolver, plain: Schema, seen: frozenset[str]) -> str:
    for word in CHOICES:
        if word in plain:
            kinds = [type_words(resolver, option, seen) for option in plain[word]]
            return " or ".join(dict.fromkeys(kinds)) or "any"
    kind = plain.get("type")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array" or (kind is None and "items" in plain):
        return f"array of {type_words(resolver, plain.get('items', {}), seen)}"
    if kind is None:
        return _guessed_type(plain)
    return f"{kind} ({plain['format']})" if "format" in plain else str(kind)


def _guessed_type(plain: Schema) -> str:
    if "properties" in plain or "additionalProperties" in plain:
        return "object"
    if plain.get("x-seen"):
        return f"object ({plain['title']}, as above)"
    values = plain.get("enum", [plain["const"]] if "const" in plain else [])
    kinds = {NAMES.get(type(value), "any") for value in values}
    return kinds.pop() if len(kinds) == 1 else "any"


def rows(resolver: Resolver, schema: Schema, place: str, writing: bool) -> tuple[Property, ...]:
    """The fields of a body or answer as nested rows.

    `place` opens every anchor (`body`, `200`). When `writing`, read-only fields are left out; otherwise
    write-only ones are. Most answers of a document share a few schemas, which are walked once.
    """
    key = (place, writing, compact(schema))
    if key not in resolver.walked:
        walk = _Walk(resolver, place, "readOnly" if writing else "writeOnly")
        resolver.walked[key] = _children(walk, schema, "", frozenset(), 0)
    return resolver.walked[key]


@dataclass(frozen=True, slots=True)
class _Walk:
    resolver: Resolver
    place: str
    hidden: str


def _children(walk: _Walk, node: Schema, path: str, seen: frozenset[str], depth: int) -> tuple[Property, ...]:
    plain, seen = walk.resolver.plain(node, seen)
    if depth > DEEPEST:
        return ()
    if plain.get("items"):
        return _children(walk, plain["items"], path, seen, depth + 1)
    found = [
        _row(walk, name, child, _join(path, name), name in plain.get("required", ()), seen, depth)
        for name, child in plain.get("properties", {}).items()
    ]
    extra = plain.get("additionalProperties")
    if isinstance(extra, Mapping) and extra:
        found.append(_row(walk, "*", extra, _join(path, "*"), False, seen, depth))
    return tuple(row for row in [*found, *_options(walk, plain, path, seen, depth)] if row is not None)


def _options(walk: _Walk, plain: Schema, path: str, seen: frozenset[str], depth: int) -> list[Property | None]:
    """One row for each object a field may be, named by its title."""
    options = [option for word in CHOICES for option in plain.get(word, ())]
    shapes = [walk.resolver.plain(option, seen)[0] for option in options]
    return [
        _row(walk, name, option, _join(path, name), False, seen, depth)
        for number, (option, shape) in enumerate(zip(options, shapes, strict=True), 1)
        if "properties" in shape and (name := str(shape.get("title", number)).replace(" ", ""))
    ]


def _row(
    walk: _Walk, name: str, node: Schema, path: str, required: bool, seen: frozenset[str], depth: int
) -> Property | None:
    plain, inside = walk.resolver.plain(node, seen)
    if plain.get(walk.hidden):
        return None
    item = walk.resolver.plain(plain["items"], inside)[0] if plain.get("items") else {}
    return Property(
        name=name,
        path=path,
        anchor=_join(walk.place, path),
        type=type_words(walk.resolver, node, seen),
        required=required,
        read_only=bool(plain.get("readOnly")),
        write_only=bool(plain.get("writeOnly")),
        deprecated=bool(plain.get("deprecated")),
        description=in_words(plain, str(plain.get("description", ""))),
        values=allowed_values(plain) or allowed_values(item),
        limits=limits(plain),
        default=compact(plain["default"]) if plain.get("default") is not None else None,
        example=first_example(plain),
        children=_children(walk, node, path, seen, depth + 1),
    )


def limits(plain: Schema) -> tuple[Limit, ...]:
    """The keywords that narrow a value, with their values as text. A long pattern tells people nothing."""
    shown = ((word, _as_text(plain[word])) for word in LIMITS if word in plain)
    return tuple((word, value) for word, value in shown if word != "pattern" or len(value) <= LONGEST_PATTERN)


def in_words(plain: Schema, description: str) -> str:
    """The description, and the rule that no keyword can say."""
    return "; ".join(part for part in (description, str(plain.get("x-rule", ""))) if part)


def allowed_values(plain: Schema) -> tuple[str, ...]:
    """The values of an enumeration; strings as they are, the rest as JSON."""
    return tuple(_as_text(value) for value in plain.get("enum", ()))


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else compact(value)


def first_example(plain: Schema) -> str | None:
    """The first example a schema gives, as JSON text."""
    examples = plain.get("examples") or ([plain["example"]] if "example" in plain else [])
    return compact(examples[0]) if isinstance(examples, list) and examples else None


def _join(path: str, name: str) -> str:
    anchor = f"{path}.{name}" if path else name
    return anchor.replace(" ", "-")
