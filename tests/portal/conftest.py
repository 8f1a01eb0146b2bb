"""People who visit the portal's pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.core.clock import system_now
from tests.portal.people import invite_staff, new_email, use_link


@pytest.fixture
def sam(app: Flask, new_client: Callable[[], FlaskClient]) -> FlaskClient:
    """A colleague, signed in at the desk."""
    client = new_client()
    assert use_link(client, invite_staff(app, new_email("sam"))).status_code == 303
    return client


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever fills in a form now takes a minute for it."""
    monkeypatch.setattr("portal.web.csrf.system_now", lambda: system_now() + dt.timedelta(minutes=1))
