"""The Incoming Mapping List: what there is, what it received, one more mapping, and how to send to it."""

from __future__ import annotations

import re
from collections.abc import Callable

from sandbox.integration.incoming.samples import MAPPINGS, PAYLOADS
from tests.conftest import Integration
from tests.sandbox.console.conftest import Visitor, code_in
from tests.sandbox.integration.incoming.forms import ROOT, complaints, mapping_path, typed_in

LIST = f"{ROOT}/incoming"
SEND = "/api/v1/integration/incoming"


def test_the_list_tells_what_each_mapping_received_and_how_to_send_to_it(new_visitor: Callable[[], Visitor]) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    page = alice.get(LIST)
    for slug, name, *_ in MAPPINGS:
        assert slug in page.text and name in page.text
    assert page.text.count("live 1") == len(MAPPINGS)
    assert "the ERP issues the credential: a key of yours" in page.text and "/sandbox/keys" in page.links
    curl = code_in(page)
    assert f'curl "$SLIPWAY_URL{SEND}?mapping=vendor-creation"' in curl and "27ABCDE1234F1Z5" in curl

    program = Integration(alice.client, alice.keys["administrator"], alice.tenant)
    for _ in range(2):
        program.post(f"{SEND}?mapping=vendor-creation", PAYLOADS["vendor-creation"])
    page = alice.get(LIST)
    assert "SUCCESS 1" in page.text and "DUPLICATE 1" in page.text
    assert f"{LIST}/logs?mapping=vendor-creation&outcome=DUPLICATE" in page.links


def test_a_new_mapping_begins_with_a_row_for_each_required_field(new_visitor: Callable[[], Visitor]) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    page = alice.post(LIST, {"target": "goods_receipt", "name": "Warehouse <1>", "slug": "", "is_default": "yes"})
    assert "Mapping added as a draft" in page.text and "Warehouse <1>" in page.text
    path = mapping_path(alice, "Warehouse <1>")
    typed = typed_in(alice.get(path), path)
    assert typed["slug"] == "warehouse-1" and typed["is_default"] == "yes"
    assert [typed[f"rows.{row}.field"] for row in range(3)] == ["vendor_code", "reference", "items"]
    assert [typed[f"rows.2.rows.{row}.field"] for row in range(2)] == ["sku", "qty"]
    assert "rows.3.field" not in typed
    assert "cannot be called yet: publish its draft first" in alice.get(path).text
    assert "draft 1" in alice.get(LIST).text


def test_a_new_mapping_tells_everything_that_is_wrong_and_keeps_what_was_typed(
    new_visitor: Callable[[], Visitor],
) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    page = alice.post(LIST, {"target": "boat", "name": "x" * 121, "slug": "Vendor Creation"}, 400)
    assert complaints(page) == {
        "target": "Choose a target",
        "name": "Name may have 120 characters at most",
        "slug": "A slug has small letters, digits and hyphens, 2 to 40 of them, and begins with a letter",
    }
    assert typed_in(page, LIST)["slug"] == "Vendor Creation"
    taken = alice.post(LIST, {"target": "vendor", "name": "Vendors", "slug": "vendor-creation"}, 400)
    assert complaints(taken) == {"slug": "Another mapping has this slug"}
    (notice,) = taken.find_all("div", id="notice")
    assert [link.get("href") for link in notice.iter("a")] == ["#slug"]
    nameless = alice.post(LIST, {"target": "vendor", "name": "", "slug": ""}, 400)
    assert set(complaints(nameless)) == {"name"}


def test_mallory_sees_none_of_alices_mappings(new_visitor: Callable[[], Visitor]) -> None:
    alice, mallory = new_visitor(), new_visitor()
    for visitor in (alice, mallory):
        visitor.open_sandbox()
    path = mapping_path(alice, "Vendor creation")
    unknown = f"{LIST}/imp_{'0' * 24}"
    hers, nobodys = (re.sub(r"req_\w+", "", mallory.get(each, 404).text) for each in (path, unknown))
    assert hers == nobodys
    mallory.post(path, {"do": "save"}, 404)
    mallory.post(f"{path}/versions/1/draft", {}, 404)
    for act in ("discard", "delete", "try", "replay", "imports"):
        mallory.post(f"{path}/{act}", {}, 404)
    for page in ("try", "imports", "imports/template.csv"):
        assert mallory.client.get(f"{path}/{page}").status_code == 404
