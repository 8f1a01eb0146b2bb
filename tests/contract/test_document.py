"""The API document says what holds of every operation, whoever declares the next one (contract sections 2 to 4)."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from flask import Flask

from portal.api.components import Models
from portal.api.schema import ApiModel
from portal.core.errors import CODES
from portal.tenancy.plans import MODULES
from tests.conftest import Integration
from tests.contract.beforehand import BEFOREHAND, fail_a_send
from tests.contract.breaking import inlined, operations_of
from tests.contract.described import Described, describe, document_of
from tests.contract.door import TENANTS


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    return document_of(app)


@pytest.fixture
def protected(app: Flask) -> list[Described]:
    """The operations that take a key or a token."""
    return [operation for operation in describe(app) if "x-public" not in operation.says]


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
def test_no_operation_answers_without_the_right_credential(alice: Integration, protected: list[Described]) -> None:
    wrong = alice.key[:-1] + ("a" if alice.key[-1] != "a" else "b")
    for operation in protected:
        for headers in (
            {},
            {"Authorization": f"Bearer {wrong}"},
            {"x-api-key": wrong},
            {"Authorization": f"Bearer {alice.key}", "x-api-key": wrong},
            {"Authorization": f"Basic {alice.key}"},
        ):
            answer = alice.client.open(operation.address(alice.tenant), method=operation.method, headers=headers)
            assert answer.status_code == 401, (operation.id, headers)
            assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.one_store
def test_a_body_that_is_required_must_come(alice: Integration, protected: list[Described]) -> None:
    for operation in protected:
        body = operation.says.get("requestBody")
        if body is None or operation.path == TENANTS:
            continue
        if operation.id in BEFOREHAND:
            alice.call(*BEFOREHAND[operation.id])
        values = {"id": fail_a_send(alice)} if operation.id == "failed.update" else {}
        answer = alice.call(operation.method, operation.address(alice.tenant, **values))
        assert (answer.status_code == 400) == body["required"], (operation.id, answer.text)
        if body["required"]:
            assert json.loads(answer.data)["errors"], operation.id


@pytest.mark.one_store
def test_a_method_that_a_path_does_not_have_is_refused_with_those_it_has(
    alice: Integration, protected: list[Described]
) -> None:
    offered: dict[str, set[str]] = {}
    for operation in protected:
        implied = {"OPTIONS", "HEAD"} if operation.method == "GET" else {"OPTIONS"}
        offered.setdefault(operation.path, set()).update({operation.method} | implied)
    for path, methods in offered.items():
        address = path.replace("{id}", "1").replace("{", "").replace("}", "")
        for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - methods:
            answer = alice.client.open(address, method=method)
            assert answer.status_code == 405, (method, path)
            assert set(answer.headers["Allow"].split(", ")) == methods, (method, path)


@pytest.mark.one_store
def test_no_two_operations_share_an_id(document: dict[str, Any]) -> None:
    """Generators refuse a document in which a path and a webhook share one."""
    webhooks = [entry["post"]["operationId"] for entry in document["webhooks"].values()]
    ids = [operation["operationId"] for operation in operations_of(document).values()] + webhooks
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.one_store
def test_validators_that_count_in_floats_take_every_valid_price(document: dict[str, Any]) -> None:
    product = inlined(document["components"]["schemas"]["ProductBody"], document)
    validator = jsonschema.Draft202012Validator(product)
    prices = [cents / 100 for cents in range(1, 10_000, 97)]
    assert [price for price in prices if not validator.is_valid({"name": "A", "price": price})] == []
    assert not validator.is_valid({"name": "A", "price": -1})
    assert "multipleOf" not in json.dumps(document)


@pytest.mark.one_store
def test_no_page_is_sent_by_default_beside_a_cursor(alice: Integration, document: dict[str, Any]) -> None:
    """Generated clients send the defaults that a document states."""
    for path, item in document["paths"].items():
        query = {
            parameter["name"]: parameter["schema"]["default"]
            for parameter in item.get("get", {}).get("parameters", [])
            if "default" in parameter.get("schema", {})
        }
        names = {parameter["name"] for parameter in item.get("get", {}).get("parameters", [])}
        assert not ("cursor" in names and "page" in query), path
    assert alice.get("/api/v2/customers?cursor=&page=1").status_code == 400
    assert alice.get("/api/v2/customers?cursor=&limit=20").status_code == 200
