"""Reading any OpenAPI 3.1 document into a Reference."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from portal.docs.announced import Event
from portal.docs.calls import Call, fill_path, plain_text
from portal.docs.credentials import Credential, read_credential, shown_in_samples
from portal.docs.exact_json import compact, pretty
from portal.docs.examples import example_value, plain_values
from portal.docs.reference import Answer, Body, Chapter, Example, Group, Operation, Reference
from portal.docs.schema import (
    Property,
    Resolver,
    Schema,
    allowed_values,
    first_example,
    in_words,
    limits,
    rows,
    type_words,
)

METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
PLACES = ("path", "query", "header", "cookie")
UNTAGGED = "other"


def read_reference(document: Mapping[str, Any]) -> Reference:
    """Read an OpenAPI 3.1 document. What it leaves out is filled from what it has."""
    reader = _Reader(document)
    operations = _with_own_slugs(reader.operations())
    groups = _groups(document, operations)
    info = document.get("info", {})
    return Reference(
        title=str(info.get("title", "")),
        version=str(info.get("version", "")),
        groups=groups,
        chapters=_chapters(document, groups),
        by_id={operation.id: operation for operation in operations},
    )


def read_events(document: Mapping[str, Any]) -> tuple[Event, ...]:
    """The events that an OpenAPI 3.1 document announces in its webhooks section, in its order."""
    reader = _Reader(document)
    said = {name: node.get("post", {}) for name, node in document.get("webhooks", {}).items()}
    bodies = {name: reader.request_bodies(node) for name, node in said.items()}
    return tuple(Event(name, str(said[name].get("summary", name)), found[0]) for name, found in bodies.items() if found)


def _groups(document: Mapping[str, Any], operations: list[Operation]) -> tuple[Group, ...]:
    tags = {slugify(tag["name"]): tag for tag in document.get("tags", ())}
    for operation in operations:
        tags.setdefault(operation.group, {"name": operation.group})
    return tuple(
        Group(
            slug=slug,
            title=str(tag.get("x-displayName") or tag.get("x-title") or _titled(tag["name"])),
            description=str(tag.get("description", "")),
            about=str(tag.get("x-about", "")),
            area=tag.get("x-area"),
            operations=members,
        )
        for slug, tag in tags.items()
        if (members := tuple(operation for operation in operations if operation.group == slug))
    )


def _chapters(document: Mapping[str, Any], groups: tuple[Group, ...]) -> tuple[Chapter, ...]:
    """The groups as `x-tagGroups` puts them under headings; those it leaves out come last."""
    left = {group.slug: group for group in groups}
    chapters = []
    for heading in document.get("x-tagGroups", ()):
        members = [left.pop(slug) for slug in map(slugify, heading["tags"]) if slug in left]
        chapters.append(Chapter(str(heading["name"]), tuple(members)))
    return tuple(chapter for chapter in (*chapters, Chapter("", tuple(left.values()))) if chapter.groups)


def _with_own_slugs(operations: Iterable[Operation]) -> list[Operation]:
    found: dict[str, Operation] = {}
    for operation in operations:
        slug, number = operation.slug, 2
        while f"{operation.group}/{slug}" in found:
            slug, number = f"{operation.slug}-{number}", number + 1
        found[f"{operation.group}/{slug}"] = replace(operation, slug=slug)
    return list(found.values())


def slugify(text: str) -> str:
    """Lower case words joined by hyphens, fit for an address."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or UNTAGGED


def _unlike(summary: str, description: str) -> str:
    """The description, unless it only repeats the summary."""
    return "" if description.strip().rstrip(".") == summary.strip().rstrip(".") else description


def _tag(node: Schema) -> str:
    return str((node.get("tags") or [UNTAGGED])[0])


def _titled(name: str) -> str:
    return name if any(letter.isupper() for letter in name) else name.replace("-", " ").capitalize()


class _Reader:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.resolver = Resolver(document)
        servers = document.get("servers") or [{}]
        self.prefix = urlsplit(str(servers[0].get("url", ""))).path.rstrip("/")
        self.known = self.sampled_values()

    def sampled_values(self) -> dict[str, dict[str, Any]]:
        """What the request samples of each tag put into which field, so that its answers look alike."""
        found: dict[str, dict[str, Any]] = {}
        for path in self.document.get("paths", {}).values():
            for node in self.resolver.follow(path)[0].values():
                if isinstance(node, Mapping):
                    values = plain_values(_curated(node.get("x-sample")).get("body"))
                    found[_tag(node)] = {**values, **found.get(_tag(node), {})}
        return found

    def operations(self) -> Iterator[Operation]:
        for path, node in self.document.get("paths", {}).items():
            item, _ = self.resolver.follow(node)
            for method in METHODS:
                if method in item:
                    yield self.operation(method, path, item, item[method])

    def operation(self, method: str, path: str, item: Schema, node: Schema) -> Operation:
        identity = str(node.get("operationId") or f"{method} {path}")
        known = self.known.get(_tag(node), {})
        security = node.get("security", self.document.get("security", []))
        places = [*item.get("parameters", ()), *node.get("parameters", ())]
        bodies = self.request_bodies(node)
        credentials = self.credentials(security)
        is_public = bool(node.get("x-public", not security or {} in security))
        return Operation(
            id=identity,
            group=slugify(_tag(node)),
            slug=slugify(identity.partition(".")[2] or identity),
            method=method.upper(),
            path=self.prefix + path,
            summary=str(node.get("summary", "")),
            description=_unlike(str(node.get("summary", "")), str(node.get("description", ""))),
            is_public=is_public,
            is_deprecated=bool(node.get("deprecated")),
            module=node.get("x-module"),
            permission=node.get("x-permission"),
            plan=node.get("x-plan"),
            roles=tuple(node.get("x-roles", ())),
            parameters=self.parameters(places),
            bodies=bodies,
            answers=tuple(
                self.answer(str(status), answer, known) for status, answer in node.get("responses", {}).items()
            ),
            errors=tuple(node.get("x-errors", ())),
            credentials=credentials,
            call=self.call(method.upper(), path, node, places, bodies, () if {} in security else credentials),
        )

    def call(
        self,
        method: str,
        path: str,
        node: Schema,
        places: list[Schema],
        bodies: tuple[Body, ...],
        credentials: tuple[Credential, ...],
    ) -> Call:
        """The call the samples show: what `x-sample` asks for, filled up with what the operation requires."""
        given = _curated(node.get("x-sample"))
        chosen = {place: {**self.required(places, place), **given.get(place, {})} for place in PLACES}
        body = next((body for body in bodies if "json" in body.media_type), bodies[0] if bodies else None)
        return Call(
            method=method,
            path=self.prefix + fill_path(path, chosen["path"]),
            query=tuple(
                (name, plain_text(each))
                for name, value in chosen["query"].items()
                for each in (value if isinstance(value, list) else [value])
            ),
            headers={name: plain_text(value) for name, value in chosen["header"].items()},
            body=given.get("body", body.examples[0].value) if body else None,
            media_type=body.media_type if body else "",
            credential=shown_in_samples(credentials),
            variable=credentials[0].variable if credentials else "SLIPWAY_KEY",
        )

    def required(self, places: list[Schema], place: str) -> dict[str, Any]:
        """A value for every parameter of one place that cannot be left out, or has an example of its own."""
        plain = [self.resolver.follow(node)[0] for node in places]
        return {
            node["name"]: self.examples(node, node.get("schema", {}))[0].value
            for node in plain
            if node.get("in") == place and (node.get("required") or place == "path" or "example" in node)
        }

    def parameters(self, nodes: list[Schema]) -> dict[str, tuple[Property, ...]]:
        """Parameters by place; the operation's own win over the path's."""
        plain = [self.resolver.follow(node)[0] for node in nodes]
        last = {(node.get("in"), node.get("name")): node for node in plain}
        found = {
            place: tuple(
                self.parameter(place, str(name), node) for (where, name), node in last.items() if where == place
            )
            for place in PLACES
        }
        return {place: parameters for place, parameters in found.items() if parameters}

    def parameter(self, place: str, name: str, node: Schema) -> Property:
        content: Schema = next(iter(node.get("content", {}).values()), {})
        schema = node.get("schema", content.get("schema", {}))
        plain, _ = self.resolver.plain(schema)
        item = self.resolver.plain(plain["items"])[0] if plain.get("items") else {}
        return Property(
            name=name,
            path=name,
            anchor=f"{place}.{name}",
            type=type_words(self.resolver, schema),
            required=bool(node.get("required")),
            deprecated=bool(node.get("deprecated")),
            description=in_words(plain, str(node.get("description", plain.get("description", "")))),
            values=allowed_values(plain) or allowed_values(item),
            limits=limits(plain),
            default=compact(plain["default"]) if plain.get("default") is not None else None,
            example=self.given_example(node, plain),
        )

    def given_example(self, node: Schema, plain: Schema) -> str | None:
        """An example of a parameter, if the document gives one."""
        if "example" in node or node.get("examples"):
            return self.examples(node, {})[0].text
        return first_example(plain)

    def request_bodies(self, node: Schema) -> tuple[Body, ...]:
        body, _ = self.resolver.follow(node.get("requestBody", {}))
        required = bool(body.get("required"))
        return tuple(
            self.body("body", media_type, content, required, str(body.get("description", "")))
            for media_type, content in body.get("content", {}).items()
        )

    def body(
        self,
        place: str,
        media_type: str,
        content: Schema,
        required: bool = False,
        text: str = "",
        known: Mapping[str, Any] | None = None,
    ) -> Body:
        schema = content.get("schema", {})
        writing = place == "body"
        return Body(
            media_type=media_type,
            type=type_words(self.resolver, schema),
            required=required,
            description=text,
            properties=rows(self.resolver, schema, place, writing),
            examples=self.examples(content, schema, writing, known),
        )

    def examples(
        self, node: Schema, schema: Schema, writing: bool = False, known: Mapping[str, Any] | None = None
    ) -> tuple[Example, ...]:
        """What the document gives, else one made from the schema."""
        if "example" in node:
            return (_example("", node["example"]),)
        given = {name: self.resolver.follow(each)[0] for name, each in node.get("examples", {}).items()}
        found = tuple(
            _example(str(each.get("summary", name)), each["value"]) for name, each in given.items() if "value" in each
        )
        return found or (_example("", example_value(self.resolver, schema, writing, known)),)

    def answer(self, status: str, node: Schema, known: Mapping[str, Any]) -> Answer:
        plain, _ = self.resolver.follow(node)
        return Answer(
            status=status,
            description=str(plain.get("description", "")),
            bodies=tuple(
                self.body(status, media_type, content, known=known)
                for media_type, content in plain.get("content", {}).items()
            ),
            headers=tuple(
                self.parameter(f"{status}.header", name, self.resolver.follow(header)[0])
                for name, header in plain.get("headers", {}).items()
            ),
        )

    def credentials(self, security: list[Mapping[str, Any]]) -> tuple[Credential, ...]:
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        names = dict.fromkeys(name for choice in security for name in choice if name in schemes)
        return tuple(read_credential(self.resolver.follow(schemes[name])[0]) for name in names)


def _example(name: str, value: Any) -> Example:
    return Example(name, value, value if isinstance(value, str) else pretty(value))


def _curated(sample: Any) -> dict[str, Any]:
    """`x-sample` by place; one that names no place is the body."""
    if isinstance(sample, Mapping) and sample and set(sample) <= {*PLACES, "body"}:
        return dict(sample)
    return {} if sample is None else {"body": sample}
