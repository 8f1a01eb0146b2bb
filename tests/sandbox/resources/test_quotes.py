"""Quotes: offered, changed, accepted, declined, converted once (contract section 5)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from portal.core.clock import system_now
from portal.core.database import Database
from portal.core.events import Event
from portal.tenancy.models import Tenant
from sandbox.tenants import NewSandbox
from tests.conftest import Integration, SandboxMaker

exact = msgspec.json.Decoder(float_hook=Decimal).decode
LIST = "/api/v2/quotes"
CLIENTS = 40
BODY = {
    "customer_id": 2,
    "valid_until": "2030-12-31",
    "items": [
        {"description": "Survey", "amount": 99.99, "qty": 1.5, "product_id": 2, "tax_rate": 18},
        {"description": "Cable", "amount": 0.35, "qty": 3},
    ],
    "notes": "Prices without delivery",
}


def offer(caller: Integration, **fields: Any) -> dict[str, Any]:
    answer = caller.post(LIST, BODY | fields)
    assert answer.status_code == 201, answer.text
    return exact(answer.data)["data"]


def read(caller: Integration, quote: dict[str, Any]) -> dict[str, Any]:
    return exact(caller.get(f"{LIST}/{quote['id']}").data)["data"]


def act(caller: Integration, quote: dict[str, Any], verb: str, body: Any = None) -> Any:
    return caller.post(f"{LIST}/{quote['id']}/{verb}", body)


def invoices_of(caller: Integration) -> int:
    return int(caller.get("/api/v2/invoices?limit=1").json["meta"]["total_records"])


def events_of(database: Database, new: NewSandbox) -> list[Event]:
    with database.transaction(write=False) as session:
        session.bind_tenant(new.tenant.id)
        return list(session.scalars(select(Event).order_by(Event.id)))


def today() -> dt.date:
    return system_now().date()


def test_a_quote_is_open_numbered_and_the_sum_of_its_items(alice: Integration) -> None:
    quote = offer(alice)
    assert (quote["status"], quote["invoice_id"], quote["issued_on"]) == ("Open", None, today().isoformat())
    assert quote["quote_number"].startswith(f"QUO-{today().year}-")
    assert [str(item["total"]) for item in quote["items"]] == ["176.99", "1.05"]
    assert (str(quote["amount"]), str(quote["items"][1]["qty"])) == ("178.04", "3")
    assert read(alice, quote) == quote


def test_the_numbers_of_a_year_have_no_gap_even_after_a_deletion(alice: Integration) -> None:
    quotes = [offer(alice) for _ in range(3)]
    numbers = [int(quote["quote_number"].split("-")[2]) for quote in quotes]
    assert numbers == list(range(numbers[0], numbers[0] + 3))
    assert alice.delete(f"{LIST}/{quotes[1]['id']}").status_code == 200
    assert offer(alice)["quote_number"] == quotes[1]["quote_number"]
    assert int(offer(alice)["quote_number"].split("-")[2]) == numbers[2] + 1


def test_a_refused_quote_takes_no_number(alice: Integration) -> None:
    first = offer(alice)["quote_number"]
    refused = alice.post(
        LIST, BODY | {"customer_id": 9999, "items": [{"description": "x", "amount": 1, "product_id": 9}]}
    )
    assert refused.status_code == 400 and list(refused.json["errors"]) == ["customer_id"]
    assert int(offer(alice)["quote_number"].split("-")[2]) == int(first.split("-")[2]) + 1


def test_every_bad_field_is_named_at_once(alice: Integration) -> None:
    items = [{"description": "x", "amount": 1, "product_id": 999}, {"description": "x", "amount": 1}]
    answer = alice.post(LIST, {"customer_id": 9999, "valid_until": "2030-12-31", "items": items})
    assert answer.json["errors"] == {"customer_id": "No such customer", "items.0.product_id": "No such product"}
    answer = alice.post(LIST, {"valid_until": "2030-02-30", "items": [], "status": "Accepted", "quote_number": "QUO-1"})
    assert set(answer.json["errors"]) == {"customer_id", "valid_until", "items", "status", "quote_number"}
    assert answer.json["errors"]["status"] == "Status is read-only"


def test_an_open_quote_is_changed_and_replaced(alice: Integration) -> None:
    quote = offer(alice)
    path = f"{LIST}/{quote['id']}"
    changed = exact(alice.patch(path, {"items": [{"description": "One", "amount": 10}]}).data)["data"]
    assert (str(changed["amount"]), len(changed["items"]), changed["notes"]) == ("10.00", 1, BODY["notes"])
    assert (changed["quote_number"], changed["version"]) == (quote["quote_number"], quote["version"] + 1)
    again = exact(alice.patch(path, {"items": [{"description": "Two", "amount": 10}]}).data)["data"]
    assert again["version"] == changed["version"] + 1 and again["items"][0]["description"] == "Two"
    customer = alice.get("/api/v2/customers/3").json["data"]
    replaced = alice.put(path, BODY | {"customer_id": customer["public_id"], "notes": None}).json["data"]
    assert (replaced["customer_id"], replaced["notes"], len(replaced["items"])) == (3, None, 2)
    assert read(alice, quote)["items"] == exact(alice.get(path).data)["data"]["items"]


def test_items_of_another_tenant_stay_when_a_quote_changes(alice: Integration, mallory: Integration) -> None:
    before = exact(mallory.get(f"{LIST}/1").data)
    assert alice.patch(f"{LIST}/1", {"items": [{"description": "One", "amount": 10}]}).status_code == 200
    assert alice.delete(f"{LIST}/1").status_code == 200
    assert exact(mallory.get(f"{LIST}/1").data) == before


def test_a_quote_is_deleted_with_its_items(alice: Integration) -> None:
    quote = offer(alice)
    assert alice.delete(f"{LIST}/{quote['id']}").status_code == 200
    assert alice.get(f"{LIST}/{quote['id']}").status_code == 404


@pytest.mark.parametrize(("verb", "status"), [("accept", "Accepted"), ("decline", "Declined")])
def test_a_quote_is_answered_once_and_then_stays(alice: Integration, verb: str, status: str) -> None:
    quote = offer(alice)
    assert act(alice, quote, verb).json["data"]["status"] == status
    settled = read(alice, quote)
    path = f"{LIST}/{quote['id']}"
    refused = [
        act(alice, quote, "accept"),
        act(alice, quote, "decline"),
        alice.put(path, BODY | {"notes": "Changed"}),
        alice.patch(path, {"notes": "x"}),
        alice.delete(path),
    ]
    assert {(answer.status_code, answer.json["code"]) for answer in refused} == {(409, "conflict")}
    assert all(status in answer.json["message"] for answer in refused)
    assert read(alice, quote) == settled


def test_a_quote_past_its_day_is_not_accepted_until_it_is_given_another(alice: Integration) -> None:
    yesterday, this_day = today() - dt.timedelta(days=1), today()
    quote = offer(alice, valid_until=yesterday.isoformat())
    refused = act(alice, quote, "accept")
    assert (refused.status_code, refused.json["code"]) == (409, "conflict")
    assert str(yesterday) in refused.json["message"] and "PATCH" in refused.json["message"]
    assert read(alice, quote)["status"] == "Expired"
    alice.patch(f"{LIST}/{quote['id']}", {"valid_until": this_day.isoformat()})
    assert act(alice, quote, "accept").status_code == 200


def test_the_tenants_own_clock_says_which_day_it_is(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    quote = offer(alice, valid_until=(today() + dt.timedelta(days=2)).isoformat())
    with database.transaction() as session:
        tenant = session.get(Tenant, alices_sandbox.tenant.id)
        assert tenant is not None
        tenant.clock_offset = 4 * 86400
    assert act(alice, quote, "accept").status_code == 409
    assert offer(alice)["issued_on"] == (today() + dt.timedelta(days=4)).isoformat()


@pytest.mark.parametrize("is_accepted", [False, True])
def test_a_quote_becomes_an_unpaid_invoice(alice: Integration, is_accepted: bool) -> None:
    quote = offer(alice)
    if is_accepted:
        act(alice, quote, "accept")
    answer = act(alice, quote, "convert")
    assert answer.status_code == 201, answer.text
    invoice = exact(answer.data)["data"]
    assert answer.headers["Location"] == f"/api/v2/invoices/{invoice['id']}"
    assert exact(alice.get(f"/api/v2/invoices/{invoice['id']}").data)["data"] == invoice
    assert (invoice["status"], invoice["balance"]) == ("Unpaid", quote["amount"])
    for name in ("customer_id", "items", "notes", "amount"):
        assert invoice[name] == quote[name]
    assert invoice["date"] == today().isoformat()
    assert invoice["due_date"] == (today() + dt.timedelta(days=30)).isoformat()
    after = read(alice, quote)
    assert (after["status"], after["invoice_id"]) == ("Converted", invoice["id"])


def test_the_due_date_may_be_given_but_not_lie_in_the_past(alice: Integration) -> None:
    quote, before = offer(alice), invoices_of(alice)
    refused = act(alice, quote, "convert", {"due_date": (today() - dt.timedelta(days=1)).isoformat()})
    assert (refused.status_code, list(refused.json["errors"])) == (400, ["due_date"])
    assert act(alice, quote, "convert", {"due_date": None, "date": "2024-01-01"}).status_code == 400
    assert (invoices_of(alice), read(alice, quote)["status"]) == (before, "Open")
    invoice = act(alice, quote, "convert", {"due_date": "2031-01-31"}).json["data"]
    assert invoice["due_date"] == "2031-01-31"


def test_a_second_conversion_names_the_first_ones_invoice(alice: Integration) -> None:
    quote = offer(alice)
    invoice, count = act(alice, quote, "convert").json["data"], invoices_of(alice)
    refused = act(alice, quote, "convert", {"due_date": "2031-01-31"})
    assert (refused.status_code, refused.json["code"]) == (409, "quote_already_converted")
    assert refused.json["invoice_id"] == invoice["id"]
    assert refused.json["docs_url"].endswith("/errors/quote_already_converted")
    assert {act(alice, quote, verb).status_code for verb in ("accept", "decline")} == {409}
    assert invoices_of(alice) == count


def test_a_declined_quote_is_not_converted(alice: Integration) -> None:
    quote, before = offer(alice), invoices_of(alice)
    act(alice, quote, "decline")
    refused = act(alice, quote, "convert")
    assert (refused.status_code, refused.json["code"], invoices_of(alice)) == (409, "conflict", before)


def test_forty_clients_convert_one_quote_to_one_invoice(
    alice: Integration, database: Database, alices_sandbox: NewSandbox
) -> None:
    quote, before = offer(alice), invoices_of(alice)
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(lambda _: act(alice, quote, "convert"), range(CLIENTS)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * (CLIENTS - 1)
    (made,) = [answer.json["data"] for answer in answers if answer.status_code == 201]
    refused = [answer.json for answer in answers if answer.status_code == 409]
    assert {(body["code"], body["invoice_id"]) for body in refused} == {("quote_already_converted", made["id"])}
    assert invoices_of(alice) == before + 1
    kinds = [event.type for event in events_of(database, alices_sandbox)]
    assert (kinds.count("quote.converted"), kinds.count("invoice.created")) == (1, 1)


def test_a_customer_with_quotes_and_an_invoice_made_of_one_cannot_be_deleted(alice: Integration) -> None:
    customer = alice.post("/api/v2/customers", {"account": "New"}).json["data"]
    quote = offer(alice, customer_id=customer["id"])
    refused = alice.delete(f"/api/v2/customers/{customer['id']}")
    assert (refused.status_code, "quotes (1)" in refused.json["message"]) == (409, True)
    invoice = act(alice, quote, "convert").json["data"]
    refused = alice.delete(f"/api/v2/invoices/{invoice['id']}")
    assert (refused.status_code, "quotes (1)" in refused.json["message"]) == (409, True)
    assert len(alice.get(f"/api/v2/invoices/{invoice['id']}").json["data"]["items"]) == 2


def test_sales_converts_although_it_does_not_write_invoices(
    alices_sandbox: NewSandbox, as_role: Callable[[NewSandbox, str], Integration]
) -> None:
    sales, accountant = as_role(alices_sandbox, "sales"), as_role(alices_sandbox, "accountant")
    quote = offer(sales)
    refused = act(accountant, quote, "convert")
    assert (refused.status_code, refused.json["required"]) == (403, "crm:write")
    assert act(sales, quote, "convert").status_code == 201
    assert sales.post("/api/v2/invoices", {}).status_code == 403


def test_a_plan_without_accounting_converts_nothing_not_even_what_is_not_there(
    new_sandbox: SandboxMaker, as_role: Callable[[NewSandbox, str], Integration]
) -> None:
    starter = as_role(new_sandbox(plan="starter"), "administrator")
    quote = offer(starter)
    assert act(starter, quote, "accept").status_code == 200
    for path in (f"{LIST}/{quote['id']}/convert", f"{LIST}/9999/convert"):
        refused = starter.post(path, {"due_date": "no date"})
        assert (refused.status_code, refused.json["code"]) == (403, "upgrade_required")
        assert refused.json["upgrade"] | {"url": ""} == {
            "module": "accounting",
            "current_plan": "starter",
            "required_plan": "growth",
            "url": "",
        }
    assert read(starter, quote)["status"] == "Accepted"
    growth = as_role(new_sandbox(plan="growth"), "sales")
    assert act(growth, offer(growth), "convert").status_code == 201


def test_the_document_names_the_plan_that_conversion_takes(alice: Integration) -> None:
    paths = alice.client.get("/openapi.json").json["paths"]
    convert, accept = (paths[f"{LIST}/{{id}}/{verb}"]["post"] for verb in ("convert", "accept"))
    assert (convert["x-plan"], convert["x-module"], convert["x-permission"]) == ("growth", "crm", "crm:write")
    assert accept["x-plan"] == "starter"
    assert {"quote_already_converted", "conflict", "upgrade_required"} <= set(convert["x-errors"])


def test_a_viewer_reads_quotes_and_changes_none(alice: Integration, bob: Integration) -> None:
    quote = offer(alice)
    path = f"{LIST}/{quote['id']}"
    assert bob.get(path).status_code == bob.get(LIST).status_code == 200
    calls = [bob.post(LIST, BODY), bob.put(path, BODY), bob.patch(path, {"notes": "x"}), bob.delete(path)]
    calls += [act(bob, quote, verb) for verb in ("accept", "decline", "convert")]
    assert {(answer.status_code, answer.json["required"]) for answer in calls} == {(403, "crm:write")}
    assert read(alice, quote) == quote


def test_mallory_finds_none_of_alices_quotes(alice: Integration, mallory: Integration) -> None:
    quote, count = offer(alice), invoices_of(alice)
    path = f"{LIST}/{quote['public_id']}"
    calls = [mallory.get(path), mallory.put(path, BODY), mallory.patch(path, {"notes": "x"}), mallory.delete(path)]
    calls += [mallory.post(f"{path}/{verb}") for verb in ("accept", "decline", "convert")]
    unknown = mallory.get(f"{LIST}/qte_{'0' * 24}").json
    assert {answer.status_code for answer in calls} == {404}
    assert {answer.json["message"] for answer in calls} == {unknown["message"]}
    customer = alice.get("/api/v2/customers/2").json["data"]["public_id"]
    assert mallory.post(LIST, BODY | {"customer_id": customer}).json["errors"] == {"customer_id": "No such customer"}
    assert (read(alice, quote), invoices_of(alice)) == (quote, count)


def test_quotes_are_filtered_and_sorted(alice: Integration) -> None:
    for status in ("Open", "Accepted", "Declined", "Converted", "Expired"):
        found = alice.get(f"{LIST}?status={status}&limit=100").json["data"]
        assert found and {quote["status"] for quote in found} == {status}
        assert all((quote["invoice_id"] is not None) == (status == "Converted") for quote in found)
    quote = offer(alice, customer_id=90)
    found = alice.get(f"{LIST}?customer_id=90&sort=-id").json["data"]
    assert found[0]["id"] == quote["id"] and {row["customer_id"] for row in found} == {90}
    assert alice.get(f"{LIST}?status=Lapsed").status_code == 400
    assert alice.get(f"{LIST}?customer_id=9999").status_code == 400
    amounts = [row["amount"] for row in alice.get(f"{LIST}?sort=-amount").json["data"]]
    assert amounts == sorted(amounts, reverse=True)


def test_events_tell_a_quotes_life_without_numbers_of_ours(
    alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    quote = offer(alice)
    alice.patch(f"{LIST}/{quote['id']}", {"notes": "x"})
    act(alice, quote, "accept")
    act(alice, quote, "convert")
    act(alice, offer(alice), "decline")
    alice.delete(f"{LIST}/{offer(alice)['id']}")
    events = events_of(database, alices_sandbox)
    assert [event.type for event in events] == [
        *("quote.created", "quote.updated", "quote.accepted", "invoice.created", "quote.converted"),
        *("quote.created", "quote.declined", "quote.created", "quote.deleted"),
    ]
    converted = next(event.payload for event in events if event.type == "quote.converted")
    issued = next(event.payload for event in events if event.type == "invoice.created")
    assert "id" not in converted and converted["status"] == "Converted"
    assert converted["invoice_id"] == issued["public_id"]
    assert converted["customer_id"].startswith("cus_") and converted["items"][0]["product_id"].startswith("prd_")


def test_the_seeded_quotes_add_up(alice: Integration) -> None:
    rows: list[dict[str, Any]] = []
    for page in (1, 2):
        rows += exact(alice.get(f"{LIST}?limit=100&page={page}").data)["data"]
    assert len(rows) == 120
    for year in ("2024", "2025", "2026"):
        numbers = [row["quote_number"] for row in rows if row["issued_on"].startswith(year)]
        assert numbers == [f"QUO-{year}-{place:03d}" for place in range(1, len(numbers) + 1)]
    for row in rows:
        assert row["amount"] == sum(item["total"] for item in row["items"])
        assert row["issued_on"] == row["created_at"][:10] <= row["valid_until"]
    for row in (row for row in rows if row["invoice_id"]):
        invoice = exact(alice.get(f"/api/v2/invoices/{row['invoice_id']}").data)["data"]
        assert (invoice["customer_id"], invoice["amount"], invoice["items"]) == (
            row["customer_id"],
            row["amount"],
            row["items"],
        )
        assert invoice["date"] >= row["issued_on"]
