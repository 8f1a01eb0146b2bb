"""Servers of a module's own, on the store of the tests, and on a store in which nothing else happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask

import sandbox
from portal.app import create_app
from portal.commands import prepare_database
from portal.core.config import Settings, load_settings
from portal.serving.processes import server_command
from tests.conftest import runtime_of
from tests.serving.processes import Served, environ_for, free_port, serving
from tests.stores import Store, database_of_our_own


def one_process(settings: Settings, **more: str) -> Iterator[Served]:
    """The server with one process and two threads."""
    environ = environ_for(settings, free_port(), WORKERS="1", THREADS="2", **more)
    with serving(server_command(), environ) as served:
        yield served


@pytest.fixture(scope="module")
def patient(app: Flask, settings: Settings) -> Iterator[Served]:
    """Waits ten minutes for a body: whoever is slow is so for the whole test."""
    yield from one_process(settings, REQUEST_TIMEOUT="600")


@pytest.fixture(scope="module")
def hasty(app: Flask, settings: Settings) -> Iterator[Served]:
    """Waits half a second for a body, and for headers."""
    yield from one_process(settings, REQUEST_TIMEOUT="0.5")


@pytest.fixture(scope="module")
def quiet_settings(store: Store, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A store in which nothing happens but what the module does."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("quiet")
        url = f"sqlite:///{folder / 'slipway.db'}"
        if store.database_url.startswith("postgres"):
            url = stack.enter_context(database_of_our_own(store.database_url))
        own = {"DATABASE_URL": url, "INSTANCE_PATH": str(Path(folder)), "BASE_URL": settings.base_url}
        yield load_settings(environ_for(settings, free_port(), **own))


@pytest.fixture(scope="module")
def quiet(quiet_settings: Settings) -> Iterator[Flask]:
    """The application on that store."""
    app = create_app(quiet_settings, sandbox.extension)
    prepare_database(runtime_of(app).database, quiet_settings, sandbox.extension.preparations)
    yield app
    runtime_of(app).database.close()
