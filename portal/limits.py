"""Every named limit, with its number and its reason (contract section 4)."""

from __future__ import annotations

import hashlib
import ipaddress
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from flask import Flask, g, request
from flask_limiter import Limiter
from itsdangerous import BadData, URLSafeTimedSerializer
from limits.storage import Storage
from pydantic import TypeAdapter, ValidationError
from redis.exceptions import RedisError

from portal.api.body import parse_json
from portal.api.quotas import Quota, Watch
from portal.api.schema import Email
from portal.core.errors import MalformedJson
from portal.core.meter import KEY_LENGTH, Limit
from portal.core.runtime import runtime
from portal.core.text import fold

VISITOR_HEADER = "X-Slipway-Visitor"
API_KEY = Limit("requests per API key and hour", 1000, 3600, "A fair share for each integration (contract section 4)")
REFUSED = Limit("refused credentials per address and hour", 1000, 3600, "Keys cannot be guessed by trying")
ARRIVALS = Limit(
    "arrivals per inbox address and minute", 1200, 60, "A burst of events with their retries; more tells nothing new"
)
CHAT_COOKIE = "slipway_chat"
SANDBOX_CHAT_COOKIE = "slipway_chat_sandbox"
_EMAIL = TypeAdapter(Email)


def client_address() -> str:
    """The caller's address; an IPv6 /64 counts as one (contract section 4).

    A call of the console comes from this machine; the visitor behind it is told by a signed header.
    """
    address = _remote_address()
    if address.is_loopback and VISITOR_HEADER in request.headers:
        return _vouched_visitor() or str(address)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)


def typed_email() -> str:
    """The e-mail address in the request's body, hashed, apart for each tenant; the client's address without one.

    It is read as the operation will read it, so that one address cannot be spelled as several.
    """
    fields = _typed_fields()
    email = fields.get("email") if isinstance(fields, Mapping) else None
    if not isinstance(email, str) or not email:
        return client_address()
    return hash_email(email)


def hash_email(email: str) -> str:
    """What an e-mail address is counted by: the same for every spelling of it, apart for each tenant."""
    with suppress(ValidationError):
        email = _EMAIL.validate_python(email)
    whose = g.get("publishable_key", "house")
    return hashlib.sha256(f"{whose} {fold(email.strip())}".encode("utf-8", "replace")).hexdigest()


def typed_sender() -> str:
    """The e-mail address in the request's body and the client's address together."""
    return f"{typed_email()} {client_address()}"


def guest_token() -> str:
    """The one proof of a chat guest that a request carries: a bearer token to the API, else a cookie; empty if none."""
    if not request.path.startswith("/api/"):
        return request.cookies.get(CHAT_COOKIE, "")
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else request.cookies.get(chat_cookie(), "")


def chat_cookie() -> str:
    """The name of the cookie: a chat tried in a sandbox has one of its own, so that it never hides the real one."""
    return SANDBOX_CHAT_COOKIE if request.headers.get("X-Publishable-Key") else CHAT_COOKIE


def guest_proof() -> str:
    """The proof a chat guest holds, hashed; the client's address where there is none."""
    proof = guest_token()
    return hashlib.sha256(proof.encode("utf-8", "replace")).hexdigest() if proof else client_address()


def vouch_for_visitor() -> dict[str, str]:
    """The header by which the console names the visitor for whom it calls."""
    return {VISITOR_HEADER: str(_visitor_signer().dumps(client_address()))}


def is_from_console() -> bool:
    """Return True for a request that the console of this deployment sent, which its signed header alone can prove."""
    return VISITOR_HEADER in request.headers and _vouched_visitor() is not None


def _typed_fields() -> Any:
    if not request.is_json:
        return request.form
    try:
        return parse_json(request.get_data(cache=True))
    except MalformedJson:
        return None


def _remote_address() -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The socket's, or what a trusted proxy says; what is no address counts as one caller."""
    with suppress(ValueError):
        return ipaddress.ip_address(request.remote_addr or "")
    return ipaddress.IPv4Address(0)


def _vouched_visitor() -> str | None:
    try:
        return str(_visitor_signer().loads(request.headers[VISITOR_HEADER], max_age=60))
    except BadData:
        return None


def _visitor_signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(runtime().settings.secret_key, salt="console-visitor")


limiter = Limiter(key_func=client_address, headers_enabled=False)

# An office of a hundred, a classroom, a trade fair behind one address; a flood is caught within the hour.
LEADS_BY_ADDRESS = limiter.shared_limit("600 per hour", scope="leads per address and hour")
LEADS_WATCHED = Watch(
    Limit("leads stored per address and hour", 100, 3600, "More of one network are looked at by a person"),
    client_address,
    "busy_address",
)
LEADS_BY_SENDER = Watch(
    Limit("leads stored per email address, address and hour", 5, 3600, "Nobody inquires six times in an hour"),
    typed_sender,
    "busy_sender",
)
LEADS_BY_EMAIL = Watch(
    Limit(
        "leads stored per email address and hour", 30, 3600, "Somebody else's email address typed from many networks"
    ),
    typed_email,
    "busy_sender",
)
CHATS_BY_ADDRESS = limiter.shared_limit("600 per hour", scope="new chats per address and hour")
# By email and address together: what somebody else types elsewhere locks nobody out.
CHATS_BY_EMAIL = Quota(
    Limit("new chats per email address and hour", 20, 3600, "A person with a chat goes on in it"), typed_sender
)
# A hundred people who write ten lines a minute for a tenth of the hour.
MESSAGES_BY_ADDRESS = limiter.shared_limit("6000 per hour", scope="chat messages per address and hour")
MESSAGES_BY_GUEST = Quota(
    Limit("chat messages per guest and hour", 300, 3600, "Five lines a minute, all hour long"), guest_proof
)
# The panel looks every five seconds, 720 times an hour; two tabs of one guest, a hundred guests at one address.
READS_BY_ADDRESS = limiter.shared_limit("72000 per hour", scope="chat reads per address and hour")
READS_BY_GUEST = Quota(
    Limit("chat reads per guest and hour", 1800, 3600, "Two tabs that look every five seconds"), guest_proof
)
TOKENS_BY_ADDRESS = limiter.shared_limit("600 per hour", scope="token requests per address and hour")
# A course in which everybody makes a sandbox at once.
SANDBOXES_BY_ADDRESS = limiter.shared_limit("60 per hour", scope="new sandboxes per address and hour")
# A person sends one in ten seconds, and there are ten of them.
CONSOLE_SENDS = limiter.shared_limit("3600 per hour", scope="console sends per address and hour")
RESETS_BY_ADDRESS = limiter.shared_limit("600 per hour", scope="sandbox resets per address and hour")
# What is guessed is limited by account and address together (portal/accounts/brakes.py); this protects the hashing.
SIGN_INS_BY_ADDRESS = limiter.shared_limit("600 per hour", scope="sign-ins per address and hour", methods=["POST"])
# A course that resets passwords, with typing errors. What is mailed to one address is limited in portal/accounts.
RESETS_OF_PASSWORDS_BY_ADDRESS = limiter.shared_limit(
    "300 per hour", scope="password resets per address and hour", methods=["POST"]
)
# Saving makes a guest of a visitor, who is kept for a day.
TICKS_BY_ADDRESS = limiter.shared_limit("1200 per hour", scope="saved checklists per address and hour")
# A course that signs up, with typing errors. What is mailed to one address is limited in portal/accounts.
SIGN_UPS_BY_ADDRESS = limiter.shared_limit("300 per hour", scope="sign-ups per address and hour", methods=["POST"])


class MeterStorage(Storage):
    """Lets Flask-Limiter count where the current application's meter counts: in Redis, else in the database."""

    STORAGE_SCHEME = ["slipway"]

    @property
    def base_exceptions(self) -> type[Exception]:
        return RedisError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        return runtime().meter.add(key[:KEY_LENGTH], int(expiry), amount)[0]

    def get(self, key: str) -> int:
        return runtime().meter.read(key[:KEY_LENGTH])[0]

    def get_expiry(self, key: str) -> float:
        return runtime().meter.read(key[:KEY_LENGTH])[1] or time.time()

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        return None

    def clear(self, key: str) -> None:
        return None


def init_limits(app: Flask) -> None:
    """Set Flask-Limiter up on the application."""
    app.config["RATELIMIT_STRATEGY"] = "fixed-window"
    app.config["RATELIMIT_STORAGE_URI"] = f"{MeterStorage.STORAGE_SCHEME[0]}://"
    limiter.init_app(app)
    # Every limit wraps its view; the check before each request would find nothing and cost all pages time.
    app.before_request_funcs[None].remove(limiter._check_request_limit)
