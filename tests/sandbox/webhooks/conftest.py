"""A sink behind a public name, webhooks made over HTTP, and a courier that is run by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from portal.core.outgoing import OutgoingAnswer, OutgoingClient, OutgoingRequest
from tests.conftest import Integration
from tests.sandbox.console.conftest import new_visitor
from tests.sandbox.delivery.conftest import courier, make_due, sink
from tests.sandbox.delivery.sink import Sink

__all__ = ["courier", "make_due", "new_visitor", "sink"]
PATH = "/api/v2/webhooks"
URL = "https://example.com/hooks/slipway"
Webhook = dict[str, Any]
Subscribe = Callable[..., Webhook]


class RedirectedClient(OutgoingClient):
    """A client that may call loopback and takes the sink for example.com, which is public and not to be called."""

    def __init__(self, sink: Sink) -> None:
        super().__init__(allow=["127.0.0.0/8"])
        self._sink = sink

    def send(self, request: OutgoingRequest) -> OutgoingAnswer:
        path = request.url.removeprefix("https://example.com")
        to = self._sink.url.removesuffix("/hook") + path
        return super().send(OutgoingRequest(request.method, to, request.headers, request.body, request.timeout))


@pytest.fixture
def outgoing(sink: Sink) -> OutgoingClient:
    return RedirectedClient(sink)


@pytest.fixture
def subscribe(app: Flask) -> Subscribe:
    """Webhooks as the answer to their creation shows them, secret included."""

    def make(caller: Integration, **fields: Any) -> Webhook:
        answer = caller.post(PATH, {"url": URL, "events": ["*"]} | fields)
        assert answer.status_code == 201, answer.text
        created: Webhook = answer.json["data"]
        return created

    return make
