"""Masters: lists by name, the same for every form of the tenant."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from portal.core.database import Database
from sandbox.resources.masters import exists_in_master
from sandbox.seed.words import load_words
from sandbox.tenants import NewSandbox
from tests.conftest import ROOT, Integration, SandboxMaker

LIST = "/api/v2/masters"
NAMES = ["cities", "countries", "lead_sources", "payment_methods", "units"]


def labels(caller: Integration, name: str) -> list[str]:
    answer = caller.get(f"{LIST}/{name}?limit=100")
    assert answer.status_code == 200, answer.text
    return [entry["label"] for entry in answer.json["data"]]


def test_the_names_are_listed(alice: Integration) -> None:
    body = alice.get(LIST).json
    assert [row["name"] for row in body["data"]] == NAMES
    assert body["meta"]["total_records"] == len(NAMES)


def test_the_city_master_has_mumbai_and_says_where_it_is(alice: Integration) -> None:
    found = alice.get(f"{LIST}/cities?search=mumbai").json["data"]
    assert [(row["code"], row["label"]) for row in found] == [("mumbai", "Mumbai")]
    assert found[0]["extra"] == {"state": "Maharashtra", "country": "IN"}
    assert found[0]["public_id"].startswith("mse_")
    by_public_id = alice.get(f"{LIST}/cities/{found[0]['public_id']}")
    assert by_public_id.json["data"] == found[0] == alice.get(f"{LIST}/cities/{found[0]['id']}").json["data"]


def test_entries_come_in_pages_and_in_order(alice: Integration) -> None:
    first = alice.get(f"{LIST}/cities?limit=10&sort=-label").json
    assert first["meta"] == {"current_page": 1, "total_pages": 3, "total_records": 29}
    second = alice.get(f"{LIST}/cities?limit=10&page=2&sort=-label").json["data"]
    found = [row["label"] for row in (*first["data"], *second)]
    assert found == sorted(found, reverse=True)
    assert alice.get(f"{LIST}/cities?search=nowhere").json["meta"]["total_records"] == 0


def test_a_walk_stays_in_its_master(alice: Integration) -> None:
    first = alice.get(f"{LIST}/cities?cursor=&limit=20").json
    rest = alice.get(f"{LIST}/cities", query_string={"cursor": first["meta"]["next_cursor"], "limit": "20"}).json
    assert len(first["data"]) + len(rest["data"]) == 29
    assert rest["meta"]["next_cursor"] is None
    other = alice.get(f"{LIST}/units", query_string={"cursor": first["meta"]["next_cursor"]})
    assert (other.status_code, set(other.json["errors"])) == (400, {"cursor"})


@pytest.mark.parametrize(
    "name", ["colours", "Cities", "cities%20", "city", "1", "%00", "%FF", "a" * 300, "..%2Fcities"]
)
def test_an_unknown_name_is_not_found(alice: Integration, name: str) -> None:
    answer = alice.get(f"{LIST}/{name}")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_an_entry_is_found_in_its_own_master_only(alice: Integration, mallory: Integration) -> None:
    city = alice.get(f"{LIST}/cities?limit=1").json["data"][0]
    assert alice.get(f"{LIST}/units/{city['id']}").status_code == 404
    assert alice.get(f"{LIST}/cities/9999").status_code == 404
    assert mallory.get(f"{LIST}/cities/{city['public_id']}").status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", [LIST, f"{LIST}/cities", f"{LIST}/cities/1"])
def test_masters_are_read_only(alice: Integration, method: str, path: str) -> None:
    assert alice.call(method, path, {"code": "x", "label": "X"}).status_code == 405


@pytest.mark.parametrize("role", ["administrator", "manager", "accountant", "sales", "viewer"])
def test_whoever_reads_the_catalogue_reads_the_masters_on_every_plan(
    new_sandbox: SandboxMaker, as_role: Callable[[NewSandbox, str], Integration], role: str
) -> None:
    assert "Mumbai" in labels(as_role(new_sandbox("Small", plan="starter"), role), "cities")


def test_what_the_seed_says_stands_in_the_masters(alice: Integration) -> None:
    words = load_words(ROOT / "content" / "demo")
    assert {city["city"] for city in words.names["cities"]} <= set(labels(alice, "cities"))
    cities = alice.get(f"{LIST}/cities?limit=100").json["data"]
    countries = alice.get(f"{LIST}/countries?limit=100").json["data"]
    assert {city["extra"]["country"] for city in cities} == {country["code"] for country in countries}
    leads = alice.get("/api/v2/leads?limit=100").json["data"]
    assert {lead["source"] for lead in leads} <= set(labels(alice, "lead_sources"))
    assert set(labels(alice, "payment_methods")) == {"Bank Transfer", "Card", "Cash", "Cheque"}


@pytest.mark.parametrize(
    ("name", "value", "is_there"),
    [
        ("cities", "Mumbai", True),
        ("cities", "MUMBAI", True),
        ("cities", "new york", True),
        ("cities", "new-york", True),
        ("cities", "Atlantis", False),
        ("cities", "Mum%", False),
        ("cities", "", False),
        ("countries", "in", True),
        ("units", "Mumbai", False),
        ("colours", "Mumbai", False),
    ],
)
def test_a_value_is_looked_up_by_code_or_label(
    database: Database, alices_sandbox: NewSandbox, name: str, value: str, is_there: bool
) -> None:
    with database.transaction(write=False) as session:
        session.bind_tenant(alices_sandbox.tenant.id)
        assert exists_in_master(session, name, value) is is_there
