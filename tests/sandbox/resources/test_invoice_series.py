"""Invoice numbers close without a gap, and money stays exact, whatever is deleted and however many write at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.conftest import Integration

exact = msgspec.json.Decoder(float_hook=Decimal).decode
LIST = "/api/v2/invoices"
CLIENTS = 40
ITEM = {"description": "x", "amount": 10}


def issue(caller: Integration, year: int = 2025, **fields: Any) -> dict[str, Any]:
    body = {"customer_id": 1, "date": f"{year}-03-01", "due_date": f"{year}-04-01"}
    answer = caller.post(LIST, body | {"items": [ITEM]} | fields)
    assert answer.status_code == 201, answer.text
    return exact(answer.data)["data"]


def number_of(invoice: dict[str, Any]) -> int:
    return int(invoice["invoice_number"].split("-")[2])


def numbers_of(caller: Integration, year: int) -> list[int]:
    found, page = [], 1
    while rows := caller.get(f"{LIST}?date_from={year}-01-01&date_to={year}-12-31&limit=100&page={page}").json["data"]:
        found += [number_of(row) for row in rows]
        page += 1
    return sorted(found)


def delete(caller: Integration, invoice: dict[str, Any]) -> None:
    assert caller.delete(f"{LIST}/{invoice['id']}").status_code == 200


def test_a_deleted_invoice_gives_its_number_to_the_next_of_its_year(alice: Integration) -> None:
    invoice = issue(alice)
    delete(alice, invoice)
    other_year = issue(alice, 2024)
    again = issue(alice)
    assert again["invoice_number"] == invoice["invoice_number"]
    assert again["id"] > invoice["id"] and again["public_id"] != invoice["public_id"]
    assert other_year["invoice_number"].startswith("INV-2024-")


def test_freed_numbers_are_taken_from_the_smallest_on_then_the_series_goes_on(alice: Integration) -> None:
    issued = [issue(alice) for _ in range(5)]
    first = number_of(issued[0])
    for place in (3, 0, 4):
        delete(alice, issued[place])
    again = [number_of(issue(alice)) for _ in range(4)]
    assert again == [first, first + 3, first + 4, first + 5]
    assert numbers_of(alice, 2025) == list(range(1, first + 6))


def test_a_refused_invoice_gives_a_freed_number_back(alice: Integration) -> None:
    invoice = issue(alice)
    delete(alice, invoice)
    bad = {"customer_id": 1, "date": "2025-03-01", "due_date": "2025-04-01"}
    assert alice.post(LIST, bad | {"items": [{"description": "x", "amount": 1, "product_id": 99}]}).status_code == 400
    assert issue(alice)["invoice_number"] == invoice["invoice_number"]


def test_a_refused_deletion_frees_no_number(alice: Integration) -> None:
    invoice = issue(alice)
    alice.post(f"{LIST}/{invoice['id']}/approve")
    assert alice.delete(f"{LIST}/{invoice['id']}").status_code == 409
    assert number_of(issue(alice)) == number_of(invoice) + 1


def test_the_first_invoice_of_all_can_be_deleted_and_its_number_is_taken_next(alice: Integration) -> None:
    assert alice.delete(f"{LIST}/1").status_code == 200
    assert issue(alice, 2024)["invoice_number"] == "INV-2024-001"


def test_mallorys_series_knows_nothing_of_alices_freed_numbers(alice: Integration, mallory: Integration) -> None:
    delete(alice, issue(alice))
    hers, his = number_of(issue(alice)), number_of(issue(mallory))
    assert hers == his
    assert number_of(issue(mallory)) == his + 1


def test_a_reset_forgets_freed_numbers(alice: Integration) -> None:
    alice.delete(f"{LIST}/1")
    assert alice.post("/api/v2/sandbox/reset").status_code == 200
    assert issue(alice, 2024)["invoice_number"] != "INV-2024-001"


def test_a_series_goes_on_past_three_digits(alice: Integration) -> None:
    body = {"customer_id": 1, "date": "2031-03-01", "due_date": "2031-04-01"}
    item = {"description": "x", "amount": 1}
    for place in range(1, 4):
        assert alice.post(LIST, body | {"items": [item]}).json["data"]["invoice_number"] == f"INV-2031-{place:03d}"


def test_forty_clients_issue_invoices_without_a_gap(alice: Integration) -> None:
    before = numbers_of(alice, 2025)
    with ThreadPoolExecutor(CLIENTS) as pool:
        issued = list(pool.map(lambda _: issue(alice), range(CLIENTS)))
    assert sorted(number_of(row) for row in issued) == list(range(len(before) + 1, len(before) + CLIENTS + 1))
    assert len({row["id"] for row in issued}) == len({row["public_id"] for row in issued}) == CLIENTS
    assert numbers_of(alice, 2025) == list(range(1, len(before) + CLIENTS + 1))


def test_issuing_and_deleting_at_once_keeps_numbers_unique_and_the_series_closes(alice: Integration) -> None:
    doomed = [issue(alice, year) for year in (2025, 2026) for _ in range(10)]

    def work(place: int) -> None:
        if place % 2:
            issue(alice, 2025 + place // 2 % 2)
        else:
            delete(alice, doomed[place // 2])

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(work, range(2 * len(doomed))))
    for year in (2025, 2026):
        present = numbers_of(alice, year)
        assert len(present) == len(set(present))
        gaps = sorted(set(range(1, present[-1])) - set(present))
        assert [number_of(issue(alice, year)) for _ in gaps] == gaps
        assert numbers_of(alice, year) == list(range(1, present[-1] + 1))
        assert number_of(issue(alice, year)) == present[-1] + 1


def test_forty_clients_pay_one_invoice_to_the_cent_and_no_further(alice: Integration) -> None:
    invoice = issue(alice, items=[{"description": "x", "amount": 100.01}])
    path = f"{LIST}/{invoice['id']}"
    payment = {"amount": 3.34, "account_id": 1, "date": "2025-03-02"}
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(lambda _: alice.post(f"{path}/payments", payment), range(CLIENTS)))
    assert sorted(answer.status_code for answer in answers) == [201] * 29 + [400] * 11
    after = exact(alice.get(path).data)["data"]
    assert (str(after["paid"]), str(after["balance"]), after["status"]) == ("96.86", "3.15", "Partially Paid")
    payments = exact(alice.get(f"{path}/payments?limit=100").data)["data"]
    assert sum(row["amount"] for row in payments) == after["paid"]
    assert after["version"] == invoice["version"] + 29


def test_an_invoice_is_approved_once_however_many_try(alice: Integration) -> None:
    invoice = issue(alice)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: alice.post(f"{LIST}/{invoice['id']}/approve"), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7


@pytest.mark.parametrize("rival", ["payments", "approve"])
def test_an_invoice_is_not_deleted_beside_what_would_forbid_it(alice: Integration, rival: str) -> None:
    body = {"amount": 1, "account_id": 1} if rival == "payments" else None
    for _ in range(6):
        path = f"{LIST}/{issue(alice)['id']}"
        calls = [lambda path=path: alice.delete(path), lambda path=path: alice.post(f"{path}/{rival}", body)]
        with ThreadPoolExecutor(2) as pool:
            gone, done = (future.result().status_code for future in [pool.submit(call) for call in calls])
        assert (gone, done) in {(200, 404), (409, 201 if body else 200)}
        assert alice.get(path).status_code == (404 if gone == 200 else 200)


def test_who_reads_while_lines_change_sees_amounts_and_lines_of_one_moment(alice: Integration) -> None:
    path = f"{LIST}/{issue(alice)['id']}"

    def change(place: int) -> None:
        items = [{"description": "x", "amount": place + 1}] * (place % 5 + 1)
        assert alice.patch(path, {"items": items}).status_code == 200

    def look(place: int) -> list[dict[str, Any]]:
        data = exact(alice.get(path if place % 2 else f"{LIST}?sort=-id&limit=2").data)["data"]
        return data if isinstance(data, list) else [data]

    with ThreadPoolExecutor(8) as pool:
        changes = [pool.submit(change, place) for place in range(30)]
        seen = [row for rows in pool.map(look, range(60)) for row in rows]
        for done in changes:
            done.result()
    assert all(row["amount"] == sum(item["total"] for item in row["items"]) for row in seen)


def test_batches_over_several_years_wait_for_each_other_in_one_order(alice: Integration) -> None:
    def send(place: int) -> None:
        years = (2025, 2026) if place % 2 else (2026, 2025)
        rows = [
            {"customer_id": 1, "date": f"{year}-03-01", "due_date": f"{year}-04-01"} | {"items": [ITEM]}
            for year in years * 5
        ]
        answer = alice.post("/api/v2/batch/invoices", {"invoices": rows})
        assert {row["status"] for row in answer.json["data"]["outcomes"]} == {"created"}, answer.text

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(8)))
    for year in (2025, 2026):
        present = numbers_of(alice, year)
        assert present == list(range(1, len(present) + 1))
