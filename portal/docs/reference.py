"""The API reference as pages show it: groups, operations and their parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from portal.docs.calls import Call
from portal.docs.credentials import Credential
from portal.docs.schema import Property


@dataclass(frozen=True, slots=True)
class Example:
    """An example body: `name` tells several apart, `value` is the data, `text` what is shown."""

    name: str
    value: Any
    text: str


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent or answered under one media type."""

    media_type: str
    type: str
    required: bool
    description: str
    properties: tuple[Property, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One response: its status, its bodies and its headers as rows."""

    status: str
    description: str
    bodies: tuple[Body, ...]
    headers: tuple[Property, ...]

    @property
    def is_error(self) -> bool:
        return self.status[:1] in "45" or self.status == "default"


@dataclass(frozen=True, eq=False)
class Operation:
    """An operation as its page shows it. `id` is the document's operationId, or method and path."""

    id: str
    group: str
    slug: str
    method: str
    path: str
    summary: str
    description: str
    is_public: bool
    is_deprecated: bool
    module: str | None
    permission: str | None
    plan: str | None
    roles: tuple[str, ...]
    parameters: Mapping[str, tuple[Property, ...]]
    bodies: tuple[Body, ...]
    answers: tuple[Answer, ...]
    errors: tuple[str, ...]
    credentials: tuple[Credential, ...]
    call: Call

    @property
    def url(self) -> str:
        return f"/reference/{self.group}/{self.slug}"

    @property
    def title(self) -> str:
        return self.summary or f"{self.method} {self.path}"

    @property
    def ways(self) -> tuple[Credential, ...]:
        """The credentials, but for an OAuth token where it is sent as the bearer token named already."""
        is_named = any(one.kind == "bearer" for one in self.credentials)
        return tuple(one for one in self.credentials if not (is_named and one.kind in {"oauth2", "openidconnect"}))

    @cached_property
    def rows(self) -> tuple[Property, ...]:
        """Every parameter, field and header with an anchor on the page."""
        return self._rows_with(self.answers)

    @property
    def telling_rows(self) -> tuple[Property, ...]:
        """The rows without those of refusals, which are the same for every operation."""
        return self._rows_with(tuple(answer for answer in self.answers if not answer.is_error))

    def _rows_with(self, answers: tuple[Answer, ...]) -> tuple[Property, ...]:
        tops = [row for place in self.parameters.values() for row in place]
        tops += [row for body in self.bodies for row in body.properties]
        for answer in answers:
            tops += answer.headers
            tops += [row for body in answer.bodies for row in body.properties]
        return tuple(row for top in tops for row in top.walk())


@dataclass(frozen=True, eq=False)
class Group:
    """Operations that share a tag. `area` is the area of the API map it belongs to, `about` more than a line."""

    slug: str
    title: str
    description: str
    about: str
    area: str | None
    operations: tuple[Operation, ...]

    @property
    def url(self) -> str:
        return f"/reference/{self.slug}"

    @property
    def size(self) -> int:
        return len(self.operations)

    @property
    def is_public(self) -> bool:
        return all(operation.is_public for operation in self.operations)


@dataclass(frozen=True, eq=False)
class Chapter:
    """Groups under one heading; the heading is empty where the document has none for them."""

    title: str
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Reference:
    """The whole document: groups in the order of its tags, the same in chapters, and the operations by id."""

    title: str
    version: str
    groups: tuple[Group, ...]
    chapters: tuple[Chapter, ...]
    by_id: Mapping[str, Operation] = field(default_factory=dict)

    @property
    def operations(self) -> tuple[Operation, ...]:
        return tuple(operation for group in self.groups for operation in group.operations)

    def group(self, slug: str) -> Group | None:
        return next((group for group in self.groups if group.slug == slug), None)

    def operation(self, group: str, slug: str) -> Operation | None:
        return next((op for op in self.operations if op.group == group and op.slug == slug), None)
