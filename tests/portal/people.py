"""What people do in a browser: fill in forms, sign up, come to the desk."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import runtime_of
from tests.portal.mails import ACCOUNTS, mails_to, work

PASSWORD = "a few plain words"


def new_email(name: str = "jane") -> str:
    """An address no other test uses."""
    return f"{name}-{secrets.token_hex(6)}@example.com"


def field_of(html: str, name: str, action: str = "") -> str:
    """The value of a form's hidden field; of the form with this action where there are several."""
    start = html.index(f'action="{action}"') if action else html.index("<main") if "<main" in html else 0
    tag = re.search(rf'<input[^>]*name="{name}"[^>]*>', html[start:])
    assert tag, f"no field {name}"
    value = re.search(r'value="([^"]*)"', tag.group())
    return value.group(1) if value else ""


def fill_in(client: FlaskClient, page: str, action: str = "", **fields: Any) -> TestResponse:
    """Open `page`, fill in its form (the one sent to `action`) and send it."""
    if "csrf_token" not in fields:
        html = client.get(page).get_data(as_text=True)
        fields["csrf_token"] = field_of(html, "csrf_token", action or page)
    return client.post(action or page, data=fields)


def ask_to_sign_up(client: FlaskClient, email: str, wanted: str = "", **details: Any) -> TestResponse:
    """Ask for the link that makes an account. `wanted` is the page to go on with."""
    page = f"/account/sign-up?next={wanted}" if wanted else "/account/sign-up"
    return fill_in(client, page, **{"name": "Alice Archer", "email": email} | details)


def mailed_link(app: Flask, email: str) -> str:
    """The path of the link in the newest mail about an account that went to an address; empty without one."""
    database = runtime_of(app).database
    work(database, ACCOUNTS)
    links = [re.search(r"/account/(?:new|reset|verify)/\S+", mail["text"]) for mail in mails_to(database, email)]
    return next((link.group() for link in reversed(links) if link), "")


def sign_up(
    client: FlaskClient, email: str, *, password: str = PASSWORD, wanted: str = "", **details: Any
) -> TestResponse:
    """Become a member: ask for the link, open it, choose a password."""
    asked = ask_to_sign_up(client, email, wanted, **details)
    assert asked.status_code == 303, asked.get_data(as_text=True)
    return fill_in(client, mailed_link(client.application, email), password=password)


def sign_in(client: FlaskClient, email: str, password: str = PASSWORD) -> TestResponse:
    """Come back as a member."""
    return fill_in(client, "/account/sign-in", email=email, password=password)


def who_is(client: FlaskClient) -> str:
    """The public id of the developer whose session this browser has; empty without one."""
    with client.session_transaction() as session:
        developer = session.developer  # type: ignore[attr-defined]
    return developer.public_id if developer else ""


def use_link(client: FlaskClient, link: str) -> TestResponse:
    """Open a link that acts once and press its button."""
    return fill_in(client, link)


def invite_staff(app: Flask, email: str, role: str = "agent") -> str:
    """Make somebody staff by command; gives the path of the one-time link."""
    arguments = ["staff", "create", "--email", email, "--role", role, "--format", "json"]
    result = app.test_cli_runner().invoke(args=arguments)
    assert result.exit_code == 0, result.output
    url: str = json.loads(result.output)["sign_in_url"]
    return url[url.index("/account/") :]
