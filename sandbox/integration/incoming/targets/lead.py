"""Leads from outside: inquiries of websites and campaigns."""

from __future__ import annotations

from sandbox.integration.incoming.targets.target import target_of
from sandbox.resources.leads import leads

lead = target_of(
    leads,
    {
        "name": "lead",
        "title": "Lead",
        "description": "A new lead, or a change of the one that the duplicate rule finds.",
        "record_ids": ("public_id", "email"),
        "known_by": ("email", "phone", "company"),
    },
)
