"""Dates and times of other systems: any fraction, any offset, local times that occur twice or never."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.integration.transformations.dates import read_date
from tests.conftest import Integration

MAPPINGS = "/api/v2/integration/incoming-mappings"
ATTENDANCE = "/api/v2/hr/attendance"
LOCAL = "DD/MM/YYYY HH:mm:ss"


def publish(alice: Integration, *steps: dict[str, Any], slug: str = "clock") -> str:
    rows = [
        {"source": "code", "field": "employee_code", "required": True},
        {"source": "at", "field": "at", "type": "date-time", "required": True, "transformations": list(steps)},
        {"source": "way", "field": "direction"},
    ]
    rule = {"fields": ["employee_code", "at"], "action": "skip"}
    body = {"slug": slug, "name": "Clock", "target": "attendance", "rows": rows, "duplicates": rule}
    made = alice.post(MAPPINGS, body)
    assert made.status_code == 201, made.text
    alice.post(f"{MAPPINGS}/{made.json['data']['id']}/publish")
    return f"/api/v1/integration/incoming?mapping={slug}"


def punch(alice: Integration, path: str, *times: str) -> list[dict[str, Any]]:
    answer = alice.post(path, [{"code": "EMP-1002", "at": at} for at in times])
    rows: list[dict[str, Any]] = answer.json
    return rows


def stored(alice: Integration, day: str) -> list[str]:
    page = alice.get(f"{ATTENDANCE}?employee_code=EMP-1002&date_from={day}&date_to={day}&sort=at")
    return [row["at"] for row in page.json["data"]]


SAME = ("2026-11-30T04:30:00.1234567Z", "2026-11-30T10:00:01.123456789012345+0530", "2026-11-30T10:00:02.5+05:30")

WRONG = (
    "2026-11-30T10:00:00",
    "2026-11-30T10:00:00.Z",
    "2026-11-30T10:00:00+05",
    "2026-11-30T10:00:00+2500",
    "２０２６-11-30T10:00:00Z",
    "2026-02-30T10:00:00Z",
    "2026-11-30T10:00:00123Z",
    "2026-11-30T10:00:60Z",
)


def test_fractions_of_any_length_and_offsets_of_either_form_are_taken(alice: Integration) -> None:
    taken = ["2026-11-30T04:30:00.123456Z", "2026-11-30T04:30:01.123456Z", "2026-11-30T04:30:02.500000Z"]
    rows = punch(alice, publish(alice), *SAME)
    assert [row["outcome"] for row in rows] == ["SUCCESS"] * 3, rows
    assert [at.rstrip("Z")[:23] for at in stored(alice, "2026-11-30")] == [at.rstrip("Z")[:23] for at in taken]


@pytest.mark.one_store
def test_the_apis_own_instants_take_them_too(alice: Integration) -> None:
    for number, at in enumerate(SAME):
        made = alice.post(ATTENDANCE, {"employee_code": "EMP-1005", "at": at.replace("2026-11-30", "2026-11-29")})
        assert made.status_code == 201, (number, made.text)
    for since in ("2026-11-30T04:30:00.1234567Z", "2026-11-30T10:00:00%2B0530", "2026-11-30T10:00:00.1234567%2B05:30"):
        for path in (ATTENDANCE, "/api/v2/customers"):
            assert alice.get(f"{path}?updated_since={since}").status_code == 200, since
    for wrong in WRONG:
        refused = alice.post(ATTENDANCE, {"employee_code": "EMP-1005", "at": wrong})
        assert (refused.status_code, list(refused.json["errors"])) == (400, ["at"]), wrong
    assert alice.get("/api/v2/invoices?date_from=２０２６-11-30").status_code == 400


@pytest.mark.parametrize(
    ("format_", "text", "instant"),
    [
        ("YYYY-MM-DDTHH:mm:ssZ", "2026-11-30T10:00:00.1234567+0530", "2026-11-30T04:30:00.123456Z"),
        ("YYYY-MM-DDTHH:mm:ssZ", "2026-11-30T10:00:00+05:30", "2026-11-30T04:30:00Z"),
        ("YYYY-MM-DDTHH:mm:ssZ", "2026-11-30t04:30:00z", "2026-11-30T04:30:00Z"),
        ("YYYY-MM-DD HH:mm:ss.SSS", "2026-11-30 10:00:00.5", "2026-11-30T10:00:00.500000Z"),
        ("YYYY-MM-DD HH:mm:ss.SSS", "2026-11-30 10:00:00", "2026-11-30T10:00:00Z"),
        ("DD.MM.YYYY HH:mm:ss,SSS", "30.11.2026 10:00:00,123456789", "2026-11-30T10:00:00.123456Z"),
        ("YYYYMMDDHHmmssSSS", "20261130100000250", "2026-11-30T10:00:00.250000Z"),
        ("DD.MM.YYYY HH:mm", "30.11.2026 10:00 +0530", "2026-11-30T04:30:00Z"),
        ("DD.MM.YYYY HH:mm", "1.2.2026 9:05", "2026-02-01T09:05:00Z"),
        ("MM/DD/YYYY hh:mm A", "11/30/2026 12:05\u202fam", "2026-11-30T00:05:00Z"),
        ("DD-MMM-YY HH:mm", "30-Nov-26 23:59", "2026-11-30T23:59:00Z"),
        ("DD.MM.YYYY", "30.11.2026", "2026-11-30"),
        ("YYYYMMDD", "20261130", "2026-11-30"),
    ],
)
def test_a_format_reads_what_it_says(format_: str, text: str, instant: str) -> None:
    assert read_date(text, format_) == instant


@pytest.mark.parametrize(
    ("format_", "text"),
    [
        ("YYYYMMDD", "2026115"),
        ("YYYYMMDDHHmm", "2026113010"),
        ("DD.MM.YYYY", "31.11.2026"),
        ("DD.MM.YYYY", "30.11.26"),
        ("DD.MM.YYYY", "٣٠.١١.٢٠٢٦"),
        ("DD.MM.YYYY", "30.11.2026 10:00"),
        ("DD.MM.YYYY HH:mm", "30.11.2026 24:00"),
        ("DD.MM.YYYY hh:mm A", "30.11.2026 13:00 PM"),
        ("DD.MM.YYYY hh:mm A", "30.11.2026 00:00 AM"),
        ("YYYY-MM-DDTHH:mm:ss", "2026-11-30T10:00:00."),
        ("YYYY-MM-DDTHH:mm:ssZ", "2026-11-30T10:00:00"),
        ("YYYY-MM-DDTHH:mm:ssZ", "2026-11-30T10:00:00+9900"),
        ("YYYY-MM-DDTHH:mm:ssZ", "0001-01-01T00:00:00+0530"),
        ("YYYY-MM-DD", "0000-01-01"),
    ],
)
def test_what_a_format_does_not_say_is_refused(format_: str, text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_date(text, format_)


def test_a_local_time_that_occurs_twice_is_told_apart_by_its_offset_and_never_lost(alice: Integration) -> None:
    path = publish(alice, {"kind": "date_format", "format": LOCAL, "zone": "Europe/Berlin"})
    (unclear,) = punch(alice, path, "25/10/2026 02:30:00")
    assert (unclear["outcome"], list(unclear["errors"])) == ("FAILED", ["at"])
    assert unclear["message"] == (
        "at occurs twice in Europe/Berlin, where the clocks went back. "
        "Add the offset, such as 25/10/2026 02:30:00 +02:00"
    )
    assert stored(alice, "2026-10-25") == []
    both = punch(alice, path, "25/10/2026 02:30:00 +02:00", "25/10/2026 02:30:00 +0100", "25/10/2026 03:00:00")
    assert [row["outcome"] for row in both] == ["SUCCESS"] * 3
    assert stored(alice, "2026-10-25") == ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"]
    again = punch(alice, path, "25/10/2026 02:30:00 +02:00", "25/10/2026 02:30:00 +01:00")
    assert [row["outcome"] for row in again] == ["DUPLICATE"] * 2


def go_to(alice: Integration, zone: str) -> None:
    assert alice.patch(f"/api/tenants/{alice.tenant}", {"time_zone": zone}).status_code == 200


@pytest.mark.parametrize(
    ("zone", "instant"),
    [
        ("Asia/Kolkata", "2026-11-30T04:30:00Z"),
        ("America/New_York", "2026-11-30T15:00:00Z"),
        ("UTC", "2026-11-30T10:00:00Z"),
    ],
)
def test_a_time_without_a_zone_is_the_tenants(alice: Integration, zone: str, instant: str) -> None:
    go_to(alice, zone)
    path = publish(alice, {"kind": "date_format", "format": LOCAL})
    (row,) = punch(alice, path, "30/11/2026 10:00:00")
    assert row["outcome"] == "SUCCESS", row
    assert stored(alice, "2026-11-30") == [instant]
    assert punch(alice, path, "30/11/2026 10:00:00", f"{instant}")[0]["outcome"] == "DUPLICATE"


@pytest.mark.one_store
def test_a_draft_is_tested_in_the_tenants_zone_and_a_step_may_name_another(alice: Integration) -> None:
    go_to(alice, "Asia/Kolkata")
    for slug, step, instant in (
        ("tenants", {"kind": "date_format", "format": LOCAL}, "2026-11-30T04:30:00Z"),
        ("devices", {"kind": "date_format", "format": LOCAL, "zone": "Europe/Berlin"}, "2026-11-30T09:00:00Z"),
        ("offset", {"kind": "date_format", "format": f"{LOCAL}Z"}, "2026-11-30T08:00:00Z"),
    ):
        publish(alice, step, slug=slug)
        (mapping,) = [row for row in alice.get(f"{MAPPINGS}?limit=100").json["data"] if row["slug"] == slug]
        at = "30/11/2026 10:00:00" + ("+0200" if slug == "offset" else "")
        payload = {"code": "EMP-1002", "at": at, "way": "in"}
        run = alice.post(f"{MAPPINGS}/{mapping['id']}/run", {"version": "live", "payload": payload}).json["data"]
        assert instant in str(run), run


@pytest.mark.one_store
def test_an_hour_that_occurs_twice_in_the_tenants_zone_is_not_guessed(alice: Integration) -> None:
    go_to(alice, "Europe/Berlin")
    (row,) = punch(alice, publish(alice, {"kind": "date_format", "format": LOCAL}), "25/10/2026 02:30:00")
    assert row["outcome"] == "FAILED"
    assert "occurs twice in Europe/Berlin" in row["message"]


@pytest.mark.one_store
def test_a_local_time_that_never_occurs_is_refused(alice: Integration) -> None:
    path = publish(alice, {"kind": "date_format", "format": LOCAL, "zone": "Europe/Berlin"})
    never, before, after = punch(alice, path, "29/03/2026 02:30:00", "29/03/2026 01:59:59", "29/03/2026 03:00:00")
    assert never["message"] == "at does not occur in Europe/Berlin, where the clocks went forward. Correct the time"
    assert (never["outcome"], before["outcome"], after["outcome"]) == ("FAILED", "SUCCESS", "SUCCESS")
    assert stored(alice, "2026-03-29") == ["2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"]


@pytest.mark.one_store
def test_instants_with_offsets_are_two_punches_in_the_night_the_clocks_go_back(alice: Integration) -> None:
    for at in ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"):
        assert alice.post(ATTENDANCE, {"employee_code": "EMP-1002", "at": at}).status_code == 201
    assert stored(alice, "2026-10-25") == ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]
