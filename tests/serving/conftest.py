"""Servers of a module's own, on the store of the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from portal.core.config import Settings, load_settings
from portal.serving.processes import server_command
from tests.serving.processes import Served, environ_for, free_port, serving


def one_process(settings: Settings, **more: str) -> Iterator[Served]:
    """The server with one process and two threads."""
    environ = environ_for(settings, free_port(), WORKERS="1", THREADS="2", **more)
    with serving(server_command(load_settings(environ)), environ) as served:
        yield served


@pytest.fixture(scope="module")
def patient(app: Flask, settings: Settings) -> Iterator[Served]:
    """Waits ten minutes for a body: whoever is slow is so for the whole test."""
    yield from one_process(settings, REQUEST_TIMEOUT="600")


@pytest.fixture(scope="module")
def hasty(app: Flask, settings: Settings) -> Iterator[Served]:
    """Waits half a second for a body, and for headers."""
    yield from one_process(settings, REQUEST_TIMEOUT="0.5")
