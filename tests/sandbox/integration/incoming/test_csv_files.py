"""Files of records as programs really write them: read whole or refused with the reason, and given back alike."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest

from portal.core.database import Database
from sandbox.integration.incoming.samples import VENDOR_CREATION
from tests.conftest import Integration
from tests.lint import Page
from tests.sandbox.console.conftest import Visitor
from tests.sandbox.integration.incoming.forms import complaints, mapping_path
from tests.sandbox.integration.incoming.test_import_pages import send_file, start_file, write_all

VENDORS = "/api/v2/procurement/vendors"
HEADING = "vendorName,gstNumber,contactPerson,mobile,email,city"
ROWS = (
    "Müller & Söhne,27AAAAA0000A1Z1,Jürgen,+49 30 1234567,kontakt@mueller.example,Mumbai",
    '"Two\nlines, Ltd",27BBBBB0000B1Z1,Ann,9876543210,,Pune',
)
WHOLE = "\n".join((HEADING, *ROWS)) + "\n"
Visitors = Callable[[], Visitor]


@pytest.fixture
def path(new_visitor: Visitors) -> tuple[Visitor, str]:
    alice = new_visitor()
    alice.open_sandbox()
    return alice, f"{mapping_path(alice, 'Vendor creation')}/imports"


def program_of(visitor: Visitor) -> Integration:
    return Integration(visitor.client, visitor.keys["administrator"], visitor.tenant)


def newest(visitor: Visitor, count: int) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = program_of(visitor).get(f"{VENDORS}?sort=-id&limit={count}").json["data"]
    return rows[::-1]


def tables(page: Page) -> dict[str, list[list[str]]]:
    """The cells of each table, by its caption."""
    found = {}
    for table in page.find_all("table"):
        caption = next("".join(node.itertext()).strip() for node in table.iter("caption"))
        rows = [[" ".join("".join(cell.itertext()).split()) for cell in row] for row in table.iter("tr")]
        found[caption] = rows[1:]
    return found


def write(text: str, separator: str = ",", line_end: str = "\n") -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=separator, lineterminator="\r\n")
    writer.writerows(csv.reader(io.StringIO(text)))
    return stream.getvalue().replace("\r\n", line_end)


FORMS = {
    "UTF-8": WHOLE.encode(),
    "UTF-8 with a mark": b"\xef\xbb\xbf" + WHOLE.encode(),
    "UTF-16 LE": b"\xff\xfe" + write(WHOLE, "\t", "\r\n").encode("utf-16-le"),
    "UTF-16 BE": b"\xfe\xff" + write(WHOLE, "\t").encode("utf-16-be"),
    "UTF-16 without a mark": write(WHOLE, ";").encode("utf-16-le"),
    "Windows-1252": write(WHOLE, ";", "\r\n").encode("cp1252"),
    "CR": write(WHOLE, ",", "\r").encode(),
    "CRLF": write(WHOLE, "|", "\r\n").encode(),
    "sep=": ("sep=;\r\n" + write(WHOLE, ";", "\r\n")).encode("cp1252"),
    "quoted sep=": ('"SEP=|"\n' + write(WHOLE, "|")).encode(),
    "trailing separators": "\n".join(f"{line},," for line in (HEADING, *ROWS)).encode(),
    "quoted heading": WHOLE.replace(HEADING, f'{HEADING},"Remarks; by; us; all; and; others; too"').encode(),
    "other case and blanks": WHOLE.replace(
        HEADING, " VENDORNAME ,gstnumber, contactPerson, Mobile, Email\t,\u00a0City"
    ).encode(),
    "blank lines": WHOLE.replace("\nMüller", "\n\n , ,\nMüller").encode(),
}  # fmt: skip


@pytest.mark.one_store
@pytest.mark.parametrize("form", FORMS)
def test_a_file_is_read_whole_however_it_was_written(form: str, path: tuple[Visitor, str], database: Database) -> None:
    alice, imports = path
    page = start_file(alice, imports, FORMS[form])
    write_all(database)
    assert "SUCCESS 2 FAILED 0 DUPLICATE 0" in alice.get(page.path).text
    first, second = newest(alice, 2)
    assert (first["name"], first["contact_person"], first["phone"], first["email"], first["city"]) == (
        "Müller & Söhne", "Jürgen", "+49 30 1234567", "kontakt@mueller.example", "Mumbai",
    )  # fmt: skip
    assert (" ".join(second["name"].split()), second["city"]) == ("Two lines, Ltd", "Pune")


@pytest.mark.one_store
@pytest.mark.parametrize("form", ["UTF-8", "UTF-8 with a mark", "UTF-16 LE", "UTF-16 BE", "Windows-1252", "CR", "sep="])
def test_a_result_comes_back_in_the_files_own_form(form: str, path: tuple[Visitor, str], database: Database) -> None:
    alice, imports = path
    sent = FORMS[form]
    page = start_file(alice, imports, sent, name="Lieferanten März.csv")
    write_all(database)
    result = alice.client.get(f"{page.path}/result.csv")
    assert "filename*=UTF-8''Lieferanten%20M%C3%A4rz.csv" in result.headers["Content-Disposition"]
    codec = {"UTF-16 LE": "utf-16", "UTF-16 BE": "utf-16", "Windows-1252": "cp1252", "sep=": "cp1252"}.get(
        form, "utf-8"
    )
    before, after = sent.decode(codec), result.data.decode(codec)
    assert result.data[:2] == sent[:2]
    end = "\r\n" if "\r\n" in before else "\r" if "\r" in before else "\n"
    assert after.count("\r\n") == before.count("\r\n") and after.endswith(end)
    separator = "\t" if "\t" in before else ";" if ";" in before else ","
    first = after.splitlines()[1 if form == "sep=" else 0]
    assert first.endswith(separator.join(("city", "outcome", "record_id", "error_code", "message")))
    assert not after.startswith("sep=") or form == "sep="


def test_a_result_is_corrected_by_hand_and_uploaded_again_as_it_is(
    path: tuple[Visitor, str], database: Database
) -> None:
    alice, imports = path
    rows = (
        "Gamma Ltd,27CCCCC0000C1Z1,Ann,+91 98765 43210,ann@gamma.example,Bombai",
        "-Delta- Traders,27DDDDD0000D1Z1,@ann,-5,,Bombai",
        "=Epsilon,27EEEEE0000E1Z1,'Tis,9876543210,,Bombai",
    )
    text = "\n".join((f"{HEADING},=note", *(f"{row},=1+1" for row in rows)))
    for words in ("SUCCESS 0 FAILED 3", "SUCCESS 1 FAILED 2", "SUCCESS 1 FAILED 1"):
        page = start_file(alice, imports, text)
        write_all(database)
        assert words in alice.get(page.path).text
        text = alice.client.get(f"{page.path}/result.csv?rows=failed").data.decode()
        assert all(not cell.startswith(("=", "@", "+91")) for row in csv.reader(io.StringIO(text)) for cell in row)
        text = text.replace("Bombai", "Mumbai", 1).replace("'@ann,-5", "'@ann,9876500000")
        heading = next(csv.reader(io.StringIO(text)))
        assert heading[6:] == ["'=note", "outcome", "record_id", "error_code", "message"]
    page = start_file(alice, imports, text)
    write_all(database)
    assert "SUCCESS 1 FAILED 0 DUPLICATE 0" in alice.get(page.path).text
    found = [(vendor["name"], vendor["contact_person"], vendor["phone"]) for vendor in newest(alice, 3)]
    assert found == [
        ("Gamma Ltd", "Ann", "+91 98765 43210"),
        ("-Delta- Traders", "@ann", "9876500000"),
        ("=Epsilon", "'Tis", "9876543210"),
    ]


@pytest.mark.one_store
def test_a_stopped_files_result_holds_the_rows_that_were_not_reached(path: tuple[Visitor, str]) -> None:
    alice, imports = path
    page = start_file(alice, imports, WHOLE)
    alice.post(f"{page.path}/stop")
    rows = list(csv.DictReader(io.StringIO(alice.client.get(f"{page.path}/result.csv").text)))
    assert [(row["gstNumber"], row["outcome"]) for row in rows] == [("27AAAAA0000A1Z1", ""), ("27BBBBB0000B1Z1", "")]


def test_a_preview_shows_what_feeds_what_before_anything_is_written(
    path: tuple[Visitor, str], database: Database, new_visitor: Visitors
) -> None:
    alice, imports = path
    text = "VendorName,gstNumber,GST Number,Mobile,city\n" + "".join(
        f"Vendor {n},27ABCDE{n:04d}F1Z5,x,call me,Mumbai\n" for n in range(5)
    )
    page = send_file(alice, imports, text.encode("utf-16"))
    assert "Nothing is written yet" in page.text and "UTF-16, separated by comma" in page.text
    found = tables(page)
    assert found["Columns of the file"] == [
        ["VendorName", "vendorName", "name"],
        ["gstNumber", "gstNumber", "gst_no"],
        ["Mobile", "mobile", "phone"],
        ["city", "city", "city"],
        ["GST Number", "passed over no parameter of the mapping has this name"],
    ]
    assert "Without a column: contactPerson , email" in page.text
    assert [name for name in found if name.startswith("Record")] == ["Record 1", "Record 2", "Record 3"]
    assert found["Record 1"][0] == ["vendorName", "name", "Vendor 0", "ok", ""]
    assert found["Record 1"][3][3:] == ["failed", "mobile is not a phone number"]
    write_all(database)
    assert program_of(alice).get(f"{VENDORS}?limit=1").json["meta"]["total_records"] == 22
    assert alice.get(page.path).text == page.text

    mallory = new_visitor()
    mallory.open_sandbox()
    for act in ("start", "discard"):
        mallory.post(f"{page.path}/{act}", {}, 404)
    again = send_file(alice, imports, text)
    assert "discarded; nothing was written" in alice.post(f"{again.path}/discard").text
    alice.get(again.path, 404)
    assert "5 rows" in alice.post(f"{page.path}/start").text
    write_all(database)
    assert "SUCCESS 0 FAILED 5 DUPLICATE 0" in alice.get(page.path).text
    alice.post(f"{page.path}/start", {}, 409)
    alice.post(f"{page.path}/discard", {}, 409)


@pytest.mark.one_store
def test_a_preview_tells_of_required_columns_that_are_missing(path: tuple[Visitor, str]) -> None:
    alice, imports = path
    page = send_file(alice, imports, "city,vendor name\nMumbai,ABC\n")
    assert "No column feeds vendorName , gstNumber . Each row would fail." in page.text


@pytest.mark.one_store
def test_files_that_nobody_starts_make_room_for_others(path: tuple[Visitor, str]) -> None:
    alice, imports = path
    pages = [send_file(alice, imports, WHOLE) for _ in range(6)]
    alice.get(pages[0].path, 404)
    for page in pages[1:]:
        alice.get(page.path)


@pytest.mark.one_store
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"sep=:\nvendorName:city\na:b\n", "names : as the separator"),
        (b"PK\x03\x04" + b"x" * 100, "The file is a workbook; save it as CSV"),
        (WHOLE.encode() + b"\x81\x8d", "not Windows-1252; save it as CSV UTF-8"),
        (b"\xff\xfe" + WHOLE.encode("utf-16-le") + b"x", "not UTF-16"),
        (b"\xef\xbb\xbfvendorName\n\xff\n", "not UTF-8"),
        (b"vendorName,city\nA\x00B,Mumbai\n", "not a text"),
        (b"vendorName,,city\nABC,lost,Mumbai\n", "Line 2 has a value in column 2, which has no heading"),
        (b"vendorName,city\nABC,Mumbai,lost\n", "Line 2 has a value in column 3, which has no heading"),
        (b'vendorName,city\n"ABC" Ltd,Mumbai\n', "Line 2 is not CSV"),
        (b"vendorName,VENDORNAME\nABC,DEF\n", "Two columns, vendorName and VENDORNAME, name the parameter vendorName"),
        (b'vendorName,city\nABC,"' + b"x" * 140_000 + b'"\n', "field larger than field limit"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(content: bytes, words: str, path: tuple[Visitor, str]) -> None:
    alice, imports = path
    assert words in complaints(send_file(alice, imports, content, 400))["file"]
    assert "No file yet" in alice.get(imports).text


@pytest.mark.one_store
def test_a_mapping_with_a_list_offers_no_file_and_says_why(path: tuple[Visitor, str]) -> None:
    alice, imports = path
    lists = f"{mapping_path(alice, 'Goods receipt')}/imports"
    page = alice.get(lists)
    assert "A CSV row cannot hold the list lines, so every row would fail. Send the records as JSON" in page.text
    assert not page.find_all("input", type="file")
    token = alice.get(imports).field("csrf_token")
    data = {"csrf_token": token, "file": (io.BytesIO(b"supplierCode,lines\nVEND-1001,5\n"), "a.csv")}
    answer = alice.client.post(lists, data=data, content_type="multipart/form-data")
    assert answer.status_code == 400 and "cannot hold the list lines" in answer.text


@pytest.mark.one_store
def test_a_mapping_that_has_a_message_of_its_own_keeps_it_apart_from_ours(
    path: tuple[Visitor, str], database: Database
) -> None:
    alice, _ = path
    rows = [*VENDOR_CREATION["rows"][:2], {"source": "message", "field": "contact_person"}]
    body = {"slug": "messages", "name": "Messages", "target": "vendor", "rows": rows}
    made = program_of(alice).post("/api/v2/integration/incoming-mappings", body)
    assert made.status_code == 201, made.text
    program_of(alice).post(f"/api/v2/integration/incoming-mappings/{made.json['data']['id']}/publish")
    imports = f"{mapping_path(alice, 'Messages')}/imports"
    text = "vendorName,gstNumber,Message\nABC,bad,Ann\n"
    for gst, words in (("27ABCDE0001F1Z5", "FAILED 1"), ("27ABCDE0001F1Z5", "SUCCESS 1")):
        page = start_file(alice, imports, text)
        write_all(database)
        assert words in alice.get(page.path).text
        text = alice.client.get(f"{page.path}/result.csv").text
        added = ["import_outcome", "import_record_id", "import_error_code", "import_message"]
        assert next(csv.reader(io.StringIO(text))) == ["vendorName", "gstNumber", "Message", *added]
        text = text.replace("bad", gst)
    assert newest(alice, 1)[0]["contact_person"] == "Ann"
