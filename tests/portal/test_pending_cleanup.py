"""Cleanups that a failing store did not take are retried until they are done."""

from __future__ import annotations

import threading

from portal.core.errors import ServiceUnavailable
from portal.core.pending_cleanup import PendingCleanup

NEVER = 3600.0


def test_a_cleanup_that_worked_is_not_repeated() -> None:
    calls: list[int] = []
    pending = PendingCleanup(NEVER)
    pending.add(lambda: calls.append(1) is None)
    pending.run()
    assert len(calls) == 1


def test_a_cleanup_the_store_did_not_take_is_retried_by_whoever_comes_next() -> None:
    calls: list[int] = []

    def fail_once() -> bool:
        calls.append(1)
        if len(calls) == 1:
            raise ServiceUnavailable
        return True

    pending = PendingCleanup(NEVER)
    pending.add(fail_once)
    pending.run()
    pending.run()
    assert len(calls) == 2


def test_those_behind_a_cleanup_that_failed_are_not_lost() -> None:
    calls: list[str] = []
    is_down = True

    def clean(name: str) -> bool:
        if is_down:
            raise ServiceUnavailable
        calls.append(name)
        return True

    pending = PendingCleanup(NEVER)
    for name in ("first", "second", "third"):
        pending.add(lambda name=name: clean(name))  # type: ignore[misc]
    is_down = False
    pending.run()
    assert calls == ["first", "second", "third"]


def test_a_cleanup_that_found_nothing_yet_is_repeated_without_a_request() -> None:
    calls: list[int] = []
    is_done = threading.Event()

    def find_at_third() -> bool:
        calls.append(1)
        if len(calls) == 3:
            is_done.set()
        return len(calls) == 3

    PendingCleanup(0.001).add(find_at_third)
    assert is_done.wait(60)


def test_a_cleanup_that_found_nothing_yet_costs_requests_nothing() -> None:
    calls: list[int] = []
    pending = PendingCleanup(NEVER)
    pending.add(lambda: calls.append(1) is not None)
    pending.run()
    pending.run()
    assert len(calls) == 1


def test_cleanups_added_later_find_a_thread_again() -> None:
    pending = PendingCleanup(0.001)
    for _ in range(20):
        seen: list[int] = []
        is_done = threading.Event()

        def second_time(seen: list[int] = seen, is_done: threading.Event = is_done) -> bool:
            seen.append(1)
            if len(seen) == 2:
                is_done.set()
            return len(seen) == 2

        pending.add(second_time)
        assert is_done.wait(60)
