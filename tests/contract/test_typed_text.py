"""What people type and paste is cleaned, read and compared by one mechanism everywhere (contract section 4)."""

from __future__ import annotations

import unicodedata
import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.accounts.models import Developer
from portal.core.database import Database
from sandbox.integration.incoming.samples import PAYLOADS
from tests.conftest import Integration
from tests.contract.described import Described, describe, put
from tests.portal.people import fill_in, invite_staff, new_email

PASTED = {
    "zero width": "\u200b{}\u200b",
    "direction marks": "\u200e{}\u200f",
    "embedding": "\u202a{}\u202c",
    "override": "\u202d{}\u202c",
    "isolates": "\u2068{}\u2069",
    "byte order mark": "\ufeff{}",
    "no-break spaces": "\u00a0{}\u202f",
    "blanks": "  {}\t",
}
CUSTOMERS = "/api/v2/customers"


def line_places(schema: dict[str, Any], place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where a schema takes a text of one line: strings that are neither longer ones nor one of a few words."""
    options = [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]
    found: list[tuple[str | int, ...]] = []
    for option in options:
        if option.get("type") == "object" or "properties" in option:
            for name, field in option.get("properties", {}).items():
                found += line_places(field, (*place, name))
        elif option.get("type") == "array":
            found += line_places(option["items"], (*place, 0))
        elif is_line(option):
            found.append(place)
    return found


def is_line(option: dict[str, Any]) -> bool:
    is_free = option.get("type") == "string" and "enum" not in option and not option.get("writeOnly")
    return is_free and option.get("maxLength", 200) <= 500


def value_at(body: Any, place: tuple[str | int, ...]) -> Any:
    for step in place:
        if not body or (isinstance(step, str) and step not in body):
            return None
        body = body[step]
    return body


def creations(app: Flask) -> list[Described]:
    """The operations that create a record of the Business API from its sample."""
    return [one for one in describe(app) if one.id.endswith(".create") and one.path.startswith("/api/v2/")]


@pytest.mark.parametrize("wrapping", PASTED.values(), ids=PASTED)
def test_invisible_characters_pasted_into_any_field_of_one_line_are_cleaned(
    app: Flask, alice: Integration, wrapping: str
) -> None:
    tried = 0
    for one in creations(app):
        schema = one.says["requestBody"]["content"]["application/json"]["schema"]
        body, clean = one.body, one.body
        for place in line_places(schema):
            value = value_at(body, place)
            if isinstance(value, str):
                body = put(body, place, wrapping.format(value))
                tried += 1
        answer = alice.post(one.path, body)
        assert answer.status_code == 201, f"{one.id}: {answer.text}"
        shown = answer.json["data"]
        for place in line_places(schema):
            if isinstance(value_at(clean, place), str) and place[0] in shown:
                assert value_at(shown, place) == value_at(clean, place), f"{one.id} {place}"
    assert tried > 30


def test_invisible_characters_within_a_line_are_cleaned_and_no_break_spaces_become_spaces(alice: Integration) -> None:
    made = alice.post(CUSTOMERS, {"account": "Jo\u200bhn\u00a0Do\u202ae"})
    assert (made.status_code, made.json["data"]["account"]) == (201, "John Doe")


def test_longer_texts_lose_invisible_characters_and_keep_isolates(alice: Integration) -> None:
    text = "\ufeffOrder \u2068שלום\u2069\u200b is\u00a0late\u202c"
    lead = {"first_name": "Ann", "email": "ann@buyers.example", "message": text}
    made = alice.post("/api/v2/leads", lead)
    assert made.json["data"]["message"] == "Order \u2068שלום\u2069 is\u00a0late"


@pytest.mark.parametrize(("character", "name"), [("\x00", "U+0000"), ("\x1b", "U+001B"), ("\x7f", "U+007F")])
def test_a_rejected_character_is_named(alice: Integration, character: str, name: str) -> None:
    for path, field in ((CUSTOMERS, "account"), ("/api/v2/tickets", "message")):
        answer = alice.post(path, {field: f"a{character}b"})
        assert answer.status_code == 400
        assert f"contains {name}" in answer.json["errors"][field]


def test_nothing_but_invisible_characters_is_empty(alice: Integration) -> None:
    answer = alice.post(CUSTOMERS, {"account": "\u200b\u00a0\u202a"})
    assert answer.json["errors"] == {"account": "Account must not be empty"}


WRITTEN = {
    "+1 212 555 0100": "+12125550100",
    "+1.212.555.0100": "+12125550100",
    "+1 (212) 555-0100": "+12125550100",
    "+1 212 555–0100": "+12125550100",
    "+1 212 555‑0100 ext. 12": "+12125550100",
    "+1 212 555 0100 x12": "+12125550100",
    "\u202a+1 212\u00a0555\u200b0100\u202c": "+12125550100",
    "+1 [212] 555 0100": "+12125550100",
    "＋1 ２１２ ５５５ ０１００": "+12125550100",
    "+49 (0)30 901820": "+4930901820",
    "(212) 555-0100": "+12125550100",
}


@pytest.mark.parametrize("written", WRITTEN)
def test_telephone_numbers_are_kept_as_typed_beside_their_e164_form(alice: Integration, written: str) -> None:
    made = alice.post(CUSTOMERS, {"account": "Jane", "phone": written, "country": "US"})
    assert made.status_code == 201, made.text
    typed = written.strip("\u202a\u202c").replace("\u00a0", " ").replace("\u200b", "")
    assert (made.json["data"]["phone"], made.json["data"]["phone_e164"]) == (typed, WRITTEN[written])


def test_the_e164_form_follows_the_number_and_the_country(alice: Integration) -> None:
    made = alice.post(CUSTOMERS, {"account": "Jane", "phone": "98765 43210"}).json["data"]
    assert made["phone_e164"] is None
    path = f"{CUSTOMERS}/{made['id']}"
    assert alice.patch(path, {"country": "IN"}).json["data"]["phone_e164"] == "+919876543210"
    assert alice.patch(path, {"phone": "+44 20 7946 0000"}).json["data"]["phone_e164"] == "+442079460000"
    assert alice.patch(path, {"phone": None}).json["data"]["phone_e164"] is None


@pytest.mark.parametrize("written", ["call me", "12a4567", "123", "1" * 16, "+999 123456", "ext. 12"])
def test_what_is_no_telephone_number_is_rejected(alice: Integration, written: str) -> None:
    answer = alice.post(CUSTOMERS, {"account": "Jane", "phone": written})
    assert list(answer.json["errors"]) == ["phone"]


SPELLINGS = [
    ("jörg@buyers.example", "JÖRG@buyers.example"),
    ("ΣΊΣΥΦΟΣ@buyers.example", "σίσυφος@buyers.example"),
    ("юлия@buyers.example", "ЮЛИЯ@BUYERS.example"),
    ("zoé@buyers.example", unicodedata.normalize("NFD", "ZOÉ@buyers.example")),
]


@pytest.mark.parametrize(("email", "same"), SPELLINGS)
@pytest.mark.parametrize("path", [CUSTOMERS, "/api/v2/users"])
def test_an_email_address_is_one_whatever_its_case_in_every_script(
    alice: Integration, path: str, email: str, same: str
) -> None:
    body = {"account": "Jörg"} if path == CUSTOMERS else {"name": "Jörg", "password": "correct horse battery"}
    first = alice.post(path, body | {"email": email}).json["data"]
    again = alice.post(path, body | {"email": same})
    assert (again.status_code, again.json["code"]) == (409, "duplicate"), again.text
    assert again.json["existing_id"] == first["id"]
    found = alice.get(path, query_string={"search": same}).json["data"]
    assert [row["id"] for row in found] == [first["id"]]


@pytest.mark.parametrize(("email", "same"), SPELLINGS)
def test_the_filter_by_email_finds_every_spelling(alice: Integration, email: str, same: str) -> None:
    made = alice.post(CUSTOMERS, {"account": "Jörg", "email": email}).json["data"]
    found = alice.get(CUSTOMERS, query_string={"email": same}).json["data"]
    assert [row["id"] for row in found] == [made["id"]]


def test_a_plate_is_one_whatever_its_case_in_every_script(alice: Integration) -> None:
    vehicles = "/api/v2/fleet/vehicles"
    alice.post(vehicles, {"plate": "А123ВС 77"})
    assert alice.post(vehicles, {"plate": "а123вс 77"}).status_code == 409


def test_two_spellings_of_an_inquirers_address_are_one_lead(
    client: FlaskClient, alices_sandbox: Any, alice: Integration
) -> None:
    name = f"jörg{uuid.uuid4().hex[:6]}"
    header = {"X-Publishable-Key": alices_sandbox.tenant.publishable_id}
    for email in (f"{name}@buyers.example", f"{name.upper()}@buyers.example"):
        body = {"name": "Jörg Maier", "email": email, "message": f"From {email}"}
        assert client.post("/api/public/leads", json=body, headers=header).status_code == 201
    assert len(alice.get("/api/v2/leads", query_string={"search": name}).json["data"]) == 1


def test_an_inquiry_of_one_name_makes_a_lead_that_can_be_put_back(
    client: FlaskClient, alices_sandbox: Any, alice: Integration
) -> None:
    header = {"X-Publishable-Key": alices_sandbox.tenant.publishable_id}
    client.post("/api/public/leads", json={"name": "Cher", "email": "cher@buyers.example"}, headers=header)
    lead = alice.get("/api/v2/leads?search=cher@buyers.example").json["data"][0]
    names = ("first_name", "last_name", "email", "company", "phone", "source", "message", "status")
    answer = alice.put(f"/api/v2/leads/{lead['id']}", {name: lead[name] for name in names})
    assert answer.status_code == 200, answer.text
    assert (answer.json["data"]["first_name"], answer.json["data"]["last_name"]) == ("Cher", "")


def test_an_account_is_found_by_every_spelling_of_its_address(app: Flask, database: Database) -> None:
    name = f"jörg{uuid.uuid4().hex[:8]}"
    for email in (f"{name}@example.com", f"{name.upper()}@EXAMPLE.com"):
        invite_staff(app, email)
    with database.transaction(write=False) as session:
        emails = list(session.scalars(select(Developer.email).where(Developer.email.like(f"%{name[4:]}%"))))
    assert emails == [f"{name}@example.com"]


def test_a_mapping_reads_what_was_pasted_into_a_record(alice: Integration) -> None:
    pasted = {name: f"\u202a{value}\u200b\u00a0" for name, value in PAYLOADS["vendor-creation"].items()}
    answer = alice.post("/api/v1/integration/incoming?mapping=vendor-creation", pasted)
    assert answer.status_code == 200, answer.text
    vendor = alice.get("/api/v2/procurement/vendors/23").json["data"]
    clean = PAYLOADS["vendor-creation"]
    assert (vendor["gst_no"], vendor["city"], vendor["name"]) == (clean["gstNumber"], "Mumbai", clean["vendorName"])
    assert vendor["phone_e164"] == "+919876543210"


def test_a_mapping_knows_a_record_by_every_spelling_of_its_address(alice: Integration) -> None:
    lead = {"first_name": "Jörg", "last_name": "Maier", "email": "jörg@buyers.example"}
    first = alice.post("/api/v2/leads", lead).json["data"]
    sent = PAYLOADS["website-lead"] | {"email": "JÖRG@buyers.example"}
    answer = alice.post("/api/v1/integration/incoming?mapping=website-lead", sent)
    assert answer.status_code == 200, answer.text
    assert answer.json["recordId"] == first["public_id"]


@pytest.mark.one_store
def test_a_form_reads_what_was_pasted_into_it(client: FlaskClient) -> None:
    email = new_email()
    typed = {"topic": "demo", "name": "\u200bJane\u00a0Smith", "email": f"\u202a{email}\u202c"}
    answer = fill_in(client, "/contact", **typed, phone="+1 212\u00a0555–0100 ext. 12")
    assert answer.status_code == 303
