"""Guests: developers who have not signed up, and what becomes of what they made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from portal.accounts.models import Developer
from portal.accounts.service import create_guest, forget_guests
from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Database
from tests.portal.people import fill_in, new_email, sign_in, sign_up, who_is


def ticked(client: FlaskClient) -> int:
    return client.get("/checklist").get_data(as_text=True).count(" checked>")


def test_a_guest_becomes_a_member_in_place(client: FlaskClient, database: Database) -> None:
    fill_in(client, "/checklist", done=["secure-tokens", "safe-retries"])
    guest = who_is(client)
    email = new_email()
    sign_up(client, email)
    with database.transaction(write=False) as reading:
        member = reading.scalars(select(Developer).where(Developer.email == email)).one()
    assert member.public_id == guest
    assert member.expires_at is None
    assert ticked(client) == 2


def test_what_a_guest_ticked_moves_to_the_account_on_signing_in(
    client: FlaskClient, new_client: Callable[[], FlaskClient]
) -> None:
    email = new_email()
    fill_in(client, "/checklist", done=["secure-tokens", "safe-retries"])
    sign_up(client, email)
    other = new_client()
    fill_in(other, "/checklist", done=["safe-retries", "clear-notices"])
    sign_in(other, email)
    assert ticked(other) == ticked(client) == 3


def test_a_guests_session_ends_after_a_day(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_in(client, "/checklist", done="secure-tokens")
    assert ticked(client) == 1
    monkeypatch.setattr("portal.accounts.models.system_now", lambda: system_now() + dt.timedelta(hours=25))
    assert ticked(client) == 0


def test_guests_whose_time_is_over_are_forgotten(database: Database, settings: Settings) -> None:
    with database.transaction() as session:
        old, young = create_guest(session), create_guest(session)
        old.expires_at = system_now() - dt.timedelta(seconds=1)
    forget_guests(database, settings)
    with database.transaction() as session:
        kept = select(func.count()).where(Developer.public_id.in_([old.public_id, young.public_id]))
        assert session.scalar(kept) == 1


@pytest.mark.parametrize("forged", ["", "ses_" + "0" * 43, "nonsense"])
def test_a_session_that_names_nobody_is_nobodys(client: FlaskClient, forged: str) -> None:
    client.set_cookie("slipway_session", forged)
    assert client.get("/account").status_code == 303
    assert client.get("/checklist").status_code == 200
