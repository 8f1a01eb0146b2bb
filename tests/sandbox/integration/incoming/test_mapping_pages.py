"""The mapping editor: buttons that change rows lose nothing, errors stand at their fields, versions stay."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.integration.incoming.samples import PAYLOADS
from tests.conftest import Integration
from tests.sandbox.console.conftest import Visitor
from tests.sandbox.integration.incoming.forms import ROOT, complaints, mapping_path, press, typed_in

LIST = f"{ROOT}/incoming"
SEND = "/api/v1/integration/incoming?mapping=vendor-creation"
ABC = PAYLOADS["vendor-creation"]


def test_rows_are_added_moved_and_removed_and_nothing_typed_is_lost(new_visitor: Callable[[], Visitor]) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    path = mapping_path(alice, "Vendor creation")
    page = press(alice, alice.get(path), path, "add rows", name="Renamed, not saved", slug="Not A Slug")
    assert typed_in(page, path)["rows.6.source"] == ""
    page = press(alice, page, path, "add rows.6.checks", rows__6__source="a <b>", rows__6__new_check="range")
    page = press(
        alice, page, path, "add rows.6.transformations", rows__6__new_step="lookup", rows__6__checks__0__min="x"
    )
    page = press(alice, page, path, "up rows.6", rows__6__transformations__0__table="ads = Search\nweb")
    typed = typed_in(page, path)
    assert (typed["name"], typed["slug"]) == ("Renamed, not saved", "Not A Slug")
    assert (typed["rows.5.source"], typed["rows.5.checks.0.min"]) == ("a <b>", "x")
    assert typed["rows.5.transformations.0.table"] == "ads = Search\nweb"
    assert (typed["rows.6.source"], typed["rows.6.checks.0.master"]) == ("city", "cities")
    page = press(alice, page, path, "remove rows.0")
    assert typed_in(page, path)["rows.0.source"] == "gstNumber"
    for nonsense in ("remove rows.99", "add", "up rows.0", "frobnicate rows.0.checks", "add rows.0.source", "down x.y"):
        press(alice, page, path, nonsense)
    assert typed_in(alice.get(path), path)["rows.0.source"] == "vendorName"


def test_every_error_stands_at_its_field_at_once(new_visitor: Callable[[], Visitor]) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    path = mapping_path(alice, "Vendor creation")
    page = press(alice, alice.get(path), path, "add rows.0.transformations", rows__0__new_step="lookup")
    wrong = {
        "slug": "Not A Slug",
        "rows__0__transformations__1__table": "ads = Search\nweb",
        "rows__1__checks__0__pattern": "(?=a)",
        "rows__1__checks__0__code": "bad code",
        "rows__2__source": "a[",
        "rows__3__field": "email",
        "rows__3__type": "number",
        "rows__5__checks__0__master": "boats",
    }
    page = press(alice, page, path, "save", 400, **wrong)
    assert set(complaints(page)) == {
        "slug",
        "rows.0.transformations.1.table",
        "rows.1.checks.0.pattern",
        "rows.1.checks.0.code",
        "rows.2.source",
        "rows.3.field",
        "rows.3.type",
        "rows.4.field",
        "rows.5.checks.0.master",
    }
    assert "INVALID_GST" in complaints(page)["rows.1.checks.0.code"]
    assert "Row 1, transformation 2, table" in page.text
    assert "Row 3, parameter or JSON path" in page.text
    assert complaints(page)["rows.2.source"] == (
        "Parameter or JSON path cannot be read from '[' on; write it such as order.lines[0].sku"
    )
    assert complaints(page)["rows.0.transformations.1.table"] == "Line 2 of the table must be such as ads = Search"
    typed = typed_in(page, path)
    assert {name: typed[name.replace("__", ".")] for name in wrong} == wrong
    assert "draft 2" not in alice.get(LIST).text


def test_a_draft_is_saved_published_and_taken_up_again(new_visitor: Callable[[], Visitor]) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    program = Integration(alice.client, alice.keys["administrator"], alice.tenant)
    path = mapping_path(alice, "Vendor creation")
    page = press(alice, alice.get(path), path, "check", rows__0__source="firm.name")
    assert "The mapping can work" in page.text
    page = press(alice, page, path, "save", slug="vendor-creation")
    assert "Draft saved" in page.text and typed_in(page, path)["rows.0.source"] == "firm.name"
    assert program.post(f"{SEND}&dry_run=true", ABC).status_code == 200
    page = press(alice, page, path, "publish")
    assert "Version 2 is live" in page.text
    body = {**ABC, "firm": {"name": "Firm"}}
    assert program.post(f"{SEND}&dry_run=true", ABC).json["errors"] == {"firm.name": "firm.name is required"}
    assert program.post(f"{SEND}&dry_run=true", body).json["values"]["name"] == "Firm"
    page = alice.post(f"{path}/versions/1/draft")
    assert "Version 1 is now the draft, as version 3" in page.text
    assert typed_in(page, path)["rows.0.source"] == "vendorName"
    page = alice.post(f"{path}/discard")
    assert "Draft discarded" in page.text and typed_in(page, path)["rows.0.source"] == "firm.name"
    alice.post(f"{path}/discard", {}, 409)
    alice.post(f"{path}/versions/99999999999/draft", {}, 404)


def test_a_deleted_mapping_receives_nothing_more(new_visitor: Callable[[], Visitor]) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    program = Integration(alice.client, alice.keys["administrator"], alice.tenant)
    path = mapping_path(alice, "Vendor creation")
    page = alice.post(f"{path}/delete")
    assert "Mapping Vendor creation deleted" in page.text and path not in page.links
    assert program.post(SEND, ABC).json["errorCode"] == "MAPPING_NOT_FOUND"
    alice.get(path, 404)
    acts = program.get("/api/v2/audit?action=incoming-mappings.delete").json["data"]
    assert len(acts) == 1


def test_a_form_that_somebody_elses_change_overtook_is_kept_and_asked_about(
    new_visitor: Callable[[], Visitor],
) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    path = mapping_path(alice, "Website lead")
    mine = theirs = alice.get(path)
    press(alice, theirs, path, "save", name="Theirs")
    page = press(alice, mine, path, "save", 409, name="Mine")
    assert "saved by somebody else meanwhile" in page.text and typed_in(page, path)["name"] == "Mine"
    assert "Draft saved" in press(alice, page, path, "save").text
    assert typed_in(alice.get(path), path)["name"] == "Mine"


def test_a_form_of_nonsense_is_refused_with_words(new_visitor: Callable[[], Visitor]) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    path = mapping_path(alice, "Website lead")
    nonsense = {
        "rows.0": "x",
        "rows.0.source": "y",
        "rows.7.checks.3.kind": "explode",
        "rows.9999.transformations.0.kind": "lookup",
        "rows.9999.transformations.0.table": '{"a": {"b": 1}}',
        "rows.9999.checks.0.kind": "range",
        "rows.9999.checks.0.min": "NaN",
        "a.b.c.d.e.f.g.h.i.j": "deep",
        "duplicate_fields": "\x00",
        "do": "save",
    }
    page = alice.post(path, nonsense, 400)
    assert "Not saved" in page.text and "Kind must be one of" in page.text
    flood = {f"rows.{row}.source": "x" for row in range(9999)}
    page = alice.post(path, flood | {"do": "check"}, 400)
    assert "Rows may have 60 entries at most" in page.text and "rows.100.source" not in page.html
