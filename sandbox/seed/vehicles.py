"""The fleet, as it stands at the end of June 2026."""

from __future__ import annotations

import datetime as dt

from sandbox.seed.days import LAST_DAY, dice, instant, next_business_day
from sandbox.seed.reference import stamped
from sandbox.seed.words import Row, Words

_FIELDS = ("plate", "model", "year", "status", "odometer")


def vehicle_rows(words: Words) -> list[Row]:
    """The vehicles in the order in which they were bought; the odometer was read some days ago."""
    chance = dice("vehicles")
    rows = []
    for id_, vehicle in enumerate(words.vehicles, 1):
        fields = {"id": id_, **{name: vehicle[name] for name in _FIELDS}}
        read_on = next_business_day(LAST_DAY - dt.timedelta(days=chance.randrange(4, 25)))
        rows.append(stamped(fields, instant(vehicle["bought_on"], chance), instant(read_on, chance), version=6))
    return rows
