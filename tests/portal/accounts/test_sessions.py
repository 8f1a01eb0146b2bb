"""Sessions are kept on the server: listed, ended, and worth nothing once they are over (attack 12)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from portal.accounts.models import BrowserSession, Developer
from portal.accounts.session_store import TOUCHED_EVERY, forget_ended_sessions
from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Database
from portal.core.errors import ServiceUnavailable
from tests.lint import Page, read_page
from tests.portal.people import PASSWORD, field_of, fill_in, new_email, sign_in, sign_up

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)
NewClient = Callable[[], FlaskClient]


def is_member(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def cookie_of(client: FlaskClient) -> str:
    cookie = client.get_cookie("slipway_session")
    return cookie.value if cookie else ""


def copy_of(client: FlaskClient, new_client: NewClient) -> FlaskClient:
    """Another browser with a copy of the session's cookie."""
    thief = new_client()
    thief.set_cookie("slipway_session", cookie_of(client))
    return thief


def out(client: FlaskClient) -> None:
    assert fill_in(client, "/account", "/account/sign-out").status_code == 303


def sessions_of(database: Database, email: str) -> list[BrowserSession]:
    own = select(BrowserSession).join(Developer, Developer.id == BrowserSession.developer_id)
    with database.transaction(write=False) as session:
        return list(session.scalars(own.where(Developer.email == email).order_by(BrowserSession.id)))


def age(database: Database, email: str, **columns: dt.timedelta) -> None:
    """Move times of a person's sessions into the past."""
    with database.transaction() as session:
        for row in sessions_of(database, email):
            mine = session.get(BrowserSession, row.id)
            assert mine is not None
            for name, past in columns.items():
                setattr(mine, name, getattr(mine, name) - past)


def ending_forms(client: FlaskClient) -> list[str]:
    page = read_page("/account", client.get("/account"))
    return [form.get("action", "") for form in page.find_all("form") if "/account/sessions/" in form.get("action", "")]


def test_a_copied_cookie_is_dead_once_its_owner_has_signed_out(client: FlaskClient, new_client: NewClient) -> None:
    sign_up(client, new_email())
    thief = copy_of(client, new_client)
    assert is_member(thief)
    out(client)
    assert not is_member(thief)
    assert not is_member(client)


def test_a_guests_copied_cookie_is_dead_once_the_guest_signed_in(client: FlaskClient, new_client: NewClient) -> None:
    email = new_email()
    sign_up(new_client(), email)
    fill_in(client, "/checklist", done="secure-tokens")
    thief = copy_of(client, new_client)
    assert " checked>" in thief.get("/checklist").get_data(as_text=True)
    sign_in(client, email)
    assert " checked>" not in thief.get("/checklist").get_data(as_text=True)


def test_the_cookie_holds_a_random_id_and_the_store_its_hash(
    client: FlaskClient, database: Database, new_client: NewClient
) -> None:
    email = new_email()
    sign_up(client, email)
    first = cookie_of(client)
    sign_in(new_client(), email)
    assert len(first) >= 43 and "." not in first
    with database.transaction(write=False) as session:
        rows = session.connection().execute(text("SELECT * FROM browser_sessions")).all()
    assert len(sessions_of(database, email)) == 2
    assert first not in str(rows) and first.partition("_")[2] not in str(rows)


def test_what_a_session_holds_stands_encrypted(client: FlaskClient, database: Database) -> None:
    sign_up(client, new_email())
    with client.session_transaction() as session:
        session["shown_once"] = "whsec_plain"
    with client.session_transaction() as session:
        assert session["shown_once"] == "whsec_plain"
    with database.transaction(write=False) as reading:
        stored = str(reading.connection().execute(text("SELECT data FROM browser_sessions")).all())
    assert "whsec_plain" not in stored


def test_signing_in_changes_the_id(client: FlaskClient, new_client: NewClient) -> None:
    email = new_email()
    sign_up(client, email)
    seen = {cookie_of(client)}
    for _ in range(2):
        out(client)
        sign_in(client, email)
        seen.add(cookie_of(client))
    assert len(seen) == 3


@pytest.mark.parametrize("planted", ["ses_" + "A" * 43, "ses_", "ses_%00", "A" * 4000])
def test_an_id_that_the_server_did_not_give_is_never_taken_on(client: FlaskClient, planted: str) -> None:
    email = new_email()
    client.set_cookie("slipway_session", planted)
    assert client.get("/account").status_code == 303
    sign_up(client, email)
    assert is_member(client)
    assert cookie_of(client) != planted


def test_the_account_lists_sessions_in_plain_words(
    client: FlaskClient, new_client: NewClient, visit: Callable[..., Page]
) -> None:
    email, phone = new_email(), new_client()
    client.environ_base["HTTP_USER_AGENT"] = FIREFOX
    phone.environ_base["HTTP_USER_AGENT"] = SAFARI
    sign_up(client, email)
    sign_in(phone, email)
    page = visit("/account")
    assert "Firefox on Windows" in page.text
    assert "Mobile Safari on iPhone" in page.text
    assert page.text.count("This session") == 1
    assert phone.environ_base["REMOTE_ADDR"] in page.text


def test_one_session_is_ended_from_another(client: FlaskClient, new_client: NewClient) -> None:
    email, phone = new_email(), new_client()
    sign_up(client, email)
    sign_in(phone, email)
    [action] = [form for form in ending_forms(client) if form.endswith("/end")]
    assert is_member(phone)
    assert fill_in(client, "/account", action).status_code == 303
    assert not is_member(phone)
    assert is_member(client)


def test_all_other_sessions_are_ended_at_once(client: FlaskClient, new_client: NewClient) -> None:
    email, others = new_email(), [new_client() for _ in range(3)]
    sign_up(client, email)
    for other in others:
        sign_in(other, email)
    assert fill_in(client, "/account", "/account/sessions/end-others").status_code == 303
    assert is_member(client)
    assert not any(map(is_member, others))


def test_mallory_ends_no_session_of_alices(client: FlaskClient, new_client: NewClient, database: Database) -> None:
    email, mallory = new_email(), new_client()
    sign_up(client, email)
    sign_up(mallory, new_email("mallory"))
    [alices] = sessions_of(database, email)
    token = field_of(mallory.get("/account").get_data(as_text=True), "csrf_token", "/account/sign-out")
    for target in (alices.public_id, "ses_unknown", "%00"):
        answer = mallory.post(f"/account/sessions/{target}/end", data={"csrf_token": token})
        assert answer.status_code == 404
    assert is_member(client)


def test_staff_sessions_end_the_same_way(sam: FlaskClient, new_client: NewClient) -> None:
    thief = copy_of(sam, new_client)
    assert thief.get("/staff").status_code == 200
    out(sam)
    assert thief.get("/staff").status_code == 404


def test_a_session_ends_after_silence(client: FlaskClient, database: Database, settings: Settings) -> None:
    email = new_email()
    sign_up(client, email)
    idle = dt.timedelta(hours=settings.session_idle_hours)
    age(database, email, seen_at=idle - dt.timedelta(minutes=1))
    assert is_member(client)
    age(database, email, seen_at=idle + dt.timedelta(minutes=1))
    assert not is_member(client)


def test_a_session_ends_in_any_case_at_its_greatest_age(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    email = new_email()
    sign_up(client, email)
    age(database, email, created_at=dt.timedelta(hours=settings.session_hours, minutes=1))
    assert not is_member(client)


def test_reading_pages_writes_when_it_was_seen_every_few_minutes_only(client: FlaskClient, database: Database) -> None:
    email = new_email()
    sign_up(client, email)
    is_member(client)
    [before] = sessions_of(database, email)
    is_member(client)
    assert sessions_of(database, email)[0].seen_at == before.seen_at
    age(database, email, seen_at=TOUCHED_EVERY)
    client.environ_base["REMOTE_ADDR"] = "192.0.2.200"
    is_member(client)
    [after] = sessions_of(database, email)
    assert after.seen_at >= before.seen_at
    assert after.address == "192.0.2.200"


def test_what_has_ended_is_deleted(client: FlaskClient, database: Database, settings: Settings) -> None:
    old, young = new_email(), new_email()
    sign_up(client, old)
    out(client)
    sign_in(client, old)
    age(database, old, seen_at=dt.timedelta(hours=settings.session_idle_hours, minutes=1))
    sign_up(client, young)
    forget_ended_sessions(database, settings)
    assert len(sessions_of(database, young)) == 1
    assert sessions_of(database, old) == []


def test_a_cookie_of_an_earlier_release_signs_nobody_in(app: Flask, client: FlaskClient, database: Database) -> None:
    email = new_email()
    sign_up(client, email)
    with database.transaction(write=False) as session:
        member = session.scalars(select(Developer).where(Developer.email == email)).one()
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    client.set_cookie("slipway_session", signer.dumps({"_user_id": f"{member.public_id}.2", "_fresh": True}))
    assert not is_member(client)


def test_a_refused_sign_in_leaves_the_session_as_it_was(client: FlaskClient, new_client: NewClient) -> None:
    email = new_email()
    sign_up(new_client(), email)
    fill_in(client, "/checklist", done="secure-tokens")
    assert sign_in(client, email, "not the password").status_code == 400
    assert " checked>" in client.get("/checklist").get_data(as_text=True)


def test_a_person_has_so_many_sessions_and_the_oldest_ends(
    client: FlaskClient, new_client: NewClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.accounts.session_store.MOST_SESSIONS", 2)
    email, second, third = new_email(), new_client(), new_client()
    sign_up(client, email)
    assert sign_in(second, email, PASSWORD).status_code == 303
    assert sign_in(third, email, PASSWORD).status_code == 303
    assert [is_member(client), is_member(second), is_member(third)] == [False, True, True]


def test_sessions_on_the_account_page_are_those_that_work(
    client: FlaskClient, database: Database, new_client: NewClient
) -> None:
    email, ended = new_email(), new_client()
    sign_up(ended, email)
    age(database, email, seen_at=dt.timedelta(days=400))
    sign_in(client, email)
    assert ending_forms(client) == []
    assert system_now() - sessions_of(database, email)[-1].seen_at < dt.timedelta(hours=1)


def test_a_store_that_fails_signs_nobody_out(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_up(client, new_email())

    def fail(*given: object) -> None:
        raise ServiceUnavailable

    with monkeypatch.context() as failing:
        failing.setattr("portal.accounts.browser_sessions.find_session", fail)
        for answer in (client.get("/account"), client.get("/account/sign-in"), client.get("/checklist")):
            assert answer.status_code == 503
            assert "slipway_session" not in answer.headers.get("Set-Cookie", "")
    assert is_member(client)


def test_what_a_slow_page_keeps_does_not_bring_an_ended_session_back(
    client: FlaskClient, new_client: NewClient
) -> None:
    sign_up(client, new_email())
    thief = copy_of(client, new_client)
    with thief.session_transaction() as slow:
        slow["receipt"] = ["seen late"]
        out(client)
    assert not is_member(thief)
