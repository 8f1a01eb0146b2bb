"""The contact form: the same service, by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.limits import LEADS_BY_ADDRESS
from tests.lint import Page
from tests.portal.limiting import use_up
from tests.portal.people import field_of, fill_in, new_email


def send(client: FlaskClient, email: str, **fields: Any) -> Any:
    typed = {"topic": "demo", "name": "Jane Smith", "email": email, "message": "A demo, please."} | fields
    return fill_in(client, "/contact", **typed)


def desk(sam: FlaskClient) -> str:
    return sam.get("/staff").get_data(as_text=True)


def test_the_form_preselects_the_topic_and_sets_no_cookie(visit: Callable[..., Page]) -> None:
    page = visit("/contact?topic=upgrade")
    assert [option.get("value") for option in page.find_all("option", selected="")] == ["upgrade"]
    assert "Set-Cookie" not in page.response.headers
    assert page.response.headers["Cache-Control"] == "no-store"
    assert not visit("/contact?topic=%3Cscript%3E").find_all("option", selected="")


@pytest.mark.usefixtures("unhurried")
def test_an_inquiry_ends_in_a_receipt_and_at_the_desk(
    client: FlaskClient, visit: Callable[..., Page], sam: FlaskClient
) -> None:
    email = new_email()
    answer = send(client, email)
    assert answer.status_code == 303
    page = visit(answer.headers["Location"])
    receipt = answer.headers["Location"].rpartition("/")[2]
    assert receipt in page.text
    assert email not in page.text
    lead = sam.get(f"/staff/leads/{receipt}").get_data(as_text=True)
    assert email in lead
    assert "contact-demo" in lead
    assert "Set-Cookie" not in answer.headers


def test_complaints_stand_beside_the_fields_and_what_was_typed_stays(client: FlaskClient) -> None:
    answer = fill_in(client, "/contact", topic="demo", name="", email="jane@", message="Kept")
    html = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "Name is required" in html
    assert 'aria-invalid="true"' in html
    assert "Kept" in html
    assert "jane@" in html


@pytest.mark.parametrize("token", ["", "forged.token.here"])
def test_a_form_without_a_good_token_is_not_sent_but_kept(client: FlaskClient, sam: FlaskClient, token: str) -> None:
    email = new_email()
    answer = send(client, email, csrf_token=token)
    assert answer.status_code == 400
    assert "A demo, please." in answer.get_data(as_text=True)
    assert email not in desk(sam)


def test_a_token_of_another_form_is_none(client: FlaskClient, sam: FlaskClient) -> None:
    email = new_email()
    token = field_of(client.get("/support").get_data(as_text=True), "csrf_token", "/support")
    assert send(client, email, csrf_token=token).status_code == 400
    assert email not in desk(sam)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_form_sent_from_another_site_is_refused(
    client: FlaskClient, sam: FlaskClient, headers: dict[str, str]
) -> None:
    email = new_email()
    token = field_of(client.get("/contact").get_data(as_text=True), "csrf_token", "/contact")
    fields = {"csrf_token": token, "topic": "demo", "name": "Jane", "email": email}
    answer = client.post("/contact", data=fields, headers=headers)
    assert answer.status_code == 400
    assert "send the form again" in answer.get_data(as_text=True)
    assert email not in desk(sam)


@pytest.mark.usefixtures("unhurried")
def test_a_filled_honeypot_is_kept_apart_and_can_be_released(client: FlaskClient, sam: FlaskClient) -> None:
    email = new_email()
    answer = send(client, email, homepage="https://autofill.example")
    assert answer.status_code == 303
    receipt = answer.headers["Location"].rpartition("/")[2]
    page = sam.get(f"/staff/leads/{receipt}").get_data(as_text=True)
    assert "A field that people do not see was filled in" in page
    released = fill_in(sam, f"/staff/leads/{receipt}", f"/staff/inquiries/{receipt}/release")
    assert released.status_code == 303
    assert email in sam.get(released.headers["Location"]).get_data(as_text=True)


def test_a_form_sent_too_fast_is_kept_not_refused(client: FlaskClient, sam: FlaskClient) -> None:
    answer = send(client, new_email())
    assert answer.status_code == 303
    receipt = answer.headers["Location"].rpartition("/")[2]
    assert "within two seconds" in sam.get(f"/staff/leads/{receipt}").get_data(as_text=True)


@pytest.mark.usefixtures("unhurried")
def test_the_sixth_form_in_an_hour_is_kept_for_a_person_to_look_at(client: FlaskClient, sam: FlaskClient) -> None:
    email = new_email()
    answers = [send(client, email, message=f"Number {number}") for number in range(6)]
    assert {answer.status_code for answer in answers} == {303}
    receipt = answers[-1].headers["Location"].rpartition("/")[2]
    page = sam.get(f"/staff/leads/{receipt}").get_data(as_text=True)
    assert "In quarantine" in page
    assert "than one person sends" in page


def test_a_refusal_names_a_clock_time_and_another_way_and_keeps_what_was_typed(
    app: Flask, client: FlaskClient, address: str
) -> None:
    use_up(app, LEADS_BY_ADDRESS, address)
    answer = send(client, new_email(), message="Kept all the same")
    html = answer.get_data(as_text=True)
    assert answer.status_code == 429
    assert re.search(r"Try again at \d\d:\d\d UTC", html)
    assert "write to support@slipway.example" in html
    assert "Kept all the same" in html


def test_an_unknown_receipt_is_not_found(client: FlaskClient) -> None:
    for receipt in ("led_" + "0" * 24, "nonsense", "led_%00", "1"):
        assert client.get(f"/contact/received/{receipt}").status_code == 404
