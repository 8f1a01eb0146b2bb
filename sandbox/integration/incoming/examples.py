"""What a fresh sandbox answers about incoming integration."""

from __future__ import annotations

from typing import Any

from portal.api.operation import Answer, Bare, Done, Page
from portal.core.phones import e164_of
from sandbox.integration.incoming.definition import read_definition, stored
from sandbox.integration.incoming.samples import PAYLOADS, VENDOR_CREATION, WEBSITE_LEAD

Record = dict[str, Any]
NOW = "2026-11-21T09:12:44Z"
REQUEST = "req_5f0d8c1b7a3e9d2460c8b1f7"
SAVED: Record = {
    "status": "success",
    "message": "Record saved successfully",
    "recordId": "VEND-1023",
    "outcome": "SUCCESS",
}
_VENDOR = PAYLOADS["vendor-creation"]
_FIELDS = ("name", "gst_no", "contact_person", "phone", "email", "city")


def _mapping(document: Record, **facts: Any) -> Record:
    definition = {"duplicates": None, "answers": {}, **stored(read_definition(document))}
    stamps = {"created_at": NOW, "updated_at": NOW, "version": 1}
    return {"id": 1, "public_id": "imp_7c1e09f4b2d85a3690e4c17d", **facts, **definition, **stamps}


_NAMED = {"slug": "vendor-creation", "name": "Vendor creation", "target": "vendor", "is_default": True}
MAPPING = _mapping(VENDOR_CREATION, **_NAMED, live_version=1, draft_version=None)
VERSION = {
    "number": 1,
    "status": "live",
    "definition": stored(read_definition(VENDOR_CREATION)),
    "author": "Seed",
    "created_at": NOW,
    "published_at": NOW,
}
TRIED: Record = {
    **SAVED,
    "dryRun": True,
    "values": dict(zip(_FIELDS, _VENDOR.values(), strict=True)),
    "fields": [
        {"row": f"rows.{number}", "source": source, "field": field, "value": value, "verdict": "ok"}
        for number, (field, (source, value)) in enumerate(zip(_FIELDS, _VENDOR.items(), strict=True))
    ],
    "effects": {
        "records": [
            {
                "table": "vendors",
                "verb": "created",
                "public_id": None,
                "fields": {
                    "id": [None, 23],
                    "vendor_code": [None, "VEND-1023"],
                    **{name: [None, value] for name, value in zip(_FIELDS, _VENDOR.values(), strict=True)},
                    "phone_e164": [None, e164_of(_VENDOR["mobile"], "IN")],
                },
            }
        ],
        "numbers": {"vendors": [23, 23], "vendors:code": [23, 23]},
        "events": ["vendor.created"],
    },
}
LINE: Record = {
    "public_id": "ims_1f6c0b7d5e3a92846cd0b1f7",
    "request_id": REQUEST,
    "mapping": "vendor-creation",
    "version": 1,
    "key_id": "4f9q2mZk3Tb8",
    "received_at": NOW,
    "record_count": 1,
    "outcome": "SUCCESS",
    "http_status": 200,
    "duration": 14210,
}

OTHERS: dict[str, Answer] = {
    "incoming.receive": Bare({**SAVED, "requestId": REQUEST}),
    "incoming-mappings.list": Page([MAPPING], limit=20, page=1, total=5),
    "incoming-mappings.create": Done(
        _mapping(WEBSITE_LEAD, slug="partner-lead", name="Partner lead", target="lead", is_default=False)
        | {"id": 6, "live_version": None, "draft_version": 1, "version": 1}
    ),
    "incoming-mappings.read": MAPPING,
    "incoming-mappings.replace": Done(MAPPING | {"name": "Vendor master", "draft_version": 2, "version": 2}),
    "incoming-mappings.delete": Done({"id": 2, "public_id": "imp_b02d6f1847c3e95a0d1f6c38"}),
    "incoming-mappings.check": Done({"is_sound": True, "faults": {}}),
    "incoming-mappings.run": Done({"outcome": "SUCCESS", "status": 200, "answers": [TRIED]}),
    "incoming-mappings.versions": Page([VERSION], limit=20, page=1, total=1),
    "incoming-mappings.draft": Done(MAPPING | {"draft_version": 2, "version": 2}),
    "incoming-mappings.replay": Done(
        {
            "payloads": [
                {
                    "request_id": REQUEST,
                    "received_at": NOW,
                    "records": 1,
                    "then": "SUCCESS",
                    "live": "DUPLICATE",
                    "draft": "DUPLICATE",
                    "verdict": "same",
                    "live_codes": ["DUPLICATE"],
                    "draft_codes": ["DUPLICATE"],
                    "has_other_values": False,
                }
            ],
            "same": 1,
            "better": 0,
            "worse": 0,
            "left_out": 0,
        }
    ),
    "incoming-mappings.publish": Done(MAPPING | {"name": "Vendor master", "live_version": 2, "version": 3}),
    "incoming-logs.list": Page([LINE], limit=20, page=1, total=1),
    "incoming-logs.read": {
        **LINE,
        "body": '{"vendorName": "ABC Traders", "gstNumber": "27ABCDE1234F1Z5"}',
        "is_whole": True,
        "outcomes": [
            {
                "outcome": "SUCCESS",
                "happening": "created",
                "record_public_id": "ven_832bfa30dbf0724894aa788b",
                "record_id": "VEND-1023",
            }
        ],
    },
}
