"""Whose calls are counted together: by address, by network, by the visitor behind the console (attack 11)."""

from __future__ import annotations

import pytest
from flask import Flask

from portal.limits import VISITOR_HEADER, client_address, typed_email, vouch_for_visitor

LEAD = {"name": "Asha", "email": "Asha@buyers.example", "message": "Hello"}


def address_of(app: Flask, remote: str, headers: dict[str, str] | None = None) -> str:
    with app.test_request_context("/", environ_base={"REMOTE_ADDR": remote}, headers=headers):
        return client_address()


@pytest.mark.one_store
@pytest.mark.parametrize(
    ("remote", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::"),
        ("2001:db8:1:3::4", "2001:db8:1:3::"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("unknown", "0.0.0.0"),
        ("203.0.113.9:4711", "0.0.0.0"),
    ],
)
def test_a_network_of_sixty_four_bits_counts_as_one(app: Flask, remote: str, counted: str) -> None:
    assert address_of(app, remote) == counted


@pytest.mark.one_store
def test_the_console_names_the_visitor_it_calls_for(app: Flask) -> None:
    with app.test_request_context("/", environ_base={"REMOTE_ADDR": "203.0.113.9"}):
        vouched = vouch_for_visitor()
    assert address_of(app, "127.0.0.1", vouched) == "203.0.113.9"


@pytest.mark.one_store
def test_nobody_else_can_name_a_visitor(app: Flask) -> None:
    with app.test_request_context("/", environ_base={"REMOTE_ADDR": "203.0.113.9"}):
        vouched = vouch_for_visitor()
    assert address_of(app, "198.51.100.7", vouched) == "198.51.100.7"
    assert address_of(app, "127.0.0.1", {VISITOR_HEADER: "8.8.8.8"}) == "127.0.0.1"
    assert address_of(app, "127.0.0.1", {VISITOR_HEADER: vouched[VISITOR_HEADER][:-2] + "xx"}) == "127.0.0.1"


@pytest.mark.one_store
def test_an_email_is_counted_whatever_its_case(app: Flask) -> None:
    keys = set()
    for email in ("asha@buyers.example", " ASHA@buyers.example "):
        with app.test_request_context("/", method="POST", json={**LEAD, "email": email}):
            keys.add(typed_email())
    assert len(keys) == 1


@pytest.mark.one_store
@pytest.mark.parametrize("spelling", ["asha@BUYERS.example", "asha@\uff42uyers.example", "asha@buyers\u3002example"])
def test_an_email_is_counted_however_it_is_spelled(app: Flask, spelling: str) -> None:
    keys = set()
    for email in ("asha@buyers.example", spelling):
        with app.test_request_context("/", method="POST", data={"email": email}):
            keys.add(typed_email())
    assert len(keys) == 1
