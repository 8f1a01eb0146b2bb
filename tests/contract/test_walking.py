"""Walking lists: Link, cursor, updated_since with deletions (contract section 4)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.conftest import Integration

LINK = re.compile(r'<([^>]+)>; rel="(\w+)"')


def links(answer: Any) -> dict[str, str]:
    found = {rel: url for url, rel in LINK.findall(answer.headers["Link"])}
    return {rel: url.removeprefix("http://localhost:8000") for rel, url in found.items()}


def walk(caller: Integration, path: str, **query: Any) -> tuple[list[Any], list[Any]]:
    """Every record and every deletion of a walk by cursor."""
    records, deleted, cursor = [], [], ""
    for _ in range(300):
        body = caller.get(path, query_string={**query, "cursor": cursor}).json
        assert body["success"], body
        records += body["data"]
        deleted += body.get("deleted", [])
        cursor = body["meta"]["next_cursor"]
        if cursor is None:
            return records, deleted
    raise AssertionError("the walk does not end")


def test_links_lead_from_the_first_page_to_the_last(alice: Integration) -> None:
    answer, seen = alice.get("/api/v2/customers?limit=30&sort=-id"), []
    while True:
        seen += [row["id"] for row in answer.json["data"]]
        if "next" not in links(answer):
            break
        answer = alice.get(links(answer)["next"])
    assert seen == list(range(100, 0, -1))
    assert set(links(answer)) == {"first", "prev", "last"}


@pytest.mark.parametrize("sort", ["id", "-id", "account", "-account", "city", "-email", "created_at", "-updated_at"])
def test_a_walk_sees_every_record_once_in_order(alice: Integration, sort: str) -> None:
    for number in range(3):
        alice.post("/api/v2/customers", {"account": f"Without e-mail {number}"})
    walked, _ = walk(alice, "/api/v2/customers", sort=sort, limit=7)
    listed = alice.get("/api/v2/customers", query_string={"sort": sort, "limit": 100}).json["data"]
    assert len(walked) == 103
    assert len({row["id"] for row in walked}) == 103
    assert walked[:100] == listed


@pytest.mark.parametrize("sort", ["price", "-price"])
def test_a_walk_goes_on_behind_nothing(alice: Integration, sort: str) -> None:
    for number in range(3):
        alice.post("/api/v2/products", {"name": f"Free sample {number}", "price": 0})
    walked, _ = walk(alice, "/api/v2/products", sort=sort, limit=1)
    assert len({row["id"] for row in walked}) == alice.get("/api/v2/products").json["meta"]["total_records"]


def test_a_search_minds_no_case_in_any_script(alice: Integration) -> None:
    made = alice.post("/api/v2/customers", {"account": "ÉCOLE DE MÚSICA ΣΊΣΥΦΟΣ"}).json["data"]["id"]
    for text in ("école", "ÉCOLE", "música", "Σίσυφ"):
        found = alice.get("/api/v2/customers", query_string={"search": text}).json["data"]
        assert [row["id"] for row in found] == [made], text


def test_a_walk_minds_filters_and_search(alice: Integration) -> None:
    walked, _ = walk(alice, "/api/v2/invoices", status="Paid", limit=20, sort="-amount")
    total = alice.get("/api/v2/invoices?status=Paid").json["meta"]["total_records"]
    assert len(walked) == total
    assert {row["status"] for row in walked} == {"Paid"}


def test_a_walk_is_not_shifted_by_what_is_added_behind_it(alice: Integration) -> None:
    first = alice.get("/api/v2/customers?cursor=&sort=-id&limit=10").json
    alice.post("/api/v2/customers", {"account": "Newcomer"})
    second = alice.get(
        "/api/v2/customers", query_string={"cursor": first["meta"]["next_cursor"], "sort": "-id", "limit": 10}
    ).json
    assert [row["id"] for row in second["data"]] == list(range(90, 80, -1))


def test_the_links_of_a_walk_lead_on(alice: Integration) -> None:
    answer = alice.get("/api/v2/customers?cursor=&limit=60")
    following = alice.get(links(answer)["next"])
    assert [row["id"] for row in following.json["data"]] == list(range(61, 101))
    assert set(links(following)) == {"first"}


@pytest.mark.parametrize("cursor", ["x", "WyJpZCIsMV0.abc", "' OR 1=1", "%00"])
def test_a_cursor_made_up_is_refused(alice: Integration, cursor: str) -> None:
    answer = alice.get("/api/v2/customers", query_string={"cursor": cursor})
    assert answer.status_code == 400
    assert set(answer.json["errors"]) == {"cursor"}


def test_a_cursor_belongs_to_its_tenant_its_list_and_its_order(alice: Integration, mallory: Integration) -> None:
    cursor = alice.get("/api/v2/customers?cursor=&limit=5").json["meta"]["next_cursor"]
    for caller, path, sort in (
        (mallory, "/api/v2/customers", "id"),
        (alice, "/api/v2/products", "id"),
        (alice, "/api/v2/customers", "-id"),
    ):
        answer = caller.get(path, query_string={"cursor": cursor, "sort": sort})
        assert (answer.status_code, set(answer.json["errors"])) == (400, {"cursor"})


def test_page_and_cursor_do_not_go_together(alice: Integration) -> None:
    assert set(alice.get("/api/v2/customers?cursor=&page=2").json["errors"]) == {"page"}


def test_updated_since_tells_what_changed_and_what_was_deleted(alice: Integration) -> None:
    made = alice.post("/api/v2/customers", {"account": "Newcomer"}).json["data"]
    gone = alice.post("/api/v2/customers", {"account": "Gone again"}).json["data"]
    alice.patch("/api/v2/customers/2", {"phone": "5550100"})
    alice.delete(f"/api/v2/customers/{gone['id']}")
    body = alice.get("/api/v2/customers", query_string={"updated_since": made["created_at"]}).json
    assert [row["id"] for row in body["data"]] == [2, made["id"]]
    assert [(row["id"], row["public_id"]) for row in body["deleted"]] == [(gone["id"], gone["public_id"])]
    assert body["deleted"][0]["deleted_at"] >= made["created_at"]
    assert body["meta"] == {"current_page": 1, "total_pages": 1, "total_records": 2, "total_deleted": 1}


def test_deletions_are_paged_and_walked_with_the_records(alice: Integration) -> None:
    since = alice.post("/api/v2/customers", {"account": "First"}).json["data"]["created_at"]
    ids = [alice.post("/api/v2/customers", {"account": f"C {n}"}).json["data"]["id"] for n in range(5)]
    for id_ in ids:
        alice.delete(f"/api/v2/customers/{id_}")
    pages = [
        alice.get("/api/v2/customers", query_string={"updated_since": since, "limit": 2, "page": page}).json
        for page in (1, 2, 3)
    ]
    assert [row["id"] for page in pages for row in page["deleted"]] == ids
    assert pages[0]["meta"]["total_pages"] == 3
    records, deleted = walk(alice, "/api/v2/customers", updated_since=since, limit=2)
    assert ([row["id"] for row in records], [row["id"] for row in deleted]) == ([101], ids)


def test_a_reset_forgets_deletions(alice: Integration) -> None:
    alice.delete("/api/v2/products/1")
    alice.post("/api/v2/sandbox/reset")
    body = alice.get("/api/v2/products", query_string={"updated_since": "2020-01-01T00:00:00Z"}).json
    assert body["deleted"] == []


def test_mallory_sees_none_of_alices_deletions(alice: Integration, mallory: Integration) -> None:
    gone = alice.post("/api/v2/customers", {"account": "Gone again"}).json["data"]
    alice.delete(f"/api/v2/customers/{gone['id']}")
    body = mallory.get("/api/v2/customers", query_string={"updated_since": gone["created_at"]}).json
    assert body["deleted"] == []
    unknown = mallory.get("/api/v2/customers/cus_" + "0" * 24).json
    theirs = mallory.get(f"/api/v2/customers/{gone['public_id']}").json
    assert {**theirs, "request_id": ""} == {**unknown, "request_id": ""}


def test_a_deleted_record_of_ones_own_says_when_it_went(alice: Integration) -> None:
    gone = alice.post("/api/v2/customers", {"account": "Gone again"}).json["data"]
    alice.delete(f"/api/v2/customers/{gone['id']}")
    for reference in (gone["id"], gone["public_id"]):
        answer = alice.get(f"/api/v2/customers/{reference}")
        assert answer.status_code == 404
        assert answer.json["deleted_at"] >= gone["created_at"]


@pytest.mark.parametrize(
    "value", ["yesterday", "2024-01-15", "2024-02-30T00:00:00Z", "99999-01-01T00:00:00Z", "2024-01-15T10:00:00"]
)
def test_an_instant_that_is_none_is_refused(alice: Integration, value: str) -> None:
    answer = alice.get("/api/v2/customers", query_string={"updated_since": value})
    assert (answer.status_code, set(answer.json["errors"])) == (400, {"updated_since"})
