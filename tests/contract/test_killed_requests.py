"""A server killed in the middle of a keyed request: its key is free at once, and the work is done once."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from portal.core.config import ROOT, Settings
from tests.conftest import SECRET, Integration

JANE = {"account": "Jane Smith", "email": "jane@example.com"}
HEADERS = {"Idempotency-Key": "order-1"}


@pytest.fixture
def doomed(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """A server of its own process, on the store of the test."""
    environ = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": SECRET,
        "INSTANCE_PATH": str(settings.instance_path),
    }
    command = [sys.executable, "-m", "tests.contract.stalled_server", json.dumps(environ)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        yield server
        server.kill()


def line_of(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    return server.stdout.readline().strip()


def post(origin: str, caller: Integration) -> None:
    connection = http.client.HTTPConnection(origin.removeprefix("http://"), timeout=60)
    headers = HEADERS | {"Authorization": f"Bearer {caller.key}", "Content-Type": "application/json"}
    with suppress(OSError, http.client.HTTPException):
        connection.request("POST", "/api/v2/customers", json.dumps(JANE), headers)
        connection.getresponse()


def send(caller: Integration) -> Any:
    return caller.post("/api/v2/customers", JANE, headers=HEADERS)


def test_the_key_of_a_killed_server_is_free_at_the_next_request(
    alice: Integration, doomed: subprocess.Popen[str]
) -> None:
    calling = threading.Thread(target=post, args=(line_of(doomed), alice), daemon=True)
    calling.start()
    assert line_of(doomed) == "stopped"
    early = send(alice)
    assert (early.status_code, early.json["code"]) == (409, "idempotency_in_progress")
    doomed.kill()
    doomed.wait()
    calling.join()
    again = send(alice)
    assert (again.status_code, again.json["data"]["id"]) == (201, 101), again.text
    assert "Idempotent-Replayed" not in again.headers
    assert send(alice).headers["Idempotent-Replayed"] == "true"
    assert alice.get("/api/v2/customers").json["meta"]["total_records"] == 101
