"""A request as it stands in the console's form: chosen, filled with the sample, edited, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from portal.docs.reference import Operation
from portal.docs.schema import Property

NO_KEY = "none"
LONGEST_VALUE = 2000
_PLACE = re.compile(r"\{(\w+)\}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_UNFIT_FOR_PATH = re.compile(r"[/\\\x00-\x1f\x7f\ufffd]|^\.{1,2}$")
_FIT_FOR_HEADER = re.compile(r"[\x20-\x7e]*")
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
_TENANT_PLACE = re.compile(r"^/api/tenants/\{(\w+)\}")


@dataclass(frozen=True)
class Draft:
    """What was chosen and typed. `errors` maps a form field's name to what is wrong with it."""

    operation: Operation
    role: str
    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def takes_body(self) -> bool:
        return bool(self.operation.bodies) and self.operation.method in _BODY_METHODS

    @property
    def filled_path(self) -> str:
        """The operation's path with every value percent-encoded, so that none can leave its place."""
        return _PLACE.sub(lambda place: quote(self.path.get(place.group(1), ""), safe=""), self.operation.path)

    @property
    def given_query(self) -> tuple[tuple[str, str], ...]:
        """The query parameters that were filled in."""
        return tuple((name, value) for name, value in self.query.items() if value)

    @property
    def given_headers(self) -> dict[str, str]:
        """The header parameters that were filled in."""
        return {name: value for name, value in self.headers.items() if value}

    @property
    def target(self) -> str:
        """Path and query as they go on the wire."""
        query = urlencode(self.given_query, quote_via=quote)
        return f"{self.filled_path}?{query}" if query else self.filled_path


def printable(text: str) -> str:
    """The text with a replacement character for each one that no page may hold."""
    return _CONTROL.sub("\ufffd", text)


def can_be_sent(operation: Operation) -> bool:
    """True for what the console offers: every operation but those that take a form."""
    return not operation.call.is_form


def draft_sample(operation: Operation, role: str, tenant: str, known: Mapping[str, str]) -> Draft:
    """The operation filled with its sample. In the path, `tenant` stands for the tenant, and `known` values by name."""
    path = _places(operation, operation.call.path) or dict.fromkeys(_PLACE.findall(operation.path), "")
    path |= {name: value for name, value in known.items() if name in path}
    if own := _TENANT_PLACE.match(operation.path):
        path[own.group(1)] = tenant
    given = dict(operation.call.query)
    return Draft(
        operation=operation,
        role=role,
        path=path,
        query={row.name: given.get(row.name, "") for row in parameters(operation, "query")},
        headers={row.name: operation.call.headers.get(row.name, "") for row in parameters(operation, "header")},
        body=_sample_body(operation),
    )


def fill_in(draft: Draft, given: Mapping[str, str]) -> Draft:
    """The draft with what a link gives in place of its sample: `path.…`, `query.…`, `header.…`, `body`."""

    def filled(place: str, values: dict[str, str]) -> dict[str, str]:
        return {name: printable(given.get(f"{place}.{name}", value)) for name, value in values.items()}

    return replace(
        draft,
        path=filled("path", draft.path),
        query=filled("query", draft.query),
        headers=filled("header", draft.headers),
        body=printable(given.get("body", draft.body)),
    )


def draft_typed(operation: Operation, typed: Mapping[str, str]) -> Draft:
    """What a form brought back: fields named `role`, `body`, `path.…`, `query.…`, `header.…`."""

    def text(name: str) -> str:
        return printable(typed.get(name, ""))

    return Draft(
        operation=operation,
        role=text("role"),
        path={name: text(f"path.{name}").strip() for name in _PLACE.findall(operation.path)},
        query={row.name: text(f"query.{row.name}").strip() for row in parameters(operation, "query")},
        headers={row.name: text(f"header.{row.name}").strip() for row in parameters(operation, "header")},
        body=text("body").replace("\r\n", "\n"),
    )


def draft_again(operation: Operation, target: str, headers: Sequence[Sequence[str]], role: str, body: str) -> Draft:
    """A logged call, ready to be sent once more."""
    parts = urlsplit(target)
    query, sent = dict(parse_qsl(parts.query)), {name.lower(): value for name, value in headers}
    return Draft(
        operation=operation,
        role=role,
        path=_places(operation, parts.path) or dict.fromkeys(_PLACE.findall(operation.path), ""),
        query={row.name: printable(query.get(row.name, "")) for row in parameters(operation, "query")},
        headers={row.name: sent.get(row.name.lower(), "") for row in parameters(operation, "header")},
        body=body,
    )


def check(draft: Draft, roles: Sequence[str]) -> Draft:
    """The same draft with an error for each field that cannot be sent."""
    errors = {f"path.{name}": wrong for name, value in draft.path.items() if (wrong := _path_error(value))}
    errors |= {
        f"query.{name}": f"At most {LONGEST_VALUE} characters can be sent."
        for name, value in draft.query.items()
        if len(value) > LONGEST_VALUE
    }
    errors |= {
        f"header.{name}": "A header takes printable ASCII characters only, 200 at most."
        for name, value in draft.headers.items()
        if len(value) > 200 or not _FIT_FOR_HEADER.fullmatch(value)
    }
    if not draft.operation.is_public and draft.role not in {*roles, NO_KEY}:
        errors["role"] = "Choose a role whose key the console still has."
    return replace(draft, errors=errors)


def parameters(operation: Operation, place: str) -> tuple[Property, ...]:
    """The operation's parameters in `path`, `query` or `header`."""
    return tuple(operation.parameters.get(place, ()))


def _path_error(value: str) -> str:
    if not value:
        return "Fill in this part of the path."
    if len(value) > 200 or _UNFIT_FOR_PATH.search(value):
        return "A value in a path has no slash, no control character, 200 characters at most, and is not just dots."
    return ""


def _places(operation: Operation, path: str) -> dict[str, str]:
    """The values that stand in `path` where the operation's template has places."""
    names = _PLACE.findall(operation.path)
    pattern = "([^/]*)".join(re.escape(part) for part in re.split(r"\{\w+\}", operation.path))
    found = re.fullmatch(pattern, path)
    return {name: printable(unquote(value)) for name, value in zip(names, found.groups(), strict=True)} if found else {}


def _sample_body(operation: Operation) -> str:
    bodies: tuple[Any, ...] = operation.bodies
    body = next((body for body in bodies if "json" in body.media_type), None)
    return str(body.examples[0].text) if body and body.examples else ""
