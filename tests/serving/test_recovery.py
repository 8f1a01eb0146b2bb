"""Whichever process of `serve` is killed, stopped or told to reload: nothing is refused, lost or left behind.

Attacks 28 and 38. Every wait is for a state; how many seconds things take is measured by `make faults`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from portal.core.database import Database
from portal.core.heartbeats import Heartbeat
from sandbox.rehearsal.models import ScenarioCount
from sandbox.tenants import NewSandbox, create_sandbox
from tests.conftest import runtime_of
from tests.sandbox.delivery.conftest import bound
from tests.serving.processes import (
    PATIENCE,
    ROOT,
    Answer,
    Served,
    children_of,
    end,
    environ_for,
    free_port,
    hear,
    is_running,
    serving,
    wait_until,
)

pytestmark = [
    pytest.mark.one_store,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc"),
]
SERVE = [sys.executable, "-m", "flask", "--app", "wsgi", "serve"]
CUSTOMERS = "/api/v2/customers"


@pytest.fixture(scope="module")
def alices(quiet: Flask) -> NewSandbox:
    with runtime_of(quiet).database.transaction() as session:
        return create_sandbox(session, runtime_of(quiet).settings, name="Alice's", plan="enterprise")


class Tree:
    """The processes below a `serve`."""

    def __init__(self, served: Served, database: Database) -> None:
        self.served = served
        self._database = database
        self.root = served.process.pid

    @property
    def main(self) -> int:
        """The server's main process."""
        return self._child("portal.serving.server")

    @property
    def worker(self) -> int:
        return self._child(" worker ")

    @property
    def servers(self) -> set[int]:
        """The processes that answer: interpreters of their own, so that those of a reload run new code."""
        below = children_of(self.main) if self.main else {}
        return {pid for pid, command in below.items() if "multiprocessing.spawn" in command}

    @property
    def is_whole(self) -> bool:
        """Whether it has every process, and both kinds have begun to work."""
        if not self.worker or len(self.servers) != self.served.settings.workers:
            return False
        with self._database.transaction(write=False) as session:
            return session.scalar(select(Heartbeat.id).where(Heartbeat.pid == self.worker)) is not None

    def everybody(self) -> set[int]:
        return {self.root, self.main, self.worker, *self.servers}

    def _child(self, words: str) -> int:
        return next((pid for pid, command in children_of(self.root).items() if words in command), 0)


Starter = Callable[..., contextlib.AbstractContextManager[Tree]]


@pytest.fixture
def start(quiet: Flask) -> Starter:
    """Runs `flask serve` on the quiet store, and waits until everything of it works."""

    @contextmanager
    def run(port: int = 0, **more: str) -> Iterator[Tree]:
        environ = environ_for(runtime_of(quiet).settings, port or free_port(), **{"WORKERS": "1", **more})
        with serving(SERVE, environ) as served:
            tree = Tree(served, runtime_of(quiet).database)
            wait_until(lambda: tree.is_whole, served.process)
            yield tree

    return run


@pytest.fixture(scope="module")
def shared(quiet: Flask) -> Iterator[Tree]:
    """A `serve` whose processes tests replace, with one server process: nobody else answers meanwhile."""
    with serving(SERVE, environ_for(runtime_of(quiet).settings, free_port(), WORKERS="1")) as served:
        yield Tree(served, runtime_of(quiet).database)


@pytest.fixture
def tree(shared: Tree) -> Tree:
    wait_until(lambda: shared.is_whole, shared.served.process)
    return shared


@dataclass
class Callers:
    """Ask for a page again and again, on connections of their own, and note what went wrong."""

    served: Served
    count: int = 0
    failures: list[str] = field(default_factory=list)

    @contextmanager
    def calling(self) -> Iterator[None]:
        stopping = threading.Event()
        threads = [threading.Thread(target=self._call, args=[stopping]) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stopping.set()
            for thread in threads:
                thread.join()

    def wait_for_more(self, more: int = 20) -> None:
        wanted = self.count + more
        wait_until(lambda: self.count >= wanted)

    def _call(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            try:
                status = self.served.get("/openapi.json" if self.count % 2 else "/healthz").status
                if status != 200:
                    self.failures.append(str(status))
            except Exception as error:
                self.failures.append(repr(error))
            self.count += 1
            stopping.wait(0.01)


class Slow:
    """A request that takes some seconds of a thread's time, under way."""

    def __init__(self, served: Served, quiet: Flask, alices: NewSandbox, ms: int) -> None:
        self.answer: Answer | None = None
        self._served, self._key = served, alices.keys["administrator"]
        self._scenario = f"slow; ms={ms}; run={uuid.uuid4().hex}; times=1"
        self._thread = threading.Thread(target=self._call, daemon=True)
        self._thread.start()
        wait_until(lambda: self._is_counted(quiet, alices))

    def join(self) -> None:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def _call(self) -> None:
        with contextlib.suppress(Exception):
            self.answer = self._served.get(CUSTOMERS, x_api_key=self._key, X_Sandbox_Scenario=self._scenario)

    def _is_counted(self, quiet: Flask, alices: NewSandbox) -> bool:
        with runtime_of(quiet).database.transaction(write=False) as session:
            counted = select(ScenarioCount.id).where(ScenarioCount.header == self._scenario)
            return bound(session, alices).scalar(counted) is not None


@contextmanager
def unfinished(served: Served) -> Iterator[socket.socket]:
    """A request whose body is awaited, for ever."""
    head = b"POST /api/public/leads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    with served.connect() as line:
        line.sendall(head)
        assert line.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        yield line


def refuses(served: Served) -> bool:
    try:
        served.connect().close()
    except ConnectionRefusedError:
        return True
    return False


def test_the_servers_main_process_killed_refuses_nobody_and_leaves_no_orphan(tree: Tree) -> None:
    callers, main, servers = Callers(tree.served), tree.main, tree.servers
    with callers.calling():
        callers.wait_for_more()
        os.kill(main, signal.SIGKILL)
        wait_until(lambda: not any(is_running(pid) for pid in (main, *servers)))
        wait_until(lambda: tree.is_whole)
        callers.wait_for_more()
    assert callers.failures == []


def test_a_server_process_and_a_worker_killed_are_replaced(tree: Tree) -> None:
    killed = {tree.servers.pop(), tree.worker}
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: tree.is_whole and not killed & tree.everybody())
    assert tree.served.get("/healthz").status == 200


def test_a_reload_replaces_every_process_and_cuts_nobody(tree: Tree, quiet: Flask, alices: NewSandbox) -> None:
    callers, replaced = Callers(tree.served), {*tree.servers, tree.worker}
    slow = Slow(tree.served, quiet, alices, 8000)
    with callers.calling():
        callers.wait_for_more()
        os.kill(tree.root, signal.SIGHUP)
        wait_until(lambda: not any(is_running(pid) for pid in replaced))
        wait_until(lambda: tree.is_whole)
        callers.wait_for_more()
    slow.join()
    assert callers.failures == []
    assert slow.answer is not None
    assert slow.answer.status == 200


def test_a_reload_onto_broken_content_leaves_the_processes_that_serve(start: Starter, tmp_path: Path) -> None:
    content = tmp_path / "content"
    shutil.copytree(ROOT / "content", content)
    with start(CONTENT_PATH=str(content)) as tree:
        before = tree.servers
        (content / "guides" / "broken.md").write_text("No front matter")
        os.kill(tree.root, signal.SIGHUP)
        wait_until(lambda: tree.servers > before)
        wait_until(lambda: tree.servers == before)
        assert tree.served.get("/docs/quickstart").status == 200


def test_serve_killed_leaves_nobody_behind_and_the_next_takes_its_place(start: Starter) -> None:
    with start() as first:
        everybody, port = first.everybody(), first.served.port
        os.kill(first.root, signal.SIGKILL)
        first.served.process.wait()
        with start(port) as second:
            wait_until(lambda: not any(is_running(pid) for pid in everybody))
            assert second.served.get("/healthz").status == 200


def test_a_stop_lets_a_request_end_and_takes_no_new_one(start: Starter, quiet: Flask, alices: NewSandbox) -> None:
    """The default gives 30 seconds."""
    with start() as tree:
        everybody, slow = tree.everybody(), Slow(tree.served, quiet, alices, 6000)
        os.kill(tree.root, signal.SIGTERM)
        wait_until(lambda: refuses(tree.served))
        slow.join()
        assert slow.answer is not None
        assert slow.answer.status == 200
        assert end(tree.served.process) == 0
        assert not any(is_running(pid) for pid in everybody)


def test_a_stop_ends_hard_at_its_deadline(start: Starter) -> None:
    with start(SHUTDOWN_TIMEOUT="1", REQUEST_TIMEOUT="600") as tree, unfinished(tree.served) as line:
        everybody = tree.everybody()
        os.kill(tree.root, signal.SIGTERM)
        assert end(tree.served.process) == 0
        assert not any(is_running(pid) for pid in everybody)
        assert hear(line) == b""


def test_a_second_request_to_stop_ends_hard(start: Starter) -> None:
    with start(SHUTDOWN_TIMEOUT="600", REQUEST_TIMEOUT="600") as tree, unfinished(tree.served) as line:
        everybody = tree.everybody()
        os.kill(tree.root, signal.SIGTERM)
        wait_until(lambda: refuses(tree.served))
        assert tree.served.process.poll() is None
        os.kill(tree.root, signal.SIGTERM)
        end(tree.served.process)
        assert not any(is_running(pid) for pid in everybody)
        assert hear(line) == b""


def test_a_port_in_use_is_named_with_the_remedy(quiet: Flask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        environ = environ_for(runtime_of(quiet).settings, port)
        done = subprocess.run(SERVE, cwd=ROOT, env=environ, timeout=PATIENCE, check=False, capture_output=True)
    assert done.returncode == 1
    assert f"Port {port} of 127.0.0.1 is in use. Stop the program that uses it, or set PORT." in done.stderr.decode()
