"""Brakes on guessing passwords and on asking for mail: by account and address together, and slowly by account alone.

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


@dataclass(frozen=True)
class Act:
    """What is braked after some free tries. `name` is shown to the person, `reason` to the reader."""

    key: str
    free_tries: int
    name: str
    reason: str


SIGN_IN = Act(
    "sign-in", FREE_TRIES, "sign-in attempts to one account after failures", "Passwords cannot be guessed by trying"
)
MAIL = Act("account-mail", 3, "mails about one account", "Nobody's mailbox is filled by our forms")


@dataclass(frozen=True)
class Attempt:
    """One attempt to sign in to the account that was typed, or to have mail sent to it, from here."""

    meter: Meter
    account: str
    address: str
    is_known: bool
    act: Act = SIGN_IN

    @property
    def pair(self) -> str:
        return hashlib.sha256(f"{self.account} {self.address}".encode()).hexdigest()

    def _key(self, what: str, subject: str) -> str:
        return f"{self.act.key} {what}:{subject}"

    def admit(self) -> None:
        """Count the attempt before the password is compared. Raises RateLimited with the time of the next one."""
        tries, _ = self.meter.add(self._key("tries", self.pair), TRIES_WINDOW, 1)
        if tries >= self.act.free_tries:
            self._pass_gate(self._key("gate", self.pair), delay_after(tries - self.act.free_tries))
        if self.is_known:
            return
        tries, _ = self.meter.add(self._key("tries", self.account), TRIES_WINDOW, 1)
        if tries >= STRANGERS_TRIES:
            self._pass_gate(self._key("gate", self.account), STRANGERS_DELAY)

    def forgive(self) -> None:
        """Forget the failures before a success, and know this network from now on. Needs no open transaction."""
        tries, _ = self.meter.read(self._key("tries", self.pair))
        if tries > 0:
            self.meter.add(self._key("tries", self.pair), TRIES_WINDOW, -tries)
        self.meter.add(self._key("known", self.pair), KNOWN_FOR, 1)

    def _pass_gate(self, gate: str, delay: int) -> None:
        """Let one attempt through each `delay` seconds. Raises RateLimited."""
        passed, opens_at = self.meter.add(gate, delay, 1)
        if passed > 1:
            self.meter.add(self._key("tries", self.pair), TRIES_WINDOW, -1)
            Reading(Limit(self.act.name, 1, delay, self.act.reason), passed, opens_at).refuse_if_exceeded()


def delay_after(tries: int) -> int:
    """Return how many seconds pass after so many braked tries: 30, 60, 120 and so on, 900 at most."""
    doublings = min(max(0, tries), 10)
    return int(min(FIRST_DELAY * 2**doublings, LONGEST_DELAY))


def begin_attempt(account: str = "") -> Attempt:
    """Describe the attempt of this request: at the account typed into its form, or at `account`."""
    meter, account, address = runtime().meter, account or typed_email(), client_address()
    attempt = Attempt(meter, account, address, is_known=account in _known_accounts())
    if attempt.is_known or not meter.read(f"{SIGN_IN.key} known:{attempt.pair}")[0]:
        return attempt
    return Attempt(meter, account, address, is_known=True)


def admit_mail(account: str = "") -> None:
    """Let a form have mail sent to the account that was typed. Raises RateLimited if it was asked too often from here.

    Who asks elsewhere is no hindrance here: how much goes to one mailbox is limited where the mail is written.
    """
    Attempt(runtime().meter, account or typed_email(), client_address(), is_known=True, act=MAIL).admit()


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
