"""The API document says what holds of every operation, whoever declares the next one (contract sections 2 to 4)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from portal.api.components import Models
from portal.api.schema import ApiModel
from portal.core.errors import CODES
from portal.docs.calls import fill_path
from portal.tenancy.plans import MODULES
from sandbox import extension
from tests.conftest import Integration
from tests.contract.breaking import operations_of

OPERATIONS = {operation.id: operation for operation in extension.operations}


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    found: dict[str, Any] = app.test_client().get("/openapi.json").get_json()
    return found


def address(path: str, operation: dict[str, Any], tenant: str) -> str:
    """The path of an operation's sample."""
    values = {parameter["name"]: parameter.get("example", "1") for parameter in operation["parameters"]}
    return fill_path(path, {**values, "id": tenant} if path.startswith("/api/tenants/") else values)


def called(document: dict[str, Any], tenant: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, address and operation of every operation that takes a key or a token."""
    found = []
    for route, operation in operations_of(document).items():
        method, path = route.split(" ")
        if "x-public" not in operation:
            found.append((method.upper(), address(path, operation, tenant), operation))
    return found


def test_two_schemas_of_one_name_are_refused() -> None:
    def named(field: type) -> type[ApiModel]:
        return type("Same", (ApiModel,), {"__annotations__": {"field": field}})

    models = Models()
    models.refer(named(int))
    models.refer(named(int))
    with pytest.raises(ValueError, match="named Same"):
        models.refer(named(str))


@pytest.mark.one_store
def test_every_operation_is_public_or_says_who_may(document: dict[str, Any]) -> None:
    for route, operation in operations_of(document).items():
        if "x-public" in operation:
            assert "x-permission" not in operation, route
            continue
        module, _, verb = operation["x-permission"].partition(":")
        assert operation.get("x-module", module) == module, route
        assert ("x-module" in operation) == (module in MODULES), route
        assert verb == ("read" if route.startswith("get ") else "write"), route
        assert set(operation["x-roles"]) & {"administrator", "platform owner"}, route
        assert {"unauthorized", "forbidden", "rate_limited"} <= set(operation["x-errors"]), route


@pytest.mark.one_store
def test_every_refusal_it_names_stands_under_its_status(document: dict[str, Any]) -> None:
    for route, operation in operations_of(document).items():
        for code in operation["x-errors"]:
            status = str(CODES[code].status)
            assert f"`{code}`" in operation["responses"][status]["description"], (route, code)


@pytest.mark.one_store
def test_every_event_carries_public_ids_only(document: dict[str, Any]) -> None:
    for name, item in document["webhooks"].items():
        schema = item["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert schema["properties"]["type"] == {"const": name}
        reference = schema["properties"]["data"]["$ref"].rpartition("/")[2]
        assert "id" not in document["components"]["schemas"][reference]["properties"], name


@pytest.mark.one_store
def test_no_operation_answers_without_the_right_credential(alice: Integration, document: dict[str, Any]) -> None:
    wrong = alice.key[:-1] + ("a" if alice.key[-1] != "a" else "b")
    for method, path, operation in called(document, alice.tenant):
        for headers in (
            {},
            {"Authorization": f"Bearer {wrong}"},
            {"x-api-key": wrong},
            {"Authorization": f"Bearer {alice.key}", "x-api-key": wrong},
            {"Authorization": f"Basic {alice.key}"},
        ):
            answer = alice.client.open(path, method=method, headers=headers)
            assert answer.status_code == 401, (operation["operationId"], headers)
            assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.one_store
def test_a_body_that_is_required_must_come(alice: Integration, document: dict[str, Any]) -> None:
    for method, path, operation in called(document, alice.tenant):
        body = operation.get("requestBody")
        if body is None or path == "/api/tenants":
            continue
        answer = alice.call(method, path)
        assert (answer.status_code == 400) == body["required"], (operation["operationId"], answer.text)
        if body["required"]:
            assert json.loads(answer.data)["errors"], operation["operationId"]
