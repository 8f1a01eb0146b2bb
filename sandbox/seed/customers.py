"""A hundred customers, joining over two and a half years. The first is the one the guides quote."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from random import Random

from sandbox.seed.days import FIRST_DAY, LAST_DAY, day_of, dice, instant, next_business_day
from sandbox.seed.reference import stamped
from sandbox.seed.words import Row, Words

COUNT = 100
NEXT_TO_JOIN = (16, 17, 18, 22, 24, 26)
"""Days of January 2024 on which customers 2 to 7 joined; the opening month's invoices are theirs."""


def customer_rows(words: Words) -> list[Row]:
    """Customers in the order in which they joined."""
    chance = dice("customers")
    rows = [_first(words)]
    names = _names(words, chance)
    for id_, joined_at in enumerate(_joinings(chance), 2):
        account, email = next(names)
        fields = {"id": id_, "account": account, "email": email, **_place(words, chance)}
        rows.append(_with_history(fields, joined_at, chance))
    return rows


def _first(words: Words) -> Row:
    fields = dict(words.names["first_customer"])
    created_at = dt.datetime.fromisoformat(fields.pop("created_at"))
    return stamped({"id": 1, **fields}, created_at)


def _joinings(chance: Random) -> list[dt.datetime]:
    early = [dt.date(2024, 1, day) for day in NEXT_TO_JOIN]
    span = (LAST_DAY - FIRST_DAY).days - 45
    later = [FIRST_DAY + dt.timedelta(days=32 + chance.randrange(span)) for _ in range(COUNT - 1 - len(early))]
    return sorted(instant(next_business_day(day), chance) for day in early + later)


def _names(words: Words, chance: Random) -> Iterator[tuple[str, str]]:
    """Pairs of name and e-mail address, no two alike: three companies for each person."""
    given, family = (chance.sample(words.names[kind], 30) for kind in ("given_names", "family_names"))
    for index, first in enumerate(chance.sample(words.names["companies"]["first"], 78)):
        yield _company(words, chance, first)
        if index % 3 == 2:
            person = f"{given[index // 3]} {family[index // 3]}"
            yield person, f"{person.replace(' ', '.').lower()}@post.example"


def _company(words: Words, chance: Random, first: str) -> tuple[str, str]:
    companies = words.names["companies"]
    trade, mailbox = chance.choice(companies["trade"]), chance.choice(companies["mailbox"])
    partner = f" & {chance.choice(words.names['family_names'])}" if chance.random() < 0.2 else ""
    domain = f"{first}-{trade}".lower().replace(" ", "-")
    return f"{first}{partner} {trade}", f"{mailbox}@{domain}.example"


def _place(words: Words, chance: Random) -> Row:
    cities = words.names["cities"]
    city = chance.choices(cities, [row["weight"] for row in cities])[0]
    return {
        "phone": fill_digits(city["phone"], chance) if chance.random() < 0.95 else None,
        "address": f"{chance.randrange(1, 240)} {chance.choice(words.names['streets'])}",
        **{name: city[name] for name in ("city", "state", "zip", "country")},
    }


def fill_digits(pattern: str, chance: Random) -> str:
    """The pattern with a digit for each #."""
    return "".join(str(chance.randrange(10)) if sign == "#" else sign for sign in pattern)


def _with_history(fields: Row, joined_at: dt.datetime, chance: Random) -> Row:
    """One in six has been corrected once, some weeks after joining."""
    if chance.random() < 1 / 6:
        changed_on = next_business_day(day_of(joined_at) + dt.timedelta(days=chance.randrange(10, 90)))
        if changed_on <= LAST_DAY:
            return stamped(fields, joined_at, instant(changed_on, chance), version=2)
    return stamped(fields, joined_at)
