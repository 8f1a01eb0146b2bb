"""Signing up, in and out, and what ends a session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.accounts import passwords
from portal.accounts.models import Developer
from portal.core.database import Database
from tests.lint import Page
from tests.portal.people import PASSWORD, ask_to_sign_up, fill_in, mailed_link, new_email, sign_in, sign_up, who_is


def is_member(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def cookie_of(client: FlaskClient) -> str:
    cookie = client.get_cookie("slipway_session")
    return cookie.value if cookie else ""


def with_cookie(client: FlaskClient, value: str) -> FlaskClient:
    client.set_cookie("slipway_session", value)
    return client


def developer_with(database: Database, email: str) -> Developer:
    with database.transaction(write=False) as session:
        return session.scalars(select(Developer).where(Developer.email == email)).one()


def test_signing_up_leads_to_an_account(client: FlaskClient, visit: Callable[..., Page]) -> None:
    visit("/account/sign-up")
    email = new_email("Alice")
    answer = sign_up(client, email)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    page = visit("/account")
    assert email.lower() in page.text
    assert "Alice Archer" in page.text
    assert page.response.headers["Cache-Control"] == "no-store"


def test_a_visitor_is_sent_to_sign_in_and_comes_back(client: FlaskClient, visit: Callable[..., Page]) -> None:
    answer = client.get("/account?tab=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/sign-in?next=/account?tab%3D1")
    email = new_email()
    sign_up(client, email)
    fill_in(client, "/account", "/account/sign-out")
    visit("/account/sign-in?next=/account")
    back = fill_in(client, "/account/sign-in?next=/checklist", email=email, password=PASSWORD)
    assert back.headers["Location"] == "/checklist"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "/%0d%0aSet-Cookie:x",
        "evil.example",
        "///evil.example",
        " //evil.example",
    ],
)
def test_next_leads_nowhere_but_here(client: FlaskClient, wanted: str) -> None:
    email = new_email()
    sign_up(client, email)
    fill_in(client, "/account", "/account/sign-out")
    html = client.get("/account/sign-in").get_data(as_text=True)
    token = html.split('name="csrf_token" type="hidden" value="')[1].split('"')[0]
    fields = {"csrf_token": token, "email": email, "password": PASSWORD}
    answer = client.post("/account/sign-in", query_string={"next": wanted}, data=fields)
    location = answer.headers["Location"]
    assert answer.status_code == 303
    assert location.startswith("/") and not location.startswith(("//", "/\\"))
    assert "\r" not in location and "\n" not in location


def test_a_wrong_password_and_an_unknown_address_are_told_alike(
    client: FlaskClient, new_client: Callable[[], FlaskClient]
) -> None:
    known, unknown = new_email(), new_email()
    sign_up(client, known)
    texts = []
    for email in (known, unknown):
        answer = sign_in(new_client(), email, "wrong password")
        assert answer.status_code == 400
        html = answer.get_data(as_text=True).replace(email, "someone")
        texts.append(html.split("<main")[1].split("csrf_token")[0] + html.split("csrf_token")[1].partition(">")[2])
    assert texts[0] == texts[1]
    assert "The e-mail address or the password is wrong." in texts[0]


def test_an_unknown_address_costs_as_much_hashing_as_a_known_one(
    client: FlaskClient, new_client: Callable[[], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = new_email()
    sign_up(client, known)
    hashed: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Any:
            hashed.append(str(hash))
            return super().verify(hash, password)

    monkeypatch.setattr(passwords, "_hasher", Counting(time_cost=2, memory_cost=19456, parallelism=1))
    for email in (known, new_email()):
        hashed.clear()
        sign_in(new_client(), email, "wrong password")
        assert len(hashed) == 1
        assert "m=19456,t=2,p=1" in hashed[0]


def test_the_password_stands_hashed_as_owasp_says(client: FlaskClient, database: Database) -> None:
    email = new_email()
    sign_up(client, email)
    stored = developer_with(database, email).password_hash or ""
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSWORD not in stored


def test_a_session_planted_before_signing_up_is_worth_nothing_after(
    client: FlaskClient, new_client: Callable[[], FlaskClient]
) -> None:
    fill_in(client, "/checklist", done="secure-tokens")
    planted = cookie_of(client)
    sign_up(client, new_email())
    assert is_member(client)
    mallory = with_cookie(new_client(), planted)
    assert not is_member(mallory)
    assert " checked>" not in mallory.get("/checklist").get_data(as_text=True)


def test_signing_in_takes_nothing_of_an_earlier_session_along(
    client: FlaskClient, new_client: Callable[[], FlaskClient]
) -> None:
    email = new_email()
    sign_up(client, email)
    other = new_client()
    with other.session_transaction() as planted:
        planted["console_role"] = "viewer"
    sign_in(other, email)
    assert who_is(other).startswith("dev_")
    with other.session_transaction() as session:
        assert "console_role" not in session


def test_a_changed_password_ends_every_other_session(
    client: FlaskClient, new_client: Callable[[], FlaskClient]
) -> None:
    email = new_email()
    sign_up(client, email)
    elsewhere = new_client()
    sign_in(elsewhere, email)
    fields = {"current_password": PASSWORD, "new_password": "quite another one"}
    answer = fill_in(client, "/account", "/account/password", **fields)
    assert answer.status_code == 303
    assert is_member(client)
    assert not is_member(elsewhere)
    assert sign_in(new_client(), email).status_code == 400
    assert sign_in(new_client(), email, "quite another one").status_code == 303


def test_the_password_is_not_changed_without_the_old_one(client: FlaskClient) -> None:
    sign_up(client, new_email())
    fields = {"current_password": "guessed wrong", "new_password": "quite another one"}
    answer = fill_in(client, "/account", "/account/password", **fields)
    assert answer.status_code == 400
    assert "This is not your password" in answer.get_data(as_text=True)


def test_signing_out_takes_a_post_and_ends_the_session(client: FlaskClient) -> None:
    sign_up(client, new_email())
    assert client.get("/account/sign-out").status_code == 405
    assert client.post("/account/sign-out").status_code == 400
    assert is_member(client)
    assert fill_in(client, "/account", "/account/sign-out").status_code == 303
    assert not is_member(client)


def test_an_address_has_one_account_whatever_its_case(
    app: Flask, client: FlaskClient, new_client: Callable[[], FlaskClient]
) -> None:
    email = new_email()
    sign_up(client, email)
    ask_to_sign_up(new_client(), email.upper())
    assert mailed_link(app, email).startswith("/account/reset/")


def test_what_is_wrong_stands_beside_the_fields(client: FlaskClient) -> None:
    answer = ask_to_sign_up(client, "alice@", name="")
    html = answer.get_data(as_text=True)
    assert answer.status_code == 400
    for sentence in ("Name is required", "Invalid email format"):
        assert sentence in html
    assert 'value="alice@"' in html


@pytest.mark.parametrize("path", ["/account/sign-in", "/account/sign-up", "/account/reset"])
def test_a_form_without_the_sessions_token_is_refused_in_words(client: FlaskClient, path: str) -> None:
    fields = {"name": "Alice", "email": new_email(), "password": PASSWORD}
    for extra in ({}, {"csrf_token": "forged"}):
        answer = client.post(path, data=fields | extra)
        assert answer.status_code == 400
        assert "Please send the form again" in answer.get_data(as_text=True)


def test_a_token_of_another_session_is_refused(client: FlaskClient, new_client: Callable[[], FlaskClient]) -> None:
    html = new_client().get("/account/sign-up").get_data(as_text=True)
    token = html.split('name="csrf_token" type="hidden" value="')[1].split('"')[0]
    client.get("/account/sign-up")
    assert ask_to_sign_up(client, new_email(), csrf_token=token).status_code == 400


def test_pages_for_anybody_set_no_cookie(client: FlaskClient) -> None:
    for path in ("/", "/docs/introduction", "/reference", "/contact", "/support", "/checklist"):
        assert "Set-Cookie" not in client.get(path).headers, path


def test_documentation_looks_at_nobodys_session(client: FlaskClient) -> None:
    sign_up(client, new_email())
    for path in ("/docs/introduction", "/static/favicon.svg"):
        answer = client.get(path)
        assert "Cookie" not in ", ".join(answer.headers.getlist("Vary")), path
        assert "Set-Cookie" not in answer.headers
