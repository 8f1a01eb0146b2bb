"""Answers that never arrive, seen through a real socket: the write is there, or it is not."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

import pytest

from portal.core.config import Settings
from tests.conftest import ROOT, SECRET, Integration, NewSandbox

CUSTOMERS = "/api/v2/customers"
HEADER = "X-Sandbox-Scenario"
NEW = {"account": "New"}
BROKEN = (HTTPException, ConnectionError)

Send = Callable[..., Any]


@pytest.fixture(scope="module")
def granian(settings: Settings) -> Iterator[str]:
    """The server that deployments run, on the store of the tests; yields its origin."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = os.environ | {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": SECRET,
        "INSTANCE_PATH": str(settings.instance_path),
    }
    options = ("--interface", "wsgi", "--no-ws", "--port", str(port), "--blocking-threads", "4", "wsgi:app")
    server = subprocess.Popen([sys.executable, "-m", "granian", *options], cwd=ROOT, env=environ)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=60)


def _wait_for(port: int) -> None:
    for _ in range(900):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server does not listen")


@pytest.fixture(params=["live_server", "granian"])
def origin(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def send(origin: str, alices_sandbox: NewSandbox) -> Send:
    """Call as alice over a socket; what arrived, as (status, data), or an exception."""

    def call(method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        connection = HTTPConnection(urlsplit(origin).netloc, timeout=60)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Authorization"] = f"Bearer {alices_sandbox.keys['administrator']}"
        if body is not None:
            body, headers["Content-Type"] = json.dumps(body), "application/json"
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read()) | {"headers": dict(answer.getheaders())}
        finally:
            connection.close()

    return call


def accounts(send: Send) -> list[str]:
    status, answer = send("GET", f"{CUSTOMERS}?limit=100&page=2")
    assert status == 200
    return [row["account"] for row in answer["data"]]


def test_the_write_is_there_though_no_answer_came(send: Send) -> None:
    with pytest.raises(BROKEN):
        send("POST", CUSTOMERS, NEW, X_Sandbox_Scenario="lost_response")
    assert accounts(send) == ["New"]


def test_who_repeats_without_a_key_has_two_records(send: Send) -> None:
    with pytest.raises(BROKEN):
        send("POST", CUSTOMERS, NEW, X_Sandbox_Scenario="lost_response; times=1")
    assert send("POST", CUSTOMERS, NEW, X_Sandbox_Scenario="lost_response; times=1")[0] == 201
    assert accounts(send) == ["New", "New"]


def test_who_repeats_with_the_key_has_one(send: Send) -> None:
    key = {"Idempotency_Key": "invoice-run-7", "X_Sandbox_Scenario": "lost_response; times=1"}
    with pytest.raises(BROKEN):
        send("POST", CUSTOMERS, NEW, **key)
    status, answer = send("POST", CUSTOMERS, NEW, **key)
    assert (status, answer["data"]["id"]) == (201, 101)
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    assert headers["idempotent-replayed"] == "true"
    assert accounts(send) == ["New"]


def test_an_armed_loss_is_the_same(send: Send) -> None:
    armed = {"scenario": "lost_response", "operation": "customers.create"}
    assert send("POST", "/api/v2/sandbox/scenarios", armed)[0] == 201
    with pytest.raises(BROKEN):
        send("POST", CUSTOMERS, NEW)
    assert send("POST", CUSTOMERS, NEW)[0] == 201
    assert accounts(send) == ["New", "New"]


def test_a_refusal_is_not_lost(send: Send) -> None:
    status, answer = send("POST", CUSTOMERS, {}, X_Sandbox_Scenario="lost_response")
    assert (status, answer["code"]) == (400, "validation_failed")


def test_a_read_can_be_lost_too_and_the_next_call_is_unharmed(send: Send) -> None:
    with pytest.raises(BROKEN):
        send("GET", CUSTOMERS, X_Sandbox_Scenario="lost_response")
    assert send("GET", CUSTOMERS)[0] == 200


def test_a_timeout_holds_the_call_then_drops_it_and_nothing_is_written(send: Send) -> None:
    started = time.monotonic()
    with pytest.raises(BROKEN):
        send("POST", CUSTOMERS, NEW, X_Sandbox_Scenario="timeout; ms=400")
    assert time.monotonic() - started >= 0.4
    assert accounts(send) == []


def test_the_log_tells_what_really_became_of_a_lost_call(send: Send) -> None:
    for scenario in ("lost_response", "timeout; ms=10"):
        with pytest.raises(BROKEN):
            send("POST", CUSTOMERS, NEW, X_Sandbox_Scenario=scenario)
    logged = send("GET", "/api/v2/sandbox/requests?operation=customers.create")[1]["data"]
    assert [(row["status"], row["scenario"]) for row in logged] == [(504, "timeout"), (201, "lost_response")]
    whole = send("GET", f"/api/v2/sandbox/requests/{logged[1]['request_id']}")[1]["data"]
    assert json.loads(whole["response_body"])["data"]["id"] == 101


@pytest.mark.one_store
def test_without_a_socket_the_answer_is_empty(alice: Integration) -> None:
    answer = alice.post(CUSTOMERS, NEW, headers={HEADER: "lost_response"})
    assert (answer.data, answer.status_code, answer.headers[HEADER]) == (b"", 504, "lost_response")
    assert int(answer.headers["Content-Length"]) > 0
    assert alice.get(f"{CUSTOMERS}/101").json["data"]["account"] == "New"
