"""Passwords: what may be one, how it is kept, whether it is the one."""

from __future__ import annotations

import re
import secrets
import unicodedata
from typing import Annotated

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import AfterValidator
from zxcvbn import zxcvbn

from portal.api.schema import refuse
from portal.core.errors import ValidationFailed

SHORTEST, LONGEST = 10, 200
LONGEST_JUDGED = 72
"""Characters that zxcvbn looks at; it grows slow with more."""
WEAKEST = 3
"""zxcvbn's score from which a password takes 10^8 guesses or more."""
_OURS = ["slipway", "developer", "portal"]

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)  # OWASP Password Storage Cheat Sheet
_nobodys_hash = _hasher.hash(secrets.token_hex())


def _check_length(value: str) -> str:
    if not SHORTEST <= len(value) <= LONGEST:
        raise refuse(f"Use {SHORTEST} to {LONGEST} characters")
    return unicodedata.normalize("NFKC", value)


Password = Annotated[str, AfterValidator(_check_length)]


def refuse_common(field: str, password: str, *about: str | None) -> None:
    """Refuse a password that is among the first ones tried, or made of what is known `about` the person.

    Raises ValidationFailed for `field`. Judged by zxcvbn: lists of leaked passwords, names and words, patterns, dates.
    """
    known = [
        word for text in about if text for word in (text, text.partition("@")[0], *re.split(r"[\W_]+", text)) if word
    ]
    if zxcvbn(password[:LONGEST_JUDGED], user_inputs=[*_OURS, *known])["score"] < WEAKEST:
        raise ValidationFailed(
            {
                field: "This password is easy to guess. Use four or more words that do not belong together, "
                "or let a password manager make one."
            }
        )


def hash_password(password: str) -> str:
    """What is kept of a password: argon2id of its normalised text."""
    return _hasher.hash(unicodedata.normalize("NFKC", password))


def is_password(known: str | None, password: str) -> bool:
    """Compare by hashing, once, whether there is a password to compare with or not."""
    try:
        return _hasher.verify(known or _nobodys_hash, unicodedata.normalize("NFKC", password[: LONGEST + 1]))
    except (VerificationError, InvalidHashError):
        return False
