"""A whole portal on store servers of its own, so that they can be stopped, frozen and filled."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

import sandbox
from portal.app import create_app
from portal.commands import prepare_database
from portal.core.config import Settings, load_settings
from portal.core.database import Database
from sandbox.tenants import NewSandbox, create_sandbox
from tests.conftest import SECRET, Integration, runtime_of
from tests.outages.calls import Caller, make_caller
from tests.own_servers import PostgresqlServer, RedisServer, postgresql_binaries

STORE_TIMEOUT = "2"
"""Seconds: as short as PostgreSQL's client lets a connection attempt be."""


@dataclass
class Stack:
    """An application, its stores, and an administrator of a sandbox in it."""

    app: Flask
    settings: Settings
    new: NewSandbox
    caller: Caller
    postgresql: PostgresqlServer
    redis: RedisServer

    @property
    def alice(self) -> Integration:
        return Integration(self.app.test_client(), self.new.keys["administrator"], self.new.tenant.public_id)

    def database_at(self, port: int) -> Database:
        """Return the database as another process reaches it, at another port."""
        return Database(self.settings.database_url.replace(str(self.postgresql.port), str(port)))


@pytest.fixture(scope="session")
def servers() -> Iterator[tuple[PostgresqlServer, RedisServer]]:
    binaries = postgresql_binaries()
    if binaries is None or not shutil.which("redis-server"):
        pytest.skip("PostgreSQL and Redis of one's own were not found: install their servers")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slipway-")))
        folder.chmod(0o755)
        postgresql = PostgresqlServer(binaries, folder / "postgresql", "-c max_connections=30")
        postgresql.create()
        redis = RedisServer(folder)
        for server in (postgresql, redis):
            stack.callback(server.stop)
            server.start()
        yield postgresql, redis


@pytest.fixture(scope="session")
def whole_stack(
    servers: tuple[PostgresqlServer, RedisServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    postgresql, redis = servers
    environ = {"DATABASE_URL": postgresql.url, "REDIS_URL": redis.url, "THREADS": "4"}
    settings = settings_with(tmp_path_factory, environ)
    app = new_app(settings)
    with runtime_of(app).database.transaction() as session:
        new = create_sandbox(session, settings, name="Outages", plan="enterprise")
    yield Stack(app, settings, new, make_caller(app, new), postgresql, redis)
    runtime_of(app).database.close()


@pytest.fixture
def stack(whole_stack: Stack) -> Iterator[Stack]:
    """The stack with everything running, before the test and after it."""
    _bring_up(whole_stack)
    yield whole_stack
    _bring_up(whole_stack)


def settings_with(tmp_path_factory: pytest.TempPathFactory, environ: dict[str, str]) -> Settings:
    own = {"SECRET_KEY": SECRET, "BASE_URL": "http://localhost:8000", "STORE_TIMEOUT": STORE_TIMEOUT}
    return load_settings({"INSTANCE_PATH": str(tmp_path_factory.mktemp("instance")), **own, **environ})


def new_app(settings: Settings) -> Flask:
    """An application on prepared stores."""
    app = create_app(settings, sandbox.extension)
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    parts = runtime_of(app)
    prepare_database(parts.database, settings, sandbox.extension.preparations)
    return app


def _bring_up(stack: Stack) -> None:
    for server in (stack.postgresql, stack.redis):
        server.ensure_running()
    pause = threading.Event()
    for _ in range(1200):
        if stack.alice.get("/api/v2/customers/1").status_code == 200:
            return
        pause.wait(0.1)
    raise AssertionError("the portal did not come back with its stores")
