"""The people of the company, and when they came and went in May and June 2026."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from random import Random

from sandbox.seed.customers import fill_digits
from sandbox.seed.days import business_days, dice, instant, start_of
from sandbox.seed.reference import stamped
from sandbox.seed.words import Row, Words

FIRST_CODE = 1001
PUNCHED_MONTHS = (dt.date(2026, 5, 1), dt.date(2026, 6, 1))
"""The months for which the door's record is kept."""
_PHONE = "+91 22 0055 02##"


def employee_rows(words: Words) -> list[Row]:
    """Everybody who ever worked here, in the order in which they joined."""
    chance = dice("employees")
    given, family = (chance.sample(words.names[kind], len(words.employees)) for kind in ("given_names", "family_names"))
    departments = {row["name"]: row["id"] for row in words.reference["departments"]}
    return [
        _employee(chance, id_, f"{given[id_ - 1]} {family[id_ - 1]}", departments[post["department"]], post)
        for id_, post in enumerate(words.employees, 1)
    ]


def _employee(chance: Random, id_: int, name: str, department_id: int, post: Row) -> Row:
    left_on = post.get("left_on")
    fields = {
        "id": id_,
        "employee_code": f"EMP-{FIRST_CODE + id_ - 1}",
        "name": name,
        "email": f"{name.replace(' ', '.').lower()}@staff.example",
        "phone": fill_digits(_PHONE, chance),
        "department_id": department_id,
        "designation": post["designation"],
        "joined_on": post["joined_on"],
        "status": "Left" if left_on else "Active",
    }
    joined_at = start_of(post["joined_on"]) + dt.timedelta(hours=9, minutes=7 * id_)
    return stamped(fields, joined_at, instant(left_on, chance), version=2) if left_on else stamped(fields, joined_at)


def attendance_rows(words: Words, employees: list[Row]) -> list[Row]:
    """Two punches a day for whoever was at work, in the order in which they were made."""
    chance = dice("attendance")
    days = [day for month in PUNCHED_MONTHS for day in business_days(month)]
    warehouse = next(row["id"] for row in words.reference["departments"] if row["name"] == "Warehouse")
    punches = [
        punch
        for employee, post in zip(employees, words.employees, strict=True)
        for punch in _punches(chance, employee, _days_of(post, days), employee["department_id"] == warehouse)
    ]
    made = sorted(punches, key=lambda row: (row["at"], row["employee_id"]))
    return [{"id": id_, **row} for id_, row in enumerate(made, 1)]


def _days_of(post: Row, days: list[dt.date]) -> list[dt.date]:
    if not post.get("clocks_in", True):
        return []
    return [day for day in days if post["joined_on"] <= day <= post.get("left_on", day)]


def _punches(chance: Random, employee: Row, days: list[dt.date], is_at_gate: bool) -> Iterator[Row]:
    """In and out with the odd day away, and the odd punch forgotten on the way home."""
    usual = chance.randrange(7 * 60 + 50, 9 * 60)
    for day in days:
        came = start_of(day) + dt.timedelta(minutes=usual + chance.randrange(-8, 16), seconds=chance.randrange(60))
        went = came + dt.timedelta(minutes=chance.randrange(500, 575), seconds=chance.randrange(60))
        is_away, forgets = chance.random() < 0.05, chance.random() < 0.01
        for at, direction in ((came, "in"), (went, "out"))[: 0 if is_away else 1 if forgets else 2]:
            device = "Warehouse gate" if is_at_gate else "Front door"
            fields = {"employee_id": employee["id"], "at": at, "direction": direction, "device": device}
            yield stamped(fields, at)
