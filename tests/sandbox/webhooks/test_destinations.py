"""Addresses that do not resolve are saved with a warning, and verified once they respond (contract section 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

import sandbox
from portal.core.database import Database
from portal.core.outgoing import OutgoingClient
from portal.core.runtime import OwnPlaces
from sandbox.delivery.worker import Courier
from sandbox.webhooks.examples import SAMPLE
from tests.conftest import Integration, runtime_of
from tests.sandbox.console.conftest import Visitor
from tests.sandbox.delivery.sink import Sink

HOOKS = "/api/v2/webhooks"
CONNECTIONS = "/api/v2/integration/connections"
SAMPLES: dict[str, dict[str, Any]] = {
    HOOKS: SAMPLE,
    CONNECTIONS: {"name": "Partner", "url": "https://partner.example/api/invoices"},
}
INSIDE = ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1"]
PATHS = pytest.mark.parametrize("path", SAMPLES)


class Names:
    """What names resolve to just now: nothing, until told."""

    client: OutgoingClient

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def __call__(self, host: str) -> list[str]:
        if not self.addresses:
            raise OSError(f"{host} does not resolve")
        return self.addresses


@pytest.fixture
def names(app: Flask) -> Iterator[Names]:
    """A machine whose resolver knows what the test says."""
    parts, names = runtime_of(app), Names()
    own = OwnPlaces(app, sandbox.extension.own_places)
    names.client = OutgoingClient(["127.0.0.0/8"], own, names)
    app.extensions["slipway"] = replace(parts, outgoing=names.client)
    yield names
    app.extensions["slipway"] = parts


def create(caller: Integration, path: str, **fields: Any) -> Any:
    answer = caller.post(path, SAMPLES[path] | fields)
    assert answer.status_code == 201, answer.text
    return answer.json


def status_of(caller: Integration, path: str) -> str:
    status: str = caller.get(f"{path}?sort=-id&limit=1").json["data"][0]["status"]
    return status


@PATHS
def test_without_a_network_an_address_is_saved_as_unverified_with_a_warning(
    alice: Integration, names: Names, path: str
) -> None:
    made = create(alice, path)
    assert made["data"]["status"] == "unverified"
    assert made["notice"]["type"] == "warning"
    assert "does not resolve" in made["notice"]["text"]
    assert status_of(alice, path) == "unverified"


@PATHS
@pytest.mark.parametrize("address", INSIDE[1:])
def test_a_name_that_resolves_to_a_forbidden_address_is_refused(
    alice: Integration, names: Names, path: str, address: str
) -> None:
    names.addresses = ["93.184.215.14", address]
    refused = alice.post(path, SAMPLES[path])
    assert (refused.status_code, list(refused.json["errors"])) == (400, ["url"])
    assert all(row["url"] != SAMPLES[path]["url"] for row in alice.get(path).json["data"])


@PATHS
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_changed_address_is_checked_anew(alice: Integration, names: Names, path: str, method: str) -> None:
    made = create(alice, path)["data"]
    place = f"{path}/{made['id']}"
    names.addresses = ["93.184.215.14"]
    kept = alice.call(method, place, SAMPLES[path])
    assert kept.json["data"]["status"] == "unverified", kept.text
    moved = alice.call(method, place, SAMPLES[path] | {"url": "https://other.example/x"})
    assert (moved.json["data"]["status"], moved.json["notice"]["type"]) == ("active", "success")
    names.addresses = []
    back = alice.call(method, place, SAMPLES[path])
    assert (back.json["data"]["status"], back.json["notice"]["type"]) == ("unverified", "warning")
    names.addresses = INSIDE[1:2]
    assert alice.call(method, place, SAMPLES[path] | {"url": "https://third.example/x"}).status_code == 400


def test_an_address_is_verified_by_its_first_response(
    alice: Integration, names: Names, database: Database, sink: Sink, make_due: Callable[[], None]
) -> None:
    create(alice, HOOKS, url=sink.url.replace("127.0.0.1", "hooks.example"))
    assert alice.post(f"{HOOKS}/1/test").status_code == 201
    Courier(database, names.client).deliver_due()
    (delivery,) = alice.get("/api/v2/deliveries").json["data"]
    assert (delivery["status"], status_of(alice, HOOKS), sink.arrivals) == ("pending", "unverified", [])
    names.addresses = ["127.0.0.1"]
    make_due()
    Courier(database, names.client).deliver_due()
    assert len(sink.arrivals) == 1
    assert status_of(alice, HOOKS) == "active"


def test_the_address_connected_to_is_checked_whatever_it_was_at_save(
    alice: Integration, names: Names, database: Database, sink: Sink
) -> None:
    create(alice, HOOKS, url=sink.url.replace("127.0.0.1", "hooks.example"))
    names.addresses = ["10.1.2.3"]
    assert alice.post(f"{HOOKS}/1/test").status_code == 201
    Courier(database, names.client).deliver_due()
    (delivery,) = alice.get("/api/v2/deliveries").json["data"]
    assert delivery["status"] == "failed"
    assert "not public" in delivery["reason"]
    assert (status_of(alice, HOOKS), sink.arrivals) == ("unverified", [])


def test_the_pages_say_that_an_address_is_unverified(new_visitor: Callable[[], Visitor], names: Names) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    hook = {"url": "https://hooks.example/x", "events": ["customer.*"], "active": "y"}
    added = alice.post("/sandbox/integration/webhooks", hook)
    path = next(link for link in added.links if "/webhooks/whk_" in link)
    assert "does not resolve at present" in added.text
    assert "The address is unverified" in alice.get(path).text
    assert "unverified" in alice.get("/sandbox/integration/webhooks").text
    form = {"name": "Partner", "url": "https://partner.example/x", "method": "POST", "timeout": "5", "active": "1"}
    listed = alice.post("/sandbox/integration/connections", form)
    assert "does not resolve at present" in listed.text and "unverified" in listed.text
    place = [link for link in listed.links if "/connections/con_" in link][-1]
    assert "The address is unverified" in alice.get(place).text
    names.addresses = ["10.0.0.1"]
    refused = alice.post("/sandbox/integration/webhooks", hook, status=400)
    assert "not public" in refused.text
