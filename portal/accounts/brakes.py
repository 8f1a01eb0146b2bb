"""Brakes on guessing passwords: by account and address together, and slowly by account alone.

Who guesses at one account from one address waits longer after each try. Whoever guesses at it from many addresses slows
down strangers only: a browser or a network from which the owner has signed in before is never held up by them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from flask import Response, current_app, request
from itsdangerous import BadData, URLSafeSerializer

from portal.core.meter import Limit, Meter, Reading
from portal.core.runtime import runtime
from portal.limits import client_address, typed_email

FREE_TRIES = 5
TRIES_WINDOW = 6 * 3600
FIRST_DELAY, LONGEST_DELAY = 30, 900
STRANGERS_TRIES = 50
STRANGERS_DELAY = 30
KNOWN_FOR = 90 * 24 * 3600
DEVICE_COOKIE = "slipway_device"
MOST_ACCOUNTS = 5
NAME = "sign-in attempts to one account after failures"
REASON = "Passwords cannot be guessed by trying"


@dataclass(frozen=True)
class Attempt:
    """One attempt to sign in to the account that was typed, from here."""

    meter: Meter
    account: str
    address: str
    is_known: bool

    @property
    def pair(self) -> str:
        return hashlib.sha256(f"{self.account} {self.address}".encode()).hexdigest()

    def admit(self) -> None:
        """Count the attempt before the password is compared. Raises RateLimited with the time of the next one."""
        tries, _ = self.meter.add(f"sign-in tries:{self.pair}", TRIES_WINDOW, 1)
        if tries >= FREE_TRIES:
            self._pass_gate(f"sign-in gate:{self.pair}", delay_after(tries))
        if self.is_known:
            return
        tries, _ = self.meter.add(f"sign-in tries:{self.account}", TRIES_WINDOW, 1)
        if tries >= STRANGERS_TRIES:
            self._pass_gate(f"sign-in gate:{self.account}", STRANGERS_DELAY)

    def forgive(self) -> None:
        """Forget the failures before a success, and know this network from now on. Needs no open transaction."""
        tries, _ = self.meter.read(f"sign-in tries:{self.pair}")
        if tries > 0:
            self.meter.add(f"sign-in tries:{self.pair}", TRIES_WINDOW, -tries)
        self.meter.add(f"sign-in known:{self.pair}", KNOWN_FOR, 1)

    def _pass_gate(self, gate: str, delay: int) -> None:
        """Let one attempt through each `delay` seconds. Raises RateLimited."""
        passed, opens_at = self.meter.add(gate, delay, 1)
        if passed > 1:
            self.meter.add(f"sign-in tries:{self.pair}", TRIES_WINDOW, -1)
            Reading(Limit(NAME, 1, delay, REASON), passed, opens_at).refuse_if_exceeded()


def delay_after(tries: int) -> int:
    """Return how many seconds pass between this try and the next: 30, 60, 120 and so on, 900 at most."""
    doublings = min(max(0, tries - FREE_TRIES), 10)
    return int(min(FIRST_DELAY * 2**doublings, LONGEST_DELAY))


def begin_attempt(account: str = "") -> Attempt:
    """Describe the attempt of this request: at the account typed into its form, or at `account`."""
    meter, account, address = runtime().meter, account or typed_email(), client_address()
    attempt = Attempt(meter, account, address, is_known=account in _known_accounts())
    if attempt.is_known or not meter.read(f"sign-in known:{attempt.pair}")[0]:
        return attempt
    return Attempt(meter, account, address, is_known=True)


def remember_device(response: Response, account: str) -> Response:
    """Give this browser a cookie that says whose sign-in succeeded in it. It opens nothing; it outlives signing out."""
    accounts = [account, *(known for known in _known_accounts() if known != account)][:MOST_ACCOUNTS]
    response.set_cookie(
        DEVICE_COOKIE,
        str(_signer().dumps(accounts)),
        max_age=KNOWN_FOR,
        path="/account",
        httponly=True,
        samesite="Lax",
        secure=runtime().settings.is_secure,
    )
    return response


def _known_accounts() -> list[str]:
    try:
        return list(_signer().loads(request.cookies.get(DEVICE_COOKIE, "")))
    except (BadData, TypeError):
        return []


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="known-device")
