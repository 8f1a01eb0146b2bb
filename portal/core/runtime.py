"""What a running application holds besides its routes: settings, stores, and the request's one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from flask import Flask, Response, current_app, g, request

from portal.core.config import Settings
from portal.core.database import Database
from portal.core.deadlines import begin_waiting
from portal.core.meter import DatabaseMeter, Meter, RedisMeter
from portal.core.outgoing import OutgoingClient
from portal.core.probes import KEY, WINDOW_SECONDS, StoreProbes
from portal.core.session import TenantSession
from portal.core.shared_writes import SharedWrites
from portal.core.store_errors import is_store_failure
from portal.core.types import EncryptedText

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Runtime:
    """The parts every feature may need."""

    settings: Settings
    database: Database
    meter: Meter
    shared_writes: SharedWrites
    outgoing: OutgoingClient
    probes: StoreProbes


class OwnPlaces(Mapping[str, str]):
    """The URL prefixes of our own places that outgoing calls may reach, each with where it is reached from here.

    `paths` are the places, as `/inbox/`. Follows the application's settings at the time of the call.
    """

    def __init__(self, app: Flask, paths: tuple[str, ...]) -> None:
        self._app = app
        self._paths = paths

    def __getitem__(self, prefix: str) -> str:
        return self._places()[prefix]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places())

    def __len__(self) -> int:
        return len(self._paths)

    def _places(self) -> dict[str, str]:
        settings = self._app.extensions["slipway"].settings
        return {settings.base_url + path: settings.self_url + path for path in self._paths}


def init_runtime(app: Flask, settings: Settings, own_places: tuple[str, ...] = ()) -> Runtime:
    """Open the stores and hang the request's transaction on the application."""
    EncryptedText.use_secret(settings.secret_key)
    database = Database(settings.database_url, pool_size=settings.threads, timeout=settings.store_timeout)
    meter = RedisMeter(settings.redis_url, settings.store_timeout) if settings.redis_url else DatabaseMeter(database)
    outgoing = OutgoingClient(settings.outgoing_allow, OwnPlaces(app, own_places))
    probes = _probes_of(settings, database, meter)
    parts = Runtime(settings, database, meter, SharedWrites(database.engine), outgoing, probes)
    app.extensions["slipway"] = parts
    app.before_request(begin_waiting)
    app.after_request(end_transaction)
    app.teardown_request(_close_session)
    return parts


def _probes_of(settings: Settings, database: Database, meter: Meter) -> StoreProbes:
    writes = {"database": partial(DatabaseMeter(database).add, KEY, WINDOW_SECONDS, 1)}
    if settings.redis_url:
        writes["redis"] = partial(meter.add, KEY, WINDOW_SECONDS, 1)
    return StoreProbes(writes, settings.store_timeout / 2)


def runtime() -> Runtime:
    """The current application's parts."""
    parts = current_app.extensions["slipway"]
    assert isinstance(parts, Runtime)
    return parts


def current_session(*, write: bool = False) -> TenantSession:
    """The request's session, opened on first use: for GET a reading transaction unless `write`, else a writing one."""
    session: TenantSession | None = g.get("session")
    if session is None:
        session = runtime().database.open_session(write=write or request.method not in READING_METHODS)
        g.session = session
    return session


def end_transaction(response: Response) -> Response:
    """Commit below status 400, roll back otherwise. Safe to call twice."""
    session: TenantSession | None = g.get("session")
    if session is not None and session.in_transaction():
        if response.status_code < 400:
            session.commit()
        else:
            roll_back(session)
    return response


def roll_back(session: TenantSession) -> None:
    """Roll a session back. If its store has failed, there is nothing left to roll back: its connection is given up."""
    try:
        session.rollback()
    except Exception as error:
        if not is_store_failure(error):
            raise
        session.invalidate()


def abandon_transaction() -> None:
    """Take back what the request did so far and let go of its locks."""
    session: TenantSession | None = g.get("session")
    if session is not None and session.in_transaction():
        roll_back(session)


def commit_early() -> None:
    """Keep what the request did so far and let go of its locks, before it waits for something slow."""
    session: TenantSession | None = g.get("session")
    if session is not None:
        session.commit()


def _close_session(error: BaseException | None) -> None:
    session: TenantSession | None = g.pop("session", None)
    try:
        if session is not None:
            roll_back(session)
            session.close()
    finally:
        begin_waiting()
