"""What the running API document says of each operation, ready to be called: its sample, its ids, its references."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any
from urllib.parse import urlencode

from flask import Flask

from portal.docs.calls import fill_path
from tests.contract.breaking import inlined, operations_of

OWN = "names a record of yours"
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Described:
    """One operation of the document. Addresses are filled with the values of its sample."""

    method: str
    path: str
    says: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.says["operationId"])

    @property
    def body(self) -> Any:
        """The sample's body; a copy, to be changed at will."""
        return copy.deepcopy(self.says.get("x-sample"))

    @property
    def status(self) -> int:
        """The status of a success."""
        return next(int(status) for status in self.says["responses"] if status < "300")

    @property
    def path_names(self) -> list[str]:
        return [item["name"] for item in self.says["parameters"] if item["in"] == "path"]

    @cached_property
    def query(self) -> dict[str, Mapping[str, Any]]:
        """The schema of each query parameter."""
        return {item["name"]: item["schema"] for item in self.says["parameters"] if item["in"] == "query"}

    @cached_property
    def example(self) -> dict[str, Any]:
        """The parameters of its sample."""
        return {item["name"]: item["example"] for item in self.says["parameters"] if "example" in item}

    @cached_property
    def references(self) -> list[Place]:
        """Where its body refers to records: `("items", 0, "product_id")`."""
        media = self.says.get("requestBody", {"content": {}})["content"].values()
        return [place for content in media for place in references_in(content["schema"])]

    def has_rule(self, field: str) -> bool:
        """True where a field of its query or body, or what the field stands in, has a rule in words."""
        media = self.says.get("requestBody", {"content": {}})["content"].values()
        schemas = [{"properties": self.query}, *(content["schema"] for content in media)]
        return any(holds_rule(schema, field.split(".")) for schema in schemas)

    def address(self, tenant: str, query: Mapping[str, Any] | None = None, **values: Any) -> str:
        """Path and query of the sample, with `values` in its path and `query` besides."""
        known = {name: self.example.get(name, "") for name in self.path_names}
        if self.path.startswith("/api/tenants/"):
            known["id"] = tenant
        asked = {name: self.example[name] for name in self.query if name in self.example} | dict(query or {})
        path = fill_path(self.path, known | values)
        return f"{path}?{urlencode(asked)}" if asked else path


@cache
def document_of(app: Flask) -> dict[str, Any]:
    """The API document that the application publishes."""
    document: dict[str, Any] = app.test_client().get("/openapi.json").get_json()
    return document


@cache
def describe(app: Flask) -> list[Described]:
    """The operations of the running document, in its order."""
    document, found = document_of(app), []
    for route, operation in operations_of(document).items():
        method, path = route.split(" ")
        found.append(Described(method.upper(), path, inlined(operation, document)))
    return found


def holds_rule(schema: Mapping[str, Any], path: list[str]) -> bool:
    """True where a schema has a rule on the way down a dotted path."""
    if "x-rule" in schema or any(holds_rule(branch, path) for branch in schema.get("anyOf", ())):
        return True
    if not path:
        return False
    inside = schema.get("items") if path[0].isdigit() else schema.get("properties", {}).get(path[0])
    return inside is not None and holds_rule(inside, path[1:])


def references_in(schema: Mapping[str, Any], place: Place = ()) -> Iterator[Place]:
    """Where a schema refers to records; a list stands for its first entry."""
    if schema.get("x-rule") == OWN:
        yield place
        return
    for branch in schema.get("anyOf", ()):
        yield from references_in(branch, place)
    if "items" in schema:
        yield from references_in(schema["items"], (*place, 0))
    for name, field in schema.get("properties", {}).items():
        yield from references_in(field, (*place, name))


def put(body: Any, place: Place, value: Any) -> Any:
    """The body with `value` at `place`; what leads there is made where it is missing."""
    if not place:
        return value
    step, rest = place[0], place[1:]
    if isinstance(step, int):
        rows = body if isinstance(body, list) and body else [{}]
        return [put(rows[0], rest, value), *rows[1:]]
    return {**(body or {}), step: put((body or {}).get(step), rest, value)}
