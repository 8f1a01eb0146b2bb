"""/readyz probes a write to each store, and says which one fails and how."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.outages.conftest import Stack
from tests.outages.test_stuck import frozen, in_time

READY = {"database": True, "redis": True}


def look(stack: Stack) -> TestResponse:
    response: TestResponse = in_time(lambda: stack.app.test_client().get("/readyz"))
    return response


def problems(stack: Stack) -> tuple[int, Any, Any]:
    response = look(stack)
    body = response.get_json()
    assert ("Retry-After" in response.headers) == (response.status_code == 503)
    return response.status_code, body["stores"], body.get("problems", {})


def test_a_portal_with_all_its_stores_is_ready(stack: Stack) -> None:
    assert problems(stack) == (200, READY, {})


def test_a_stopped_store_is_named(stack: Stack) -> None:
    stack.postgresql.stop()
    assert problems(stack) == (503, READY | {"database": False}, {"database": "unreachable"})
    stack.postgresql.start()
    stack.redis.stop()
    assert problems(stack) == (503, READY | {"redis": False}, {"redis": "unreachable"})


@pytest.mark.parametrize("name", ["database", "redis"])
def test_a_frozen_store_is_named_within_a_deadline(stack: Stack, name: str) -> None:
    server = stack.postgresql if name == "database" else stack.redis
    with frozen(server):
        assert [problems(stack) for _ in range(3)] == [(503, READY | {name: False}, {name: "stuck"})] * 3
    while look(stack).status_code != 200:
        pass


def test_a_redis_that_takes_no_more_is_full(stack: Stack) -> None:
    with stack.redis.fill():
        assert problems(stack) == (503, READY | {"redis": False}, {"redis": "full"})


def test_a_database_that_only_reads_is_named(stack: Stack) -> None:
    database = stack.app.extensions["slipway"].database
    with stack.postgresql.read_only():
        database.close()
        assert problems(stack) == (503, READY | {"database": False}, {"database": "read-only"})
    database.close()


def test_a_database_without_a_free_connection_is_named(stack: Stack) -> None:
    stack.app.extensions["slipway"].database.close()
    with stack.postgresql.fill():
        assert problems(stack) == (503, READY | {"database": False}, {"database": "unreachable"})
