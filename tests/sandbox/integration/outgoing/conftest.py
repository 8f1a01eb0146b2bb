"""A partner's system on loopback, connections and mappings made over HTTP, and a courier that is run by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from portal.core.outgoing import OutgoingClient
from portal.core.runtime import OwnPlaces
from sandbox import extension
from tests.conftest import Integration, resolve_examples, runtime_of
from tests.sandbox.console.conftest import Visitor, new_visitor
from tests.sandbox.delivery.conftest import courier, make_due
from tests.sandbox.delivery.sink import Sink, open_sink

__all__ = ["Visitor", "courier", "make_due", "new_visitor"]
ROOT = "/api/v2/integration"
Record = dict[str, Any]
Connect = Callable[..., Record]
Map = Callable[..., Record]


@pytest.fixture
def outgoing(app: Flask) -> Iterator[OutgoingClient]:
    """The application's client, which may call loopback as long as the test lasts."""
    parts = runtime_of(app)
    client = OutgoingClient(["127.0.0.0/8"], OwnPlaces(app, extension.own_places), resolve_examples)
    app.extensions["slipway"] = replace(parts, outgoing=client)
    yield client
    app.extensions["slipway"] = parts
    client.close()


@pytest.fixture
def partner(outgoing: OutgoingClient) -> Iterator[Sink]:
    """A partner's system."""
    with open_sink() as sink:
        yield sink


@pytest.fixture
def connect(partner: Sink) -> Connect:
    """Connections to the partner."""

    def make(caller: Integration, **fields: Any) -> Record:
        answer = caller.post(f"{ROOT}/connections", {"name": "Partner", "url": partner.url} | fields)
        assert answer.status_code == 201, answer.text
        return dict(answer.json["data"])

    return make


def row(parameter: str, field: str | None = None, **more: Any) -> Record:
    """A row of a mapping."""
    return {"parameter": parameter, **({"field": field} if field else {}), **more}


@pytest.fixture
def map_out() -> Map:
    """Mappings of a connection; of invoices by hand unless something else is said."""

    def make(caller: Integration, connection: Record, **fields: Any) -> Record:
        usual = {"name": "Test", "slug": "test", "connection_id": connection["id"], "source": "invoice"}
        rows = [row("invoiceNumber", "invoice_number")]
        answer = caller.post(f"{ROOT}/outgoing-mappings", {**usual, "rows": rows, **fields})
        assert answer.status_code == 201, answer.text
        return dict(answer.json["data"])

    return make
