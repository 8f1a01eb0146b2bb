"""CSV upload: a file goes in, its page tells how far it is, the result comes out."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import encode_multipart

from portal.core.database import Database
from portal.core.jobs import run_due_jobs
from sandbox.integration.incoming.samples import VENDOR_CREATION
from tests.conftest import Integration
from tests.lint import Page, read_page
from tests.sandbox.console.conftest import Visitor
from tests.sandbox.integration.incoming.forms import complaints, mapping_path, press

HEADING = "vendorName,gstNumber,city"
FILE = f"{HEADING}\nABC Traders,27ABCDE1234F1Z5,Mumbai\nNobody,=1+1,Mumbai\nABC again,27ABCDE1234F1Z5,Mumbai\n"


def send_file(visitor: Visitor, path: str, content: str | bytes, status: int = 200, name: str = "vendors.csv") -> Page:
    """Choose a file in the form and send it; the page that follows."""
    raw = content.encode() if isinstance(content, str) else content
    token = visitor.get(path).field("csrf_token")
    file = FileStorage(io.BytesIO(raw), name)
    boundary, body = encode_multipart(MultiDict([("csrf_token", token), ("file", file)]))
    answer = visitor.client.post(path, data=body, content_type=f"multipart/form-data; boundary={boundary}")
    if answer.status_code == 303:
        return visitor.get(answer.location)
    assert answer.status_code == status
    return read_page(path, answer)


def start_file(visitor: Visitor, path: str, content: str | bytes, name: str = "vendors.csv") -> Page:
    """Choose a file, send it, and start it from its preview; the page that tells how far it is."""
    page = send_file(visitor, path, content, name=name)
    return visitor.post(f"{page.path}/start")


def write_all(database: Database) -> None:
    """Carry out what is due until nothing is."""
    while run_due_jobs(database):
        pass


def test_a_file_is_written_in_the_background_and_its_result_comes_back(
    new_visitor: Callable[[], Visitor], database: Database
) -> None:
    alice, mallory = new_visitor(), new_visitor()
    for visitor in (alice, mallory):
        visitor.open_sandbox()
    path = f"{mapping_path(alice, 'Vendor creation')}/imports"
    assert "No file yet" in alice.get(path).text
    assert alice.client.get(f"{path}/template.csv").data.decode("utf-8-sig").startswith("vendorName,gstNumber")

    page = start_file(alice, path, FILE, name="../../<vendors>.csv")
    assert "0 of 3 rows" in page.text and "queued" in page.text
    assert '<noscript><meta http-equiv="refresh"' in page.html
    write_all(database)
    page = alice.get(page.path)
    bar = page.find_all("progress")[0]
    assert (bar.get("value"), bar.get("max")) == ("3", "3") and "refresh" not in page.html.split("<body>")[0]
    assert "SUCCESS 1 FAILED 1 DUPLICATE 1" in page.text
    refused = [" ".join("".join(row.itertext()).split()) for row in page.find_all("tr")][1:]
    assert [words.split("FAILED")[0].split("DUPLICATE")[0] for words in refused] == ["2", "3"]
    assert "INVALID_GST" in refused[0] and "GST number is invalid" in refused[0]

    result = alice.client.get(f"{page.path}/result.csv")
    assert result.headers["Content-Disposition"] == 'attachment; filename="vendors.csv"'
    rows = list(csv.DictReader(io.StringIO(result.get_data(as_text=True))))
    assert [row["outcome"] for row in rows] == ["SUCCESS", "FAILED", "DUPLICATE"]
    assert [row["record_id"] for row in rows] == ["VEND-1023", "", "VEND-1023"]
    assert rows[1]["gstNumber"] == "'=1+1" and rows[1]["error_code"] == "INVALID_GST"
    assert "3 of 3" in alice.get(path).text
    alice.post(f"{page.path}/stop", {}, 409)

    theirs = f"{mapping_path(mallory, 'Vendor creation')}/imports/{page.path.rpartition('/')[2]}"
    for place in (page.path, theirs):
        mallory.get(place, 404)
        assert mallory.client.get(f"{place}/result.csv").status_code == 404
        mallory.post(f"{place}/stop", {}, 404)
    other = f"{mapping_path(alice, 'Website lead')}/imports/{page.path.rpartition('/')[2]}"
    alice.get(other, 404)


def test_a_file_that_cannot_be_read_is_refused_beside_the_field(
    new_visitor: Callable[[], Visitor], database: Database
) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    path = f"{mapping_path(alice, 'Vendor creation')}/imports"
    assert complaints(alice.post(path, {}, 400)) == {"file": "Choose a file"}
    strange = complaints(send_file(alice, path, "Supplier,GST No\nABC,27ABCDE1234F1Z5\n", 400))["file"]
    assert "expected vendorName, gstNumber" in strange and strange.endswith("found Supplier, GST No")
    assert "No file yet" in alice.get(path).text
    for content, words in (
        (HEADING, "1 to 50000 rows"),
        (b"vendorName\n\x81\x8d", "not Windows-1252"),
        ("city,CITY\n1,2\n", "Two columns, city and CITY, name the parameter city"),
        (b"x" * (5 * 1024 * 1024 + 1), "5242880 bytes at most"),
    ):
        assert words in complaints(send_file(alice, path, content, 400))["file"]
    large = f"{HEADING}\n" + "".join(f"Vendor {number},,{'x' * 990}\n" for number in range(1500))
    page = start_file(alice, path, large)
    assert "0 of 1500 rows" in page.text
    assert "Stopped by hand" in alice.post(f"{page.path}/stop").text
    write_all(database)
    assert "0 of 1500 rows" in alice.get(page.path).text
    program = Integration(alice.client, alice.keys["administrator"], alice.tenant)
    assert program.get("/api/v2/procurement/vendors?limit=1").json["meta"]["total_records"] == 22


def test_a_file_stays_with_its_mapping_when_the_slug_changes(new_visitor: Callable[[], Visitor]) -> None:
    alice, mallory = new_visitor(), new_visitor()
    paths = []
    for visitor in (alice, mallory):
        visitor.open_sandbox()
        paths.append(mapping_path(visitor, "Vendor creation"))
    files = [
        start_file(visitor, f"{path}/imports", FILE) for visitor, path in zip((alice, mallory), paths, strict=True)
    ]
    press(alice, alice.get(paths[0]), paths[0], "save", slug="suppliers")
    assert "vendors.csv" in alice.get(f"{paths[0]}/imports").text
    assert "suppliers, version 1" in alice.get(files[0].path).text
    assert "Stopped by hand" in alice.post(f"{files[0].path}/stop").text
    assert "vendor-creation, version 1" in mallory.get(files[1].path).text


def test_a_file_is_written_no_further_once_its_mapping_is_deleted(
    new_visitor: Callable[[], Visitor], database: Database
) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    program = Integration(alice.client, alice.keys["administrator"], alice.tenant)
    path = mapping_path(alice, "Vendor creation")
    start_file(alice, f"{path}/imports", FILE)
    alice.post(f"{path}/delete")
    write_all(database)
    assert program.get("/api/v2/procurement/vendors?limit=1").json["meta"]["total_records"] == 22
    again = {"slug": "vendor-creation", "name": "Vendors", "target": "vendor", **VENDOR_CREATION}
    assert program.post("/api/v2/integration/incoming-mappings", again).status_code == 201
    page = alice.get(f"{mapping_path(alice, 'Vendors')}/imports")
    link = next(link.get("href", "") for link in page.find_all("a") if "vendors.csv" in "".join(link.itertext()))
    assert "The mapping was deleted. What was written stays." in alice.get(link).text
