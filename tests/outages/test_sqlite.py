"""SQLite locked by another process, read-only, full: 503 with Retry-After, and it heals when it can."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from portal.core.config import ROOT, Settings
from portal.core.database import Database
from portal.core.errors import ServiceUnavailable
from portal.core.file_lock import FileLock
from sandbox.tenants import NewSandbox, create_sandbox
from tests.conftest import Integration, runtime_of
from tests.outages.calls import Caller, faults, make_caller
from tests.outages.conftest import new_app, settings_with
from tests.outages.test_stuck import LONG, in_time


class Own:
    """An application on a SQLite file of its own."""

    def __init__(self, app: Flask, settings: Settings, new: NewSandbox) -> None:
        self.app, self.new = app, new
        self.caller: Caller = make_caller(app, new)
        self.database: Database = runtime_of(app).database
        self.path = settings.database_url.removeprefix("sqlite:///")

    @property
    def alice(self) -> Integration:
        return Integration(self.app.test_client(), self.new.keys["administrator"], self.new.tenant.public_id)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    settings = settings_with(tmp_path_factory, {"STORE_TIMEOUT": "0.5"})
    app = new_app(settings)
    with runtime_of(app).database.transaction() as session:
        new = create_sandbox(session, settings, name="Outages", plan="enterprise")
    yield Own(app, settings, new)
    runtime_of(app).database.close()


@pytest.fixture
def own(whole: Own) -> Iterator[Own]:
    yield whole
    whole.database.close()
    while whole.alice.post("/api/v2/customers", {"account": "Back"}).status_code != 201:
        pass


@contextmanager
def every_connection(database: Database, pragma: str) -> Iterator[None]:
    """Let connections be opened with a pragma meanwhile."""

    def prepare(connection: Any, record: Any) -> None:
        connection.execute(f"PRAGMA {pragma}")

    database.close()
    event.listen(database.engine, "connect", prepare)
    try:
        yield
    finally:
        event.remove(database.engine, "connect", prepare)
        database.close()


def problem(own: Own) -> tuple[int, Any]:
    response = in_time(lambda: own.app.test_client().get("/readyz"))
    return response.status_code, response.get_json().get("problems")


def test_every_request_ends_while_another_program_holds_the_database(own: Own) -> None:
    with closing(sqlite3.connect(own.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert in_time(lambda: faults(own.caller)) == []
        assert in_time(lambda: own.alice.get("/api/v2/customers").status_code) == 503
        assert problem(own) == (503, {"database": "stuck"})
        other.execute("ROLLBACK")


def test_every_request_ends_while_another_process_keeps_its_turn(own: Own) -> None:
    """As a server process does that was frozen in the midst of a write."""
    file = os.open(f"{own.path}.turn", os.O_RDWR)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert in_time(lambda: faults(own.caller)) == []
        assert problem(own) == (503, {"database": "stuck"})
    finally:
        os.close(file)


def test_what_is_only_read_is_read_while_another_program_holds_the_database(own: Own) -> None:
    with closing(sqlite3.connect(own.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert in_time(lambda: own.alice.get("/api/v2/customers").status_code) == 503
        assert in_time(lambda: own.app.test_client().get("/checklist").status_code) == 200
        other.execute("ROLLBACK")


def test_a_read_only_database_gives_503(own: Own) -> None:
    with every_connection(own.database, "query_only=ON"):
        assert faults(own.caller) == []
        assert own.alice.post("/api/v2/customers", {"account": "Read-only"}).status_code == 503
        assert problem(own) == (503, {"database": "read-only"})


def test_a_full_database_gives_503(own: Own) -> None:
    with closing(sqlite3.connect(own.path)) as other:
        (pages,) = other.execute("PRAGMA page_count").fetchone()
    with every_connection(own.database, f"max_page_count={pages}"):
        statuses = {201}
        while statuses == {201}:
            statuses.add(own.alice.post("/api/v2/customers", {"account": "Full" * 20}).status_code)
        assert statuses == {201, 503}
        assert faults(own.caller) == []


def test_a_call_of_the_checkpoints_thread_never_keeps_the_turn(own: Own) -> None:
    own.database.watch.turnstile.checkpointer.truncate()
    assert own.alice.post("/api/v2/customers", {"account": "After it"}).status_code == 201


def test_a_lock_that_is_taken_is_waited_for_until_the_deadline(tmp_path: Path) -> None:
    mine, theirs = FileLock(str(tmp_path / "lock")), FileLock(str(tmp_path / "lock"))
    assert theirs.acquire(0)
    assert not mine.acquire(0)
    assert not mine.acquire(0.01)
    theirs.release()
    assert mine.acquire(LONG)
    assert not theirs.acquire(0.01)
    mine.release()
    assert theirs.acquire(LONG)
    theirs.release()
    assert mine.acquire(None)
    mine.release()


def test_a_lock_is_handed_on_among_many(tmp_path: Path) -> None:
    """Each of four counts up in a file under the lock; some give up waiting now and then."""
    count, done = tmp_path / "count", []
    count.write_text("0")

    def raise_it(patience: float) -> None:
        lock = FileLock(str(tmp_path / "lock"))
        for _ in range(50):
            while not lock.acquire(patience):
                pass
            count.write_text(str(int(count.read_text()) + 1))
            lock.release()
        done.append(patience)

    threads = [threading.Thread(target=raise_it, args=[patience]) for patience in (0, 0.0005, 0.001, LONG)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=LONG)
    assert (len(done), count.read_text()) == (4, "200")


def test_the_lock_of_a_process_that_dies_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holding = (
        "import sys; from portal.core.file_lock import FileLock; lock = FileLock(sys.argv[1]); "
        "lock.acquire(None); print('held', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdout.readline()
        lock = FileLock(str(path))
        assert not lock.acquire(0.01)
        process.kill()
        assert lock.acquire(LONG)


FILLING = """
import os, resource, signal, sys, time
from portal.core.database import Database

database = Database("sqlite:///" + sys.argv[1], timeout=5)

def write(text):
    with database.writer.begin() as connection:
        connection.exec_driver_sql("INSERT OR REPLACE INTO notes VALUES (1, ?)", (text,))

with database.writer.begin() as connection:
    connection.exec_driver_sql("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")
write("x" * 100_000)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, resource.RLIM_INFINITY))
try:
    while True:
        write("y" * 100_000)
except Exception as error:
    print("failed", error)
while os.path.getsize(sys.argv[1] + "-wal"):
    time.sleep(0.01)
write("z" * 100_000)
print("healed")
"""


def test_a_write_that_failed_for_a_full_disk_is_followed_by_others_once_the_log_was_copied(tmp_path: Path) -> None:
    """The disk is full for the log only: a limit on the size of files stands in for it. Copied, the log begins anew."""
    run = subprocess.run(
        [sys.executable, "-c", FILLING, str(tmp_path / "own.db")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONG,
    )
    assert "failed" in run.stdout and "healed" in run.stdout, run.stderr


def test_a_turn_that_takes_too_long_is_refused(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'own.db'}", timeout=0.05)
    with database.writer.begin(), pytest.raises(ServiceUnavailable), database.writer.begin():
        pass
    database.close()
