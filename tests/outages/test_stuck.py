"""A store that neither answers nor ends: nobody waits for it for long, and what needs no store never does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask

import sandbox
from portal.app import create_app
from portal.core.breaker import CircuitBreaker
from portal.core.errors import ServiceUnavailable
from portal.docs.service import current_docs
from tests.outages.calls import faults
from tests.outages.conftest import Stack

LONG = 60
"""Seconds far beyond any wait that ends by itself."""


@contextmanager
def frozen(*servers: Any) -> Iterator[None]:
    for server in servers:
        server.freeze()
    try:
        yield
    finally:
        for server in servers:
            server.thaw()


def in_time(work: Callable[[], Any]) -> Any:
    """What `work` returns; it must come to an end."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(work()), daemon=True)
    thread.start()
    thread.join(timeout=LONG)
    assert results, "the request still waits"
    return results[0]


def printed_paths(app: Flask) -> list[str]:
    """A page of every kind that is the same for everybody."""
    with app.app_context():
        docs = current_docs()
        library, reference = docs.library, docs.reference
        of_a_kind = [library.guides, library.errors, reference.groups, reference.operations]
        paths = [kind[0].url for kind in of_a_kind]
    paths += ["/", "/docs/", "/reference", "/errors", "/events", "/changelog", "/search?q=invoice", "/components"]
    return [*paths, "/openapi.json", "/llms.txt", "/static/slipway.css", "/docs/introduction.md", "/healthz"]


def test_every_request_ends_while_the_database_is_frozen(stack: Stack) -> None:
    with frozen(stack.postgresql):
        assert in_time(lambda: faults(stack.caller)) == []
        assert in_time(lambda: stack.alice.get("/api/v2/customers").status_code) == 503
    assert stack.caller.browser().get("/checklist").status_code in (200, 503)


def test_every_request_ends_while_redis_is_frozen(stack: Stack) -> None:
    with frozen(stack.redis):
        assert in_time(lambda: faults(stack.caller)) == []
        assert in_time(lambda: stack.alice.get("/api/v2/customers").status_code) == 503


def test_a_frozen_store_that_goes_on_is_used_again(stack: Stack) -> None:
    for server in (stack.postgresql, stack.redis):
        with frozen(server):
            assert in_time(lambda: stack.alice.get("/api/v2/customers").status_code) == 503
        while stack.alice.get("/api/v2/customers").status_code != 200:
            pass


@pytest.mark.parametrize("how", ["frozen", "stopped"])
def test_what_needs_no_store_is_answered_without_any_from_the_first_request_on(stack: Stack, how: str) -> None:
    """By an application that has printed nothing yet, to a visitor whose session would have to be looked up."""
    if how == "stopped":
        stack.postgresql.stop()
        stack.redis.stop()
    with frozen(*(stack.postgresql, stack.redis) if how == "frozen" else ()):
        app = create_app(stack.settings, sandbox.extension)
        paths = printed_paths(app)
        browser = app.test_client()
        for name, value in stack.caller.cookies.items():
            browser.set_cookie(name, value)
        statuses = in_time(lambda: {path: browser.get(path).status_code for path in paths})
    assert [path for path, status in statuses.items() if status != 200] == []


def test_after_a_wait_in_vain_nobody_waits_for_the_store_until_somebody_has_tried_again(stack: Stack) -> None:
    """Counted, not timed: a frozen server is asked by one request at most, however many come."""
    database = stack.app.extensions["slipway"].database
    with frozen(stack.postgresql):
        assert in_time(lambda: stack.alice.get("/api/v2/customers").status_code) == 503
        database.watch.breaker._open_until += LONG
        checked_out = database.engine.pool.checkedout()
        threads = [threading.Thread(target=stack.alice.get, args=["/api/v2/customers"]) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=LONG)
        assert not any(thread.is_alive() for thread in threads)
        assert database.engine.pool.checkedout() == checked_out
    database.watch.breaker.reset()


def test_an_open_breaker_lets_one_caller_try_and_closes_when_it_is_answered() -> None:
    breaker = CircuitBreaker(pause=0)
    breaker.admit()
    breaker.trip()
    breaker.admit()
    with pytest.raises(ServiceUnavailable):
        breaker.admit()
    breaker.trip()
    breaker.admit()
    breaker.reset()
    breaker.admit()
    breaker.admit()
    assert not breaker.is_open


def test_a_breaker_stays_open_for_its_pause() -> None:
    breaker = CircuitBreaker(pause=LONG)
    breaker.trip()
    for _ in range(3):
        with pytest.raises(ServiceUnavailable):
            breaker.admit()
