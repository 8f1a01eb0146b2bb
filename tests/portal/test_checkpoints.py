"""SQLite's write-ahead log is copied beside the writers, and does not grow without end while they go on."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import pytest

from portal.core import checkpoints
from portal.core.checkpoints import Checkpointer
from portal.core.database import Database

pytestmark = pytest.mark.one_store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "own.db"


@pytest.fixture
def own_database(path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{path}")
    with database.writer.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE notes (text TEXT)")
    yield database
    database.close()


def write(database: Database, times: int) -> None:
    for _ in range(times):
        with database.writer.begin() as connection:
            connection.exec_driver_sql("INSERT INTO notes VALUES (?)", ("x" * 10_000,))


def checkpointer_of(database: Database) -> Checkpointer:
    """Return the one of this database: those of other tests may be at work."""
    assert database.watch.turnstile is not None
    assert database.watch.turnstile.checkpointer is not None
    return database.watch.turnstile.checkpointer


def test_a_checkpoint_leaves_nothing_in_the_log_and_the_next_write_begins_it_anew(
    own_database: Database, path: Path
) -> None:
    checkpointer = Checkpointer(str(path), threading.Lock)
    write(own_database, 100)
    assert checkpointer.checkpoint() == 0
    write(own_database, 1)
    with closing(sqlite3.connect(path)) as connection:
        _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    assert 0 < pages < 10


def test_a_reader_of_an_old_state_is_not_waited_for(own_database: Database, path: Path) -> None:
    turns = 0

    class Turn:
        def __enter__(self) -> None:
            nonlocal turns
            turns += 1

        def __exit__(self, *_: object) -> None:
            pass

    write(own_database, 10)
    with own_database.reader.connect() as reader, patch.object(checkpoints, "LONGEST_LOG", 50):
        before = reader.exec_driver_sql("SELECT count(*) FROM notes").scalar()
        write(own_database, 30)
        assert Checkpointer(str(path), Turn).checkpoint() > 0
        assert turns == 1
        assert reader.exec_driver_sql("SELECT count(*) FROM notes").scalar() == before == 10
    assert Checkpointer(str(path), Turn).checkpoint() == 0


def test_so_many_writes_start_a_checkpoint(own_database: Database) -> None:
    made = threading.Event()
    with (
        patch.object(checkpoints, "EVERY", 5),
        patch.object(checkpointer_of(own_database), "checkpoint", side_effect=made.set),
    ):
        write(own_database, 4)
        assert not made.is_set()
        write(own_database, 5)
        assert made.wait(timeout=60)


def test_a_checkpoint_that_ends_its_thread_is_followed_by_others(own_database: Database, path: Path) -> None:
    made, ended = threading.Event(), threading.Event()

    def checkpoint() -> None:
        if ended.is_set():
            made.set()
        ended.set()
        raise SystemExit

    own = checkpointer_of(own_database)
    with patch.object(checkpoints, "EVERY", 5), patch.object(own, "checkpoint", side_effect=checkpoint):
        write(own_database, 5)
        assert ended.wait(timeout=60)
        write(own_database, 5)
        assert made.wait(timeout=60)
