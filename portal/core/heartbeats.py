"""Heartbeats of workers: a row per process, written every few seconds, by which others know that somebody works."""

from __future__ import annotations

import datetime as dt
import logging
import os
import platform
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Integer, String, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.clock import system_now
from portal.core.database import Base, Database
from portal.core.leases import HOLDER_LENGTH
from portal.core.processes import has_ended, name_process
from portal.core.session import TenantSession
from portal.core.types import UtcDateTime

BEAT_SECONDS = 3.0
SILENCE = dt.timedelta(seconds=15)
"""After which a worker counts as dead: several beats, and some difference between the clocks of machines."""
FORGOTTEN = dt.timedelta(hours=1)
"""After which a living worker removes the row of one that never came back."""
WORKER = "worker"
"""The kind of process that delivers, performs jobs and keeps the schedule."""
KINDS = (WORKER,)

log = logging.getLogger("slipway.worker")


class Heartbeat(Base):
    """A process that works in the background. `process` is its name among all of all machines."""

    __tablename__ = "workers"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    process: Mapped[str] = mapped_column(String(HOLDER_LENGTH), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int]
    started_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    beat_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True)
class Attendance:
    """How many processes of a kind are alive, and when one was last heard of; None if none left a trace."""

    alive: int = 0
    last_beat_at: dt.datetime | None = None


class Heart:
    """Beats for this process, on a thread of its own, until it is stopped. A store that fails makes it skip beats."""

    def __init__(self, database: Database, kind: str = WORKER, seconds: float = BEAT_SECONDS) -> None:
        self._database = database
        self._kind = kind
        self._seconds = seconds
        self._process = name_process()
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def start(self) -> None:
        """Beat from now on."""
        self._thread.start()

    def stop(self) -> None:
        """End, and remove the row: the process ends as it should."""
        self._is_stopping.set()
        self._thread.join()
        try:
            with self._database.transaction() as session:
                session.execute(delete(Heartbeat).where(Heartbeat.process == self._process))
        except Exception:
            log.warning("the heartbeat's row could not be removed", exc_info=True)

    def _run(self) -> None:
        while not self._is_stopping.is_set():
            try:
                self.beat()
            except Exception as error:
                log.warning("a heartbeat was not written: %s", error)
            self._is_stopping.wait(self._seconds)

    def beat(self) -> None:
        """Write one beat. The first also removes the rows of workers that are dead."""
        now = system_now()
        with self._database.transaction() as session:
            own: Any = session.execute(update(Heartbeat).where(Heartbeat.process == self._process).values(beat_at=now))
            if not own.rowcount:
                self._begin(session, now)
            session.execute(delete(Heartbeat).where(Heartbeat.beat_at < now - FORGOTTEN))

    def _begin(self, session: TenantSession, now: dt.datetime) -> None:
        known = session.scalars(select(Heartbeat.process)).all()
        dead = [process for process in known if has_ended(process)]
        session.execute(delete(Heartbeat).where(Heartbeat.process.in_(dead)))
        place = {"host": platform.node(), "pid": os.getpid(), "started_at": now, "beat_at": now}
        session.execute(insert(Heartbeat).values(process=self._process, kind=self._kind, **place))


def read_attendance(session: TenantSession) -> dict[str, Attendance]:
    """Return who is alive, by kind. One of this machine that was killed is not, however lately it beat."""
    since = system_now() - SILENCE
    alive: defaultdict[str, int] = defaultdict(int)
    last: dict[str, dt.datetime] = {}
    for row in session.execute(select(Heartbeat.kind, Heartbeat.process, Heartbeat.beat_at)):
        alive[row.kind] += row.beat_at > since and not has_ended(row.process)
        last[row.kind] = max(row.beat_at, last.get(row.kind, row.beat_at))
    return {kind: Attendance(alive[kind], last.get(kind)) for kind in (*KINDS, *(alive.keys() - set(KINDS)))}
