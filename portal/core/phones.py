"""Telephone numbers as people write them, and their E.164 form."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

FEWEST_DIGITS, MOST_DIGITS = 4, 15
_SIGNS = {ord("\u2212"): "-", ord("\u00b7"): ".", ord("\u2022"): ".", ord("\u2044"): "/"}
_WRITTEN = re.compile(
    r"(\+?[0-9 ()./\[\]-]*[0-9][0-9 ()./\[\]-]*)"
    r"(?:[ ,;]*(?:ext(?:ensi[oó]n|n)?|anexo|int|x|#)[.:=]?[ ]*[0-9]{1,7}#?)?",
    re.ASCII | re.IGNORECASE,
)
_ANYWHERE = "US"
"""The region by whose rules a number without a country code is read if nobody says where it is."""


def read_phone(text: str, country: str | None = None) -> PhoneNumber:
    """Return the telephone number that a text writes. Raises ValueError.

    A number without a country code is one of `country` (ISO 3166-1 alpha-2).
    """
    plain = _plain(text)
    written = _WRITTEN.fullmatch(plain)
    if written is None or not FEWEST_DIGITS <= sum(map(str.isdigit, written[1])) <= MOST_DIGITS:
        raise ValueError("not written as a telephone number")
    try:
        return phonenumbers.parse(plain, country or _ANYWHERE)
    except NumberParseException:
        raise ValueError("not a telephone number") from None


def e164_of(text: str | None, country: str | None = None) -> str | None:
    """Return the E.164 form of a telephone number; None if its country is unknown or its length impossible there."""
    if not text or not (country or _plain(text).startswith("+")):
        return None
    try:
        number = read_phone(text, country)
    except ValueError:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) if _is_possible(number) else None


def _is_possible(number: PhoneNumber) -> bool:
    return phonenumbers.is_possible_number(number)


def _plain(text: str) -> str:
    """The text with the digits, dashes, dots and plus signs of every script as ASCII has them."""
    return "".join(map(_plain_character, unicodedata.normalize("NFKC", text).translate(_SIGNS))).strip()


def _plain_character(character: str) -> str:
    if character.isascii():
        return character
    if unicodedata.category(character) == "Pd":
        return "-"
    if unicodedata.category(character) == "Nd":
        return str(unicodedata.digit(character))
    return character
