"""A dry run says what the real one will: over mappings and payloads of every kind (contract section 7)."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.core.database import Database
from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.stores import Store

MAPPINGS = "/api/v2/integration/incoming-mappings"
INCOMING = "/api/v1/integration/incoming"
GSTS = [f"27ABCDE{number:04d}F1Z5" for number in range(6)] + ["33XHEXC0964X1ZG"]
EMAILS = ["a@buyers.example", "B@buyers.example", "b@buyers.example", "nobody", "a@b", ""]
TEXTS = [
    "ABC Traders",
    "  abc  ",
    "",
    " ",
    "Z" * 130,
    "=1+1",
    "-5",
    "nul\x00",
    "\ud800",
    "Мумбаи",
    "1.234,5",
    "31/02/2024",
]
VALUES = st.one_of(
    st.sampled_from([*TEXTS, *GSTS, *EMAILS, "Mumbai", "Atlantis", "9876543210", "New", "Converted"]),
    st.sampled_from([None, True, 0, 7, -3, 10**30, [], {}, {"a": "Mumbai"}, ["x"]]),
    st.text(max_size=12),
)
NAMES = ["name", "gst", "mail", "phone", "town", "state", "extra"]
STEPS = st.sampled_from(
    [
        {"kind": "trim"},
        {"kind": "case", "case": "upper"},
        {"kind": "case", "case": "lower"},
        {"kind": "case", "case": "title"},
        {"kind": "default", "value": "Mumbai"},
        {"kind": "constant", "value": "Pune"},
        {"kind": "lookup", "table": {"Mumbai": "Pune", "a": "b"}, "value": "Mumbai"},
        {"kind": "lookup", "table": {"Mumbai": "Pune"}},
        {"kind": "join", "sources": ["extra", "$.extra.a"], "separator": "-"},
        {"kind": "number_format", "decimal": ",", "thousands": "."},
        {"kind": "date_format", "format": "DD/MM/YYYY"},
    ]
)
CHECKS = st.builds(
    lambda check, own: check | own,
    st.sampled_from(
        [
            {"kind": "not_empty"},
            {"kind": "pattern", "pattern": "[A-Za-z ]+"},
            {"kind": "pattern", "pattern": "(a|aa)+$"},
            {"kind": "email"},
            {"kind": "phone"},
            {"kind": "date"},
            {"kind": "master", "master": "cities"},
        ]
    ),
    st.sampled_from([{}, {"code": "OWN_CODE", "message": "Not as agreed"}]),
)
UNIQUE = {"kind": "unique", "code": "TAKEN"}
FIELDS: dict[str, dict[str, str]] = {
    "vendor": {"name": "name", "gst_no": "gst", "email": "mail", "phone": "phone", "city": "town"},
    "lead": {"first_name": "name", "last_name": "extra", "email": "mail", "phone": "phone", "status": "state"},
}
NEEDED = {"vendor": {"name", "gst_no"}, "lead": {"first_name", "last_name", "email"}}
KNOWN_BY = {"vendor": ["gst_no", "email", "phone", "name"], "lead": ["email", "phone"]}
FITTING = {"email": {"kind": "email"}, "phone": {"kind": "phone"}, "city": {"kind": "master", "master": "cities"}}


@st.composite
def mappings(draw: st.DrawFn) -> dict[str, Any]:
    """A mapping that may be saved. What a record cannot do without is left alone more often than not."""
    target = draw(st.sampled_from(["vendor", "lead"]))
    rows = []
    for field, source in FIELDS[target].items():
        if field not in NEEDED[target] and draw(st.booleans()):
            continue
        is_odd = draw(st.integers(0, 4)) == 0
        checks = draw(st.lists(CHECKS, max_size=2)) if is_odd else [FITTING.get(field, {"kind": "not_empty"})]
        steps = draw(st.lists(STEPS, max_size=2)) if is_odd else [{"kind": "trim"}]
        if field in KNOWN_BY[target] and draw(st.integers(0, 3)) == 0:
            checks.append(UNIQUE)
        rows.append(
            {
                "source": draw(st.sampled_from([source, f"$.{source}", f"$['{source}']"])),
                "field": field,
                "required": is_odd and draw(st.booleans()),
                "transformations": steps,
                "checks": checks,
            }
        )
    filled = [row["field"] for row in rows if row["field"] in KNOWN_BY[target]]
    rule = {
        "fields": draw(st.lists(st.sampled_from(filled), min_size=1, max_size=2, unique=True)),
        "action": draw(st.sampled_from(["update", "refuse", "skip"])),
    }
    answers = draw(
        st.sampled_from(
            [
                {},
                {"failed": {"http_status": 422, "error_code": "NOT_TAKEN"}, "created": {"http_status": 201}},
                {"duplicate": {"http_status": 200, "status": "known"}, "updated": {"message": "Brought up to date"}},
            ]
        )
    )
    return {"target": target, "rows": rows, "duplicates": draw(st.sampled_from([rule, rule, None])), "answers": answers}


@st.composite
def payloads(draw: st.DrawFn) -> Any:
    """A record or several, of two companies at most, so that later ones meet earlier ones; some of them spoilt."""
    company = draw(st.integers(0, 9000))
    good = st.fixed_dictionaries(
        {
            "name": st.sampled_from(["ABC Traders", "Rao"]),
            "gst": st.sampled_from([f"27ABCDE{company:04d}F1Z5", f"27ABCDE{company + 1:04d}F1Z5"]),
            "mail": st.sampled_from([f"a{company}@buyers.example", f"A{company}@buyers.example", "b@buyers.example"]),
            "phone": st.sampled_from([f"98765{company:05d}", "+91 22 0055 0143"]),
            "town": st.sampled_from(["Mumbai", "Pune"]),
            "state": st.sampled_from(["New", "Contacted"]),
            "extra": st.sampled_from(["Sharma", "Mehta"]),
        }
    )
    odd = st.builds(lambda whole, part: whole | part, good, st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=2))
    record = st.one_of(good, good, odd, st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6))
    several = st.lists(st.one_of(good, record), min_size=2, max_size=4)
    return draw(st.one_of(several, several, record, st.lists(VALUES, min_size=1, max_size=3)))


_numbers = itertools.count()


def told(answer: Any) -> list[Any]:
    """What both runs have to agree in: everything but the requests' ids and public ids, which are drawn anew."""
    rows = answer.json if isinstance(answer.json, list) else [answer.json]
    kept = ("status", "outcome", "errorCode", "message", "errors", "recordId")
    seen = [{name: row.get(name) for name in kept} for row in rows]
    return [answer.status_code, *(row | {"recordId": comparable(row["recordId"])} for row in seen)]


def comparable(record_id: str | None) -> str | None:
    return "led_…" if record_id and record_id.startswith("led_") else record_id


def test_the_verdict_of_a_dry_run_is_that_of_the_real_run(
    store: Store, alice: Integration, alices_sandbox: NewSandbox, database: Database
) -> None:
    happened: set[tuple[int, Any]] = set()

    @settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(mapping=mappings(), payload=payloads())
    def agrees(mapping: dict[str, Any], payload: Any) -> None:
        slug = f"mapping-{next(_numbers)}"
        made = alice.post(MAPPINGS, {"slug": slug, "name": slug, **mapping})
        assert made.status_code == 201, made.text
        address = f"{MAPPINGS}/{made.json['data']['id']}"
        assert alice.post(f"{address}/publish").status_code == 200
        dry = alice.post(f"{INCOMING}?mapping={slug}&dry_run=true", payload)
        real = alice.post(f"{INCOMING}?mapping={slug}", payload)
        assert told(dry) == told(real), (mapping, payload)
        assert dry.status_code != 500
        rows = real.json if isinstance(real.json, list) else [real.json]
        happened.update((real.status_code, row["message"] if row["outcome"] == "SUCCESS" else "") for row in rows)
        assert alice.delete(address).status_code == 200

    agrees()
    assert {200, 400, 409} <= {status for status, _ in happened}
    messages = {message for _, message in happened}
    assert "Record saved successfully" in messages
    assert {"Record updated successfully", "Brought up to date"} & messages
