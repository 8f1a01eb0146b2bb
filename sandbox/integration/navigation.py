"""Where the pages of the integration stand: API Integration and API Logs (contract section 7)."""

from __future__ import annotations

from dataclasses import dataclass

ROOT = "/sandbox/integration"


@dataclass(frozen=True)
class Section:
    """One page of the integration. `text` says what it is for."""

    label: str
    href: str
    text: str


@dataclass(frozen=True)
class Chapter:
    """Sections under one heading."""

    title: str
    sections: tuple[Section, ...]


CHAPTERS = (
    Chapter(
        "API Integration",
        (
            Section("Webhooks", f"{ROOT}/webhooks", "Your addresses that are told of events, and what was sent there."),
            Section(
                "Incoming Mapping List", f"{ROOT}/incoming", "How an external system's JSON becomes records of yours."
            ),
            Section("Outgoing Mapping List", f"{ROOT}/outgoing", "How your records become a partner's parameters."),
            Section(
                "Header Configuration", f"{ROOT}/connections", "Partners' addresses, and the credentials they gave you."
            ),
            Section("Return Status Rules", f"{ROOT}/statuses", "What an external system is answered, case by case."),
            Section("Outgoing API Settings", f"{ROOT}/settings", "When records are sent: by event, by hand, by time."),
        ),
    ),
    Chapter(
        "API Logs",
        (
            Section("Incoming Logs", f"{ROOT}/incoming/logs", "What external systems sent, and what they were told."),
            Section("Outgoing Logs", f"{ROOT}/outgoing/logs", "What was sent to partners, and what they answered."),
            Section("Failed Queue", f"{ROOT}/failed", "What did not get through: to inspect, edit, retry, discard."),
        ),
    ),
)
FIRST_STEPS = (
    Section(
        "Receive records from a system",
        f"{ROOT}/incoming",
        "Open a mapping, try it on the system's JSON, then give the system a key.",
    ),
    Section(
        "Send records to a partner",
        f"{ROOT}/outgoing",
        "Open a mapping, look at what would be sent, then approve an invoice and see it in the logs.",
    ),
    Section(
        "Be told of events",
        f"{ROOT}/webhooks/new",
        "Register an address, one of your inbox for a start, and send it a test.",
    ),
)
"""Where to begin, one for each direction."""


def current_section(path: str) -> Section | None:
    """The section that a page at `path` belongs to."""
    sections = [section for chapter in CHAPTERS for section in chapter.sections]
    above = [section for section in sections if path == section.href or path.startswith(f"{section.href}/")]
    return max(above, key=lambda section: len(section.href), default=None)
