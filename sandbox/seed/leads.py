"""People who asked: some became the customers we know, some were lost, the latest are still open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import cycle
from random import Random

from sandbox.seed.customers import fill_digits
from sandbox.seed.days import FIRST_DAY, LAST_DAY, day_of, dice, instant, next_business_day
from sandbox.seed.reference import stamped
from sandbox.seed.words import Row, Words

CONVERTED = 16
LOST = 14
OPEN = ("Contacted", "Contacted", "Qualified", "Contacted", "Qualified", "Qualified", "Contacted", "New", "New", "New")
ONLINE = ("Website", "Search", "Newsletter")
REMINDED_AFTER = dt.timedelta(minutes=90)
OPEN_SINCE = dt.timedelta(days=75)


def lead_rows(words: Words, customers: list[Row]) -> list[Row]:
    """Leads in the order in which they came."""
    chance = dice("leads")
    names = _names(words, chance)
    converted = [_converted(words, chance, row, next(names)) for row in chance.sample(customers[7:], CONVERTED)]
    span = (LAST_DAY - OPEN_SINCE - FIRST_DAY).days - 60
    lost_on = [FIRST_DAY + dt.timedelta(days=30 + chance.randrange(span)) for _ in range(LOST)]
    lost = [_stranger(words, chance, next(names), day, "Lost") for day in lost_on]
    gap = OPEN_SINCE.days // len(OPEN)
    open_since = [LAST_DAY - OPEN_SINCE + dt.timedelta(days=index * gap) for index in range(len(OPEN))]
    still_open = [
        _stranger(words, chance, next(names), day, status) for day, status in zip(open_since, OPEN, strict=True)
    ]
    came = sorted(converted + lost + still_open, key=lambda row: row["created_at"])
    return [{"id": id_, **row} for id_, row in enumerate(came, 1)]


def conversion_rows(leads: list[Row], customers: list[Row]) -> list[Row]:
    """Which customer each converted lead became: the one of the same e-mail."""
    known = {row["email"]: row["id"] for row in customers}
    converted = [row for row in leads if row["status"] == "Converted"]
    return [
        {"id": id_, "lead_id": row["id"], "customer_id": known[row["email"]]} for id_, row in enumerate(converted, 1)
    ]


def touch_rows(words: Words, leads: list[Row]) -> list[Row]:
    """Build the inquiries behind the leads that came online, and date those leads by the latest of them."""
    asked = [_touch(row, row["created_at"], row["message"]) for row in leads if row["source"] in ONLINE]
    waiting = [row for row in leads if row["source"] in ONLINE and row["status"] in ("Contacted", "Qualified")]
    reminders = cycle(words.texts["lead_reminders"])
    asked += [_touch(row, row["created_at"] + REMINDED_AFTER, next(reminders)) for row in waiting]
    asked.sort(key=lambda touch: touch["created_at"])
    latest = {touch["lead_id"]: touch["created_at"] for touch in asked}
    for row in leads:
        row["touched_at"] = latest.get(row["id"])
    return [{"id": id_, **touch} for id_, touch in enumerate(asked, 1)]


def _touch(lead: Row, asked_at: dt.datetime, message: str) -> Row:
    kept = {name: lead[name] for name in ("email", "phone", "company", "source")}
    said = {"name": f"{lead['first_name']} {lead['last_name']}".strip(), "message": message, "consent": True}
    return {"lead_id": lead["id"], "state": "accepted", "reasons": [], **kept, **said, "created_at": asked_at}


def _names(words: Words, chance: Random) -> Iterator[tuple[str, str]]:
    given, family = (chance.sample(words.names[kind], 50) for kind in ("given_names", "family_names"))
    return iter(zip(given, family, strict=True))


def _converted(words: Words, chance: Random, customer: Row, name: tuple[str, str]) -> Row:
    """Somebody of a company that joined some weeks later; a person who joined asked in person."""
    is_person = customer["email"].endswith("@post.example")
    joined_at = customer["created_at"]
    asked_on = next_business_day(day_of(joined_at) - dt.timedelta(days=chance.randrange(6, 40)))
    asked_at = min(instant(asked_on, chance), joined_at - dt.timedelta(hours=2))
    first, last = customer["account"].split(" ", 1) if is_person else name
    contact = {"email": customer["email"], "phone": customer["phone"]}
    company = None if is_person else customer["account"]
    fields = {"first_name": first, "last_name": last, "company": company, **contact, **_inquiry(words, chance)}
    return stamped(fields | {"status": "Converted"}, asked_at, joined_at, version=3)


def _stranger(words: Words, chance: Random, name: tuple[str, str], day: dt.date, status: str) -> Row:
    first, last = name
    trade, domain = chance.choice(words.names["companies"]["trade"]), last.lower()
    city = chance.choice(words.names["cities"])
    fields = {
        "first_name": first,
        "last_name": last,
        "company": f"{last} {trade}" if chance.random() < 0.7 else None,
        "email": f"{first.lower()}@{domain}.example",
        "phone": fill_digits(city["phone"], chance) if chance.random() < 0.7 else None,
        **_inquiry(words, chance),
        "status": status,
    }
    asked_at = instant(next_business_day(day), chance)
    if status == "New":
        return stamped(fields, asked_at)
    answered_on = min(next_business_day(day_of(asked_at) + dt.timedelta(days=chance.randrange(1, 5))), LAST_DAY)
    return stamped(fields, asked_at, max(asked_at, instant(answered_on, chance)), version=2)


def _inquiry(words: Words, chance: Random) -> Row:
    return {
        "source": chance.choice(words.reference["lead_sources"]),
        "message": chance.choice(words.texts["lead_messages"]),
    }
