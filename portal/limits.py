"""Every named limit, with its number and its reason (contract section 4)."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping

from flask import Flask, request
from flask_limiter import Limiter

from portal.core.meter import DatabaseMeter, DatabaseStorage, Limit, Meter

API_KEY = Limit("requests per API key and hour", 1000, 3600, "A fair share for each integration (contract section 4)")
REFUSED = Limit("refused credentials per address and hour", 1000, 3600, "Keys cannot be guessed by trying")
CHAT_COOKIE = "slipway_chat"


def client_address() -> str:
    """The caller's address; an IPv6 /64 counts as one (contract section 4)."""
    address = ipaddress.ip_address(request.remote_addr or "0.0.0.0")  # noqa: S104 — a stand-in, nothing listens
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)


def typed_email() -> str:
    """The e-mail address in the request's body, hashed; the client's address where there is none."""
    fields = request.get_json(silent=True) if request.is_json else request.form
    email = fields.get("email") if isinstance(fields, Mapping) else None
    if not isinstance(email, str) or not email:
        return client_address()
    return hashlib.sha256(email.strip().lower().encode("utf-8", "replace")).hexdigest()


def guest_proof() -> str:
    """The proof a chat guest holds, hashed; the client's address where there is none."""
    proof = request.headers.get("Authorization") or request.cookies.get(CHAT_COOKIE)
    return hashlib.sha256(proof.encode("utf-8", "replace")).hexdigest() if proof else client_address()


limiter = Limiter(key_func=client_address, headers_enabled=False)

LEADS_BY_ADDRESS = limiter.shared_limit("30 per hour", scope="leads per address and hour")
LEADS_BY_EMAIL = limiter.shared_limit("5 per hour", scope="leads per e-mail and hour", key_func=typed_email)
CHATS_BY_ADDRESS = limiter.shared_limit("20 per hour", scope="new chats per address and hour")
CHATS_BY_EMAIL = limiter.shared_limit("5 per hour", scope="new chats per e-mail and hour", key_func=typed_email)
# One person writes less than two messages a minute for long; an office behind one address has several.
MESSAGES_BY_ADDRESS = limiter.shared_limit("600 per hour", scope="chat messages per address and hour")
MESSAGES_BY_GUEST = limiter.shared_limit("120 per hour", scope="chat messages per guest and hour", key_func=guest_proof)
# The panel looks every five seconds, 720 times an hour; two tabs of one guest, ten guests at one address.
READS_BY_ADDRESS = limiter.shared_limit("7200 per hour", scope="chat reads per address and hour")
READS_BY_GUEST = limiter.shared_limit("1800 per hour", scope="chat reads per guest and hour", key_func=guest_proof)
TOKENS_BY_ADDRESS = limiter.shared_limit("600 per hour", scope="token requests per address and hour")
SANDBOXES_BY_ADDRESS = limiter.shared_limit("20 per hour", scope="new sandboxes per address and hour")
CONSOLE_SENDS = limiter.shared_limit("600 per hour", scope="console sends per address and hour")
RESETS_BY_ADDRESS = limiter.shared_limit("120 per hour", scope="sandbox resets per address and hour")
SIGN_INS_BY_ADDRESS = limiter.shared_limit("30 per hour", scope="sign-ins per address and hour", methods=["POST"])
SIGN_INS_BY_ACCOUNT = limiter.shared_limit(
    "10 per hour", scope="sign-ins per account and hour", key_func=typed_email, methods=["POST"]
)
SIGN_UPS_BY_ADDRESS = limiter.shared_limit("20 per hour", scope="sign-ups per address and hour", methods=["POST"])


def init_limits(app: Flask, meter: Meter, redis_url: str) -> None:
    """Let the page limits count where the API's count: in Redis, else in the database."""
    app.config["RATELIMIT_STRATEGY"] = "fixed-window"
    if redis_url:
        app.config["RATELIMIT_STORAGE_URI"] = redis_url
    else:
        assert isinstance(meter, DatabaseMeter)
        app.config["RATELIMIT_STORAGE_URI"] = f"{DatabaseStorage.STORAGE_SCHEME[0]}://"
        app.config["RATELIMIT_STORAGE_OPTIONS"] = {"meter": meter}
    limiter.init_app(app)
    # Every limit wraps its view; the check before each request would find nothing and cost all pages time.
    app.before_request_funcs[None].remove(limiter._check_request_limit)
