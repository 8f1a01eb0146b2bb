"""Tickets with their replies: most are closed, the latest still wait for an answer."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from random import Random

from sandbox.seed.days import LAST_DAY, day_of, dice, instant, next_business_day
from sandbox.seed.reference import stamped
from sandbox.seed.words import Row, Words

COUNT, OF_LATE = 150, 22
FIRST_DAY = dt.date(2024, 1, 19)
LATELY, UNANSWERED = dt.timedelta(days=20), dt.timedelta(days=8)
NAMED, THANKED, REOPENED, LEFT = 0.93, 0.7, 0.08, 0.07
"""How often a ticket names its customer, ends with thanks, comes back, and is left without an end."""
AGAIN = "I am afraid it has happened again."


@dataclass
class Tickets:
    """The rows of tickets and of their histories."""

    tickets: list[Row] = field(default_factory=list)
    replies: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Cast:
    """Who asks, who answers, and what about."""

    customers: list[Row]
    invoices: list[Row]
    users: list[Row]


def ticket_rows(words: Words, cast: Cast) -> Tickets:
    """The rows, oldest first. John Doe, the first customer, asked nothing: the guides quote what he has."""
    chance = dice("tickets")
    made, told = Tickets(), []
    for id_, day in enumerate(_days(chance), 1):
        asked_at, topic = instant(day, chance, 8, 11), chance.choice(words.tickets["topics"])
        customer, names = _subject(words, chance, cast, topic, asked_at)
        colleague = chance.choice([row["name"] for row in cast.users if row["created_at"] < asked_at])
        history = _history(chance, topic, asked_at, customer["account"], colleague)
        made.tickets.append({"id": id_, **_ticket(words, chance, topic, names, customer, asked_at, history)})
        told += [{"ticket_id": id_, **entry} for entry in history]
    told.sort(key=lambda entry: (entry["created_at"], entry["ticket_id"]))
    made.replies = [{"id": id_, **entry} for id_, entry in enumerate(told, 1)]
    return made


def _days(chance: Random) -> list[dt.date]:
    span = (LAST_DAY - LATELY - FIRST_DAY).days
    days = [FIRST_DAY + dt.timedelta(days=chance.randrange(span)) for _ in range(COUNT - OF_LATE)]
    days += [LAST_DAY - dt.timedelta(days=chance.randrange(LATELY.days)) for _ in range(OF_LATE)]
    return sorted(next_business_day(day) for day in days)


def _subject(words: Words, chance: Random, cast: Cast, topic: Row, asked_at: dt.datetime) -> tuple[Row, dict[str, str]]:
    """The customer, and what stands for the places of the topic's words. Who names an invoice has it."""
    names = {"{product}": words.product(chance.choice(words.tickets["devices"]))["name"]}
    billed = [row for row in cast.invoices if row["customer_id"] != 1 and row["created_at"] < asked_at]
    if "{number}" in topic["subject"] and billed:
        invoice = chance.choice(billed[-20:])
        return cast.customers[invoice["customer_id"] - 1], names | {"{number}": invoice["invoice_number"]}
    known = [row for row in cast.customers[1:] if row["created_at"] < asked_at]
    return chance.choice(known), names | {"{number}": "INV-2024-001"}


def _ticket(
    words: Words,
    chance: Random,
    topic: Row,
    names: dict[str, str],
    customer: Row,
    asked_at: dt.datetime,
    history: list[Row],
) -> Row:
    departments = {row["name"]: row["id"] for row in words.reference["departments"]}
    fields = {
        "customer_id": customer["id"] if chance.random() < NAMED else None,
        "subject": _filled(topic["subject"], names),
        "message": _filled(topic["message"], names),
        "department_id": departments[topic["department"]],
        "priority": chance.choice(topic["priorities"]),
        "status": "Pending" if history else "Open",
        "closed_at": None,
    }
    moves = [entry for entry in history if entry["kind"] != "reply"]
    if moves and moves[-1]["kind"] == "closed":
        fields |= {"status": "Closed", "closed_at": moves[-1]["created_at"]}
    changes = moves or history[-1:]
    return stamped(fields, asked_at, changes[-1]["created_at"] if changes else None, version=1 + len(changes))


def _filled(text: str, names: dict[str, str]) -> str:
    for place, name in names.items():
        text = text.replace(place, name)
    return text


def _history(chance: Random, topic: Row, asked_at: dt.datetime, customer: str, colleague: str) -> list[Row]:
    """What followed, as far as it has happened by the last day."""
    if day_of(asked_at) > LAST_DAY - UNANSWERED:
        return []
    steps = [("reply", colleague, answer) for answer in topic["answers"]]
    if "thanks" in topic and chance.random() < THANKED:
        steps.append(("reply", customer, topic["thanks"]))
    if chance.random() > LEFT:
        steps.append(("closed", colleague, None))
    if steps[-1][0] == "closed" and chance.random() < REOPENED:
        steps += [("reply", customer, AGAIN), ("reopened", customer, None), ("closed", colleague, None)]
    entries, made_at = [], asked_at
    for kind, author, message in steps:
        made_at = made_at if kind == "reopened" else _later(chance, made_at)
        entries.append({"kind": kind, "author": author, "message": message, "created_at": made_at})
    return [entry for entry in entries if day_of(entry["created_at"]) <= LAST_DAY]


def _later(chance: Random, moment: dt.datetime) -> dt.datetime:
    """Some hours later, or on one of the next working days."""
    if moment.hour < 12 and chance.random() < 0.4:
        return moment + dt.timedelta(seconds=chance.randrange(1800, 18000))
    day = next_business_day(day_of(moment) + dt.timedelta(days=chance.choice((1, 1, 2, 3, 7))))
    return instant(day, chance, 8, 12)
