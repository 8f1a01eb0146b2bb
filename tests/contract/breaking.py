"""What of an API document would break a caller of an earlier one.

A caller may rely on what he was told: every request he may send is still taken, every answer he gets still has
the shape he knows. So what a request may be must not shrink, and what an answer may be must not grow. More
operations, more answered fields, more refusals are no break: callers pass over what they do not know.
A new value of an answer's enumeration is one, since callers tell values apart; refusals are told apart by status.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
METHODS = ("get", "put", "post", "delete", "patch")
ACCESS = ("x-permission", "x-module", "x-plan", "x-public", "security")
FITS = (
    (("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), operator.le),
    (("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), operator.ge),
    (("pattern", "format", "multipleOf", "uniqueItems"), operator.eq),
)


def find_breaks(old: Schema, new: Schema) -> list[tuple[str, str]]:
    """Every break of document `new` against `old`: the operation or event, and what about it."""
    found = []
    for entries, compare in ((operations_of, _in_operation), (_events_of, _in_event)):
        present = entries(new)
        for key, before in entries(old).items():
            now = present.get(key)
            findings = ["removed"] if now is None else compare(inlined(before, old), inlined(now, new))
            found += [(before["operationId"], finding) for finding in findings]
    return list(dict.fromkeys(found))


def operations_of(document: Schema) -> dict[str, Schema]:
    """Each operation by method and path."""
    paths = document["paths"].items()
    return {f"{method} {path}": item[method] for path, item in paths for method in item if method in METHODS}


def _events_of(document: Schema) -> dict[str, Schema]:
    return {name: item["post"] for name, item in document.get("webhooks", {}).items()}


def inlined(value: Any, document: Schema) -> Any:
    """The value with every reference replaced by what it refers to."""
    if isinstance(value, list):
        return [inlined(item, document) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        target: Any = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return inlined({**target, **{key: item for key, item in value.items() if key != "$ref"}}, document)
    return {key: inlined(item, document) for key, item in value.items()}


def _in_event(old: Schema, new: Schema) -> Iterator[str]:
    before, after = (side["requestBody"]["content"]["application/json"]["schema"] for side in (old, new))
    return within("event", after, before, is_request=False)


def _in_operation(old: Schema, new: Schema) -> Iterator[str]:
    if new["operationId"] != old["operationId"]:
        yield f"operationId: now {new['operationId']}"
    yield from (f"{key}: {old.get(key)} became {new.get(key)}" for key in ACCESS if new.get(key) != old.get(key))
    lost = sorted(set(old.get("x-roles", ())) - set(new.get("x-roles", ())))
    yield from (f"x-roles: {role} lost" for role in lost)
    yield from _in_parameters(old.get("parameters", ()), new.get("parameters", ()))
    yield from _in_body(old.get("requestBody"), new.get("requestBody"))
    for status, answer in old["responses"].items():
        if status < "4":
            yield from _in_answer(f"answer {status}", answer, new["responses"].get(status))


def _in_parameters(old: list[Schema], new: list[Schema]) -> Iterator[str]:
    known, present = ({f"{item['in']}.{item['name']}": item for item in side} for side in (old, new))
    for place, parameter in present.items():
        if parameter.get("required") and not known.get(place, {}).get("required"):
            yield f"{place}: required"
    for place, parameter in known.items():
        if place not in present:
            yield f"{place}: removed"
        else:
            yield from within(place, parameter["schema"], present[place]["schema"], is_request=True)


def _in_body(old: Schema | None, new: Schema | None) -> Iterator[str]:
    if new and new.get("required") and not (old or {}).get("required"):
        yield "body: required"
    for mimetype, media in (old or {}).get("content", {}).items():
        now = (new or {}).get("content", {}).get(mimetype)
        if now is None:
            yield f"body: {mimetype} removed"
        else:
            yield from within("body", media["schema"], now["schema"], is_request=True)


def _in_answer(place: str, old: Schema, new: Schema | None) -> Iterator[str]:
    if new is None:
        yield f"{place}: removed"
        return
    yield from (f"{place}: header {name} removed" for name in old.get("headers", {}) if name not in new["headers"])
    for mimetype, media in old.get("content", {}).items():
        now = new.get("content", {}).get(mimetype)
        if now is None:
            yield f"{place}: {mimetype} removed"
        else:
            yield from within(place, now["schema"], media["schema"], is_request=False)


def within(place: str, small: Schema, big: Schema, *, is_request: bool) -> Iterator[str]:
    """What `small` allows and `big` does not. Of a request the old one must fit into the new, of an answer the new
    one into the old."""
    if "anyOf" in small or "anyOf" in big:
        for branch in small.get("anyOf", [small]):
            tries = [list(within(place, branch, other, is_request=is_request)) for other in big.get("anyOf", [big])]
            yield from min(tries, key=len)
        return
    kinds, allowed = _types(small), _types(big)
    if allowed and (not kinds or not all(_takes(allowed, kind) for kind in kinds)):
        yield f"{place}: type {' or '.join(kinds)} against {' or '.join(allowed)}"
        return
    yield from (f"{place}: {keyword}" for keyword in _left_out(small, big))
    yield from _in_members(place, small, big, is_request=is_request)
    if "items" in big:
        yield from within(f"{place}[]", small.get("items", {}), big["items"], is_request=is_request)


def _in_members(place: str, small: Schema, big: Schema, *, is_request: bool) -> Iterator[str]:
    ours, theirs = small.get("properties", {}), big.get("properties", {})
    old, new = (ours, theirs) if is_request else (theirs, ours)
    yield from (f"{place}.{name}: removed" for name in old if name not in new)
    for name in big.get("required", ()):
        if name not in small.get("required", ()) and name in new:
            yield f"{place}.{name}: {'required' if is_request else 'no longer certain'}"
    for name in old:
        if name in new:
            yield from within(f"{place}.{name}", ours[name], theirs[name], is_request=is_request)


def _types(schema: Schema) -> list[str]:
    kinds = schema.get("type", [])
    return kinds if isinstance(kinds, list) else [kinds]


def _takes(kinds: list[str], kind: str) -> bool:
    return kind in kinds or (kind == "integer" and "number" in kinds)


def _left_out(small: Schema, big: Schema) -> Iterator[str]:
    """The keywords by which `big` leaves out some of `small`."""
    ours, theirs = _values(small), _values(big)
    if theirs is not None and (ours is None or not ours <= theirs):
        yield "enum"
    for keywords, fits in FITS if ours is None else ():
        for keyword in keywords:
            if keyword in big and not (keyword in small and fits(small[keyword], big[keyword])):
                yield keyword
    if big.get("additionalProperties") is False and small.get("additionalProperties") is not False:
        yield "additionalProperties"


def _values(schema: Schema) -> set[str] | None:
    """The only values a schema allows, if it names them."""
    if "const" in schema:
        return {repr(schema["const"])}
    return {repr(value) for value in schema["enum"]} if "enum" in schema else None
