"""Vendors, in the order in which the company took them on."""

from __future__ import annotations

import datetime as dt
from random import Random

from sandbox.seed.customers import fill_digits
from sandbox.seed.days import dice, instant, next_business_day
from sandbox.seed.reference import stamped
from sandbox.seed.words import Row, Words

_STATES = {
    "Delhi": "07",
    "Jaipur": "08",
    "Kolkata": "19",
    "Ahmedabad": "24",
    "Mumbai": "27",
    "Pune": "27",
    "Bengaluru": "29",
    "Chennai": "33",
    "Hyderabad": "36",
}
"""Codes of the states in a GSTIN."""
_DIALLING = {
    "Delhi": "11",
    "Jaipur": "141",
    "Kolkata": "33",
    "Ahmedabad": "79",
    "Mumbai": "22",
    "Pune": "20",
    "Bengaluru": "80",
    "Chennai": "44",
    "Hyderabad": "40",
}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NO_HOLDER = "X"


def vendor_rows(words: Words) -> list[Row]:
    """The vendors with codes from VEND-1001 on."""
    chance = dice("vendors")
    moments = _first_contacts(words, chance)
    rows = []
    for id_, (vendor, met_at) in enumerate(zip(words.vendors, moments, strict=True), 1):
        domain = vendor["name"].lower().replace(" & ", " ").replace(" ", "-")
        fields = {
            "id": id_,
            "vendor_code": f"VEND-{1000 + id_}",
            "name": vendor["name"],
            "gst_no": _gst_no(vendor, chance),
            "contact_person": vendor["contact"],
            "phone": fill_digits(f"+91 {_DIALLING[vendor['city']]} 0055 01##", chance),
            "email": f"{vendor['mailbox']}@{domain}.example",
            "city": vendor["city"],
        }
        rows.append(stamped(fields, met_at))
    return rows


def _first_contacts(words: Words, chance: Random) -> list[dt.datetime]:
    """Within each month one after another; those of the first month on its first working day but one."""
    moments: list[dt.datetime] = []
    for vendor in words.vendors:
        month = dt.date.fromisoformat(f"{vendor['since']}-01")
        day = dt.date(2024, 1, 3) if month == dt.date(2024, 1, 1) else next_business_day(month.replace(day=4))
        moments.append(instant(day, chance, 8, 12))
    return sorted(moments)


def _gst_no(vendor: Row, chance: Random) -> str:
    """A GSTIN of the vendor's state around a PAN that can belong to nobody."""
    letters = "".join(chance.choices(_LETTERS, k=3)) + _NO_HOLDER + vendor["name"][0]
    digits = fill_digits("####", chance)
    return (
        f"{_STATES[vendor['city']]}{letters}{digits}{chance.choice(_LETTERS)}1Z{chance.choice('0123456789' + _LETTERS)}"
    )
