"""What strains a parser is refused in a documented way, whoever sends it (attacks 16, 22, 23)."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.api.exchanges import Exchange
from portal.core.database import Database
from sandbox.tenants import NewSandbox
from tests.conftest import Integration

LIST = "/api/v2/customers"
LEADS = "/api/public/leads"
JSON = "application/json"
PAGES = ("/contact", "/support", "/account/sign-in", "/account/sign-up", "/checklist")


@pytest.mark.parametrize("path", [LEADS, "/api/v1/support/guest"])
@pytest.mark.parametrize("raw", [b"[" * 200_000, b'{"email":' * 100_000, b'{"email": 1' + b"0" * 5000 + b"}"])
def test_a_strangers_deep_or_long_body_is_malformed(client: FlaskClient, path: str, raw: bytes) -> None:
    answer = client.post(path, data=raw, content_type=JSON)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "malformed_json")


def test_a_key_that_stands_twice_is_found_in_no_time_among_many(client: FlaskClient) -> None:
    many = ",".join(f'"a{number}":1' for number in range(80_000))
    started = time.perf_counter()
    answer = client.post(LEADS, data=f'{{{many},"a79999":1}}', content_type=JSON)
    assert "'a79999' stands twice" in answer.get_json()["message"]
    assert time.perf_counter() - started < 60, "compared every name with every other"


def test_a_body_that_hides_its_length_is_measured_all_the_same(alice: Integration) -> None:
    raw = b'{"account": "Jane"}' + b" " * 1_100_000
    chunked = {"wsgi.input": io.BytesIO(raw), "wsgi.input_terminated": True, "CONTENT_TYPE": JSON}
    answer = alice.post(LIST, environ_overrides=chunked)
    assert (answer.status_code, answer.get_json()["code"]) == (413, "payload_too_large")


@pytest.mark.parametrize("path", [LEADS, LIST])
def test_an_answer_about_too_large_a_body_is_whole_and_logged(
    alice: Integration, alices_sandbox: NewSandbox, database: Database, path: str
) -> None:
    own = {"X-Publishable-Key": alices_sandbox.tenant.publishable_id or ""}
    answer = alice.call("POST", path, data=b"x" * 1_100_000, content_type=JSON, headers=own)
    assert answer.status_code == 413
    assert {"X-Request-Id", "X-RateLimit-Limit", "Content-Security-Policy"} <= set(answer.headers.keys())
    with database.transaction(write=False) as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        assert [row.status for row in session.scalars(select(Exchange))] == [413]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("body", [[1, 2], {"csrf_token": 5}, {"email": ["jane@example.com"]}, "text"])
def test_a_page_takes_forms_only(client: FlaskClient, path: str, body: object) -> None:
    assert client.post(path, json=body).status_code == 415


@pytest.mark.parametrize("mark", ["\u0301", "\u20dd", "\u0489", "\u034f", "\ufe0f"])
def test_heaps_of_marks_are_refused_whatever_their_class(alice: Integration, mark: str) -> None:
    answer = alice.post(LIST, {"account": "Z" + mark * 100})
    assert answer.get_json()["errors"] == {"account": "Account contains too many combining marks in a row"}


def test_scripts_that_combine_by_nature_are_welcome(alice: Integration) -> None:
    for name in ("श्रीकृष्णन्", "Nguyễn Thị", "བསྒྲུབས", "👩🏽‍💻 Studio"):
        assert alice.post(LIST, {"account": name}).status_code == 201


def test_half_a_character_is_refused_in_our_words(alice: Integration) -> None:
    answer = alice.post(LIST, {"account": "\ud800"})
    assert answer.get_json()["errors"] == {"account": "Account contains U+D800. Remove this character."}


def test_nothing_is_written_below_zero(alice: Integration) -> None:
    raw = '{"name": "Nothing", "price": -0.0}'
    answer = alice.call("POST", "/api/v2/products", data=raw, content_type=JSON)
    assert '"price":0.00' in answer.text


def test_an_empty_form_is_still_a_form(client: FlaskClient, new_client: Callable[[], FlaskClient]) -> None:
    assert client.post("/contact").status_code == 400
    assert new_client().post("/contact", data={}, content_type="multipart/form-data").status_code == 400
