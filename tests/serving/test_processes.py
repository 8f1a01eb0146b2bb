"""The processes of `serve` outlive their own deaths and stop without loss (attacks 28, 38)."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.serving.processes import STEADY_SECONDS, Child, stop
from tests.serving.processes import is_running, wait_until

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def children() -> Iterator[list[Child]]:
    started: list[Child] = []
    yield started
    stop(started, at_once())


def at_once() -> threading.Event:
    """The event that says: hurry."""
    event = threading.Event()
    event.set()
    return event


def dies(child: Child) -> None:
    """Kill the process for good and see it gone."""
    os.kill(child.pid, signal.SIGKILL)
    wait_until(lambda: child.code is not None)


def test_a_process_that_lived_long_is_started_again_at_once(clock: Hand, children: list[Child]) -> None:
    child = Child("sleeper", SLEEPER, clock)
    children.append(child)
    child.start()
    first = child.pid
    clock.seconds += STEADY_SECONDS
    dies(child)
    child.revive()
    assert child.code is None
    assert child.pid != first


def test_a_process_that_dies_at_once_waits_longer_each_time(clock: Hand, children: list[Child]) -> None:
    child = Child("sleeper", SLEEPER, clock)
    children.append(child)
    child.start()
    waits = []
    for _ in range(9):
        dies(child)
        child.revive()
        began = clock.seconds
        while child.code is not None:
            clock.seconds += 0.5
            child.revive()
        waits.append(clock.seconds - began)
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_what_a_dead_process_has_left_behind_ends_with_it(tmp_path: Path, clock: Hand, children: list[Child]) -> None:
    """As the processes of a server do, whose main process was killed."""
    note = tmp_path / "pid"
    script = (
        "import pathlib, subprocess, sys, time\n"
        "left = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(note)!r}).write_text(str(left.pid) + chr(10))\n"
        "time.sleep(600)\n"
    )
    child = Child("parent", [sys.executable, "-c", script], clock)
    children.append(child)
    child.start()
    wait_until(lambda: note.exists() and note.read_text().endswith("\n"))
    dies(child)
    child.revive()
    wait_until(lambda: not is_running(int(note.read_text())))


def test_a_process_that_does_not_stop_is_killed(tmp_path: Path, children: list[Child]) -> None:
    note = tmp_path / "deaf"
    script = f"import pathlib, signal, time; signal.signal(15, signal.SIG_IGN); pathlib.Path({str(note)!r}).touch()\n"
    child = Child("deaf", [sys.executable, "-c", script + "time.sleep(600)"])
    child.start()
    children.append(child)
    wait_until(note.exists)
    stop(children, at_once())
    assert child.code == -signal.SIGKILL
