"""A break against the last released API document fails unless the changelog names it (docs/api/README.md)."""

from __future__ import annotations

import copy
import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask

from portal.api.document import VERSION
from tests.conftest import ROOT
from tests.contract.breaking import find_breaks, operations_of

RELEASED = ROOT / "docs" / "api"
LIST = "/api/v2/customers"
RECORD = "/api/v2/customers/{id}"
JSON = "application/json"
SMALL: dict[str, Any] = {
    "paths": {
        LIST: {
            "get": {
                "operationId": "customers.list",
                "parameters": [
                    {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
                    {"name": "sort", "in": "query", "schema": {"enum": ["id", "-id"]}},
                ],
                "responses": {
                    "200": {
                        "headers": {"Link": {}},
                        "content": {
                            JSON: {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Customer"}}}
                        },
                    }
                },
            }
        },
        RECORD: {
            "put": {
                "operationId": "customers.replace",
                "x-permission": "crm:write",
                "x-module": "crm",
                "x-roles": ["administrator", "sales"],
                "security": [{"bearer": []}],
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "requestBody": {
                    "content": {JSON: {"schema": {"$ref": "#/components/schemas/Body"}}, "text/csv": {"schema": {}}}
                },
                "responses": {
                    "200": {"headers": {}, "content": {JSON: {"schema": {"$ref": "#/components/schemas/Customer"}}}},
                    "404": {"headers": {}},
                },
            }
        },
    },
    "webhooks": {
        "customer.created": {
            "post": {
                "operationId": "customer.created",
                "requestBody": {"content": {JSON: {"schema": {"$ref": "#/components/schemas/Customer"}}}},
            }
        }
    },
    "components": {
        "schemas": {
            "Body": {
                "type": "object",
                "required": ["name"],
                "additionalProperties": False,
                "properties": {
                    "name": {"type": "string", "maxLength": 40},
                    "qty": {"type": "number"},
                    "email": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                },
            },
            "Customer": {
                "type": "object",
                "required": ["id", "status"],
                "properties": {
                    "id": {"type": "integer"},
                    "status": {"enum": ["New", "Old"]},
                    "email": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "tags": {"type": "array", "items": {"type": "string"}},
                },
            },
        }
    },
}
BODY = ("components", "schemas", "Body")
CUSTOMER = ("components", "schemas", "Customer")
GET = ("paths", LIST, "get")
PUT = ("paths", RECORD, "put")
BREAKS: list[tuple[tuple[str | int, ...], Any, str]] = [
    (GET, None, "removed"),
    ((*GET, "operationId"), "customers.index", "operationId: now customers.index"),
    ((*GET, "parameters", 0), None, "query.page: removed"),
    ((*GET, "parameters", 0, "required"), True, "query.page: required"),
    ((*GET, "parameters", 0, "schema", "maximum"), 50, "query.page: maximum"),
    ((*GET, "parameters", 0, "schema", "minimum"), 2, "query.page: minimum"),
    ((*GET, "parameters", 0, "schema", "type"), "string", "query.page: type integer against string"),
    ((*GET, "parameters", 1, "schema", "enum"), ["id"], "query.sort: enum"),
    ((*GET, "responses", "200"), None, "answer 200: removed"),
    ((*GET, "responses", "200", "content", JSON), None, f"answer 200: {JSON} removed"),
    ((*GET, "responses", "200", "headers", "Link"), None, "answer 200: header Link removed"),
    ((*PUT, "x-permission"), "accounting:write", "x-permission: crm:write became accounting:write"),
    ((*PUT, "x-module"), "accounting", "x-module: crm became accounting"),
    ((*PUT, "x-roles"), ["administrator"], "x-roles: sales lost"),
    ((*PUT, "security"), [{"apiKey": []}], "security: [{'bearer': []}] became [{'apiKey': []}]"),
    ((*PUT, "parameters", 0, "schema", "pattern"), "^[0-9]+$", "path.id: pattern"),
    ((*PUT, "requestBody", "required"), True, "body: required"),
    ((*PUT, "requestBody", "content", "text/csv"), None, "body: text/csv removed"),
    ((*BODY, "required"), ["name", "qty"], "body.qty: required"),
    ((*BODY, "properties", "qty"), None, "body.qty: removed"),
    ((*BODY, "properties", "qty", "type"), "integer", "body.qty: type number against integer"),
    ((*BODY, "properties", "qty", "exclusiveMinimum"), 0, "body.qty: exclusiveMinimum"),
    ((*BODY, "properties", "name", "maxLength"), 20, "body.name: maxLength"),
    ((*BODY, "properties", "email"), {"type": "string"}, "body.email: type null against string"),
    ((*CUSTOMER, "required"), ["id"], "answer 200.status: no longer certain"),
    ((*CUSTOMER, "properties", "email"), None, "answer 200.email: removed"),
    (
        (*CUSTOMER, "properties", "id", "type"),
        ["integer", "null"],
        "answer 200.id: type integer or null against integer",
    ),
    ((*CUSTOMER, "properties", "status", "enum"), ["New", "Old", "Odd"], "answer 200.status: enum"),
    ((*CUSTOMER, "properties", "tags", "items", "type"), "integer", "answer 200.tags[]: type integer against string"),
    (("webhooks", "customer.created"), None, "removed"),
    ((*CUSTOMER, "properties", "tags"), None, "event.tags: removed"),
]
HARMLESS: list[tuple[tuple[str | int, ...], Any]] = [
    (("paths", "/api/v2/quotes"), {"get": {"operationId": "quotes.list", "parameters": [], "responses": {}}}),
    ((*GET, "parameters", 0, "schema", "maximum"), 1000),
    ((*GET, "parameters", 1, "schema", "enum"), ["id", "-id", "name"]),
    ((*PUT, "x-roles"), ["administrator", "sales", "manager"]),
    ((*PUT, "responses", "404"), None),
    ((*PUT, "responses", "409"), {"headers": {}}),
    ((*BODY, "required"), []),
    ((*BODY, "properties", "phone"), {"type": "string"}),
    ((*BODY, "properties", "name", "maxLength"), 80),
    ((*BODY, "properties", "name", "type"), ["string", "integer"]),
    ((*CUSTOMER, "required"), ["id", "status", "email"]),
    ((*CUSTOMER, "properties", "phone"), {"type": "string"}),
    ((*CUSTOMER, "properties", "status", "enum"), ["New"]),
    ((*CUSTOMER, "properties", "email"), {"type": "string", "maxLength": 40}),
]


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The small document with one place changed; None takes it away."""
    document: dict[str, Any] = copy.deepcopy(SMALL)
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return document


@pytest.mark.parametrize(("path", "value", "finding"), BREAKS, ids=[finding for _, _, finding in BREAKS])
def test_a_break_is_found(path: tuple[str | int, ...], value: Any, finding: str) -> None:
    assert finding in [found for _, found in find_breaks(SMALL, changed(path, value))]


@pytest.mark.parametrize(("path", "value"), HARMLESS, ids=[".".join(map(str, path)) for path, _ in HARMLESS])
def test_what_callers_pass_over_is_no_break(path: tuple[str | int, ...], value: Any) -> None:
    assert find_breaks(SMALL, changed(path, value)) == []


def numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def last_released() -> Path:
    return max(RELEASED.glob("*.*.*.json"), key=lambda file: numbers(file.stem))


def named_in_changelog(text: str, version: str) -> set[str]:
    """The operations that the version's section of a changelog names under `### Breaking`."""
    section = re.search(rf"^## {re.escape(version)}\b.*?(?=^## |\Z)", text, re.M | re.S)
    part = re.search(r"^### Breaking$.*?(?=^### |\Z)", section.group() if section else "", re.M | re.S)
    return set(re.findall(r"`([^`]+)`", part.group() if part else ""))


def test_the_changelog_names_breaks_in_the_section_of_their_version() -> None:
    newer = "## 0.3.0\n\n### Breaking\n\n- `a.list` and `b.read`\n\n### New\n\n- `c.list`\n\n"
    text = f"{newer}## 0.2.0\n\n### Breaking\n\n- `d.list`\n"
    assert named_in_changelog(text, "0.3.0") == {"a.list", "b.read"}
    assert named_in_changelog(text, "0.2.0") == {"d.list"}
    assert named_in_changelog(text, "0.1.0") == set()


@pytest.mark.one_store
def test_every_break_is_named_in_the_changelog(app: Flask) -> None:
    found = find_breaks(json.loads(last_released().read_text()), app.test_client().get("/openapi.json").json or {})
    named = named_in_changelog((ROOT / "content" / "changelog.md").read_text(), VERSION)
    reviewed = yaml.safe_load((RELEASED / "reviewed.yaml").read_text()) or []
    unused = [entry for entry in reviewed if not any(is_reviewed(entry, *finding) for finding in found)]
    broken = [
        f"{operation}: {finding}"
        for operation, finding in found
        if operation not in named and not any(is_reviewed(entry, operation, finding) for entry in reviewed)
    ]
    assert broken == [], f"name them under ### Breaking of {VERSION} in content/changelog.md, or take them back"
    assert unused == [], "these reviewed differences are gone"


def is_reviewed(entry: dict[str, str], operation: str, finding: str) -> bool:
    return fnmatchcase(operation, entry["operation"]) and fnmatchcase(finding, entry["finding"])


@pytest.mark.one_store
def test_the_version_is_either_new_or_the_released_document_itself(app: Flask) -> None:
    released = {file.stem: file for file in RELEASED.glob("*.*.*.json")}
    if VERSION in released:
        assert app.test_client().get("/openapi.json").json == json.loads(released[VERSION].read_text())
    else:
        assert numbers(VERSION) > numbers(last_released().stem)


def test_every_operation_of_the_released_document_is_looked_at() -> None:
    document = json.loads(last_released().read_text())
    assert len(operations_of(document)) == sum(len(item) for item in document["paths"].values())
