"""Vendors from outside: one more supplier in the ERP's master."""

from __future__ import annotations

from sandbox.integration.incoming.targets.target import target_of
from sandbox.resources.vendors import vendors

vendor = target_of(
    vendors,
    {
        "name": "vendor",
        "title": "Vendor",
        "description": "A new vendor, under the next code such as VEND-1023. No two have one GST number.",
        "record_ids": ("vendor_code", "public_id", "gst_no"),
        "known_by": ("gst_no", "email", "phone", "name"),
    },
)
