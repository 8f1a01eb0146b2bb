"""What proves a guest's right to a conversation: tokens, and links that become one when they are opened."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from sqlalchemy import delete, or_, select

from portal.core.errors import NotFound
from portal.core.secrets import keyed_hash
from portal.core.session import TenantSession
from portal.support.models import Conversation, GuestToken

TOKEN_PREFIX = "gst_"  # noqa: S105 — a prefix, not a secret
TOKEN_PURPOSE = "guest-token"  # noqa: S105 — a purpose, not a secret
LONGEST_TOKEN = 100
SILENCE = dt.timedelta(days=30)
"""After which a browser's cookie ends."""
LINK_LIFETIME = dt.timedelta(days=7)


def new_token() -> str:
    """Return a token of 256 random bits."""
    return TOKEN_PREFIX + secrets.token_hex(32)


def hash_token(secret_key: str, token: str) -> str:
    """Return what is stored of a token."""
    return keyed_hash(secret_key, TOKEN_PURPOSE, token)


def find_guests_conversation(
    session: TenantSession,
    secret_key: str,
    token: str,
    public_id: str | None = None,
    *,
    silence: dt.timedelta | None = None,
) -> Conversation:
    """Return the conversation the token belongs to, when it is the named one. Raises NotFound for every other case.

    With `silence`, the token has ended after so long without a visit or a message.
    """
    if not token.startswith(TOKEN_PREFIX) or len(token) > LONGEST_TOKEN:
        raise NotFound
    hashed = hash_token(secret_key, token)
    own = GuestToken.tenant_id == Conversation.tenant_id
    further = select(GuestToken.conversation_id).where(own, GuestToken.token_hash == hashed)
    mine = or_(Conversation.token_hash == hashed, Conversation.id.in_(further))
    conversation = session.scalar(select(Conversation).where(mine))
    if conversation is None or public_id not in {None, conversation.public_id}:
        raise NotFound
    if silence is not None and _last_life(conversation) + silence <= session.clock.now():
        raise NotFound
    return conversation


def add_token(session: TenantSession, secret_key: str, conversation: Conversation) -> str:
    """Give the conversation one token more; those handed out before stay good."""
    token = new_token()
    session.add(GuestToken(conversation_id=conversation.id, token_hash=hash_token(secret_key, token)))
    session.flush()
    return token


def make_link(session: TenantSession, conversation: Conversation) -> str:
    """Return the secret of a link that opens the conversation once, within LINK_LIFETIME."""
    secret = secrets.token_urlsafe(32)
    expires_at = session.clock.now() + LINK_LIFETIME
    session.add(GuestToken(conversation_id=conversation.id, link_hash=_hash_link(secret), link_expires_at=expires_at))
    session.flush()
    return secret


def find_link(session: TenantSession, secret: str, *, lock: bool = False) -> GuestToken:
    """Return an unused link. Raises NotFound for one that is unknown, used or too old."""
    wanted = select(GuestToken).where(GuestToken.link_hash == _hash_link(secret[:LONGEST_TOKEN]))
    link = session.scalar(wanted.with_for_update() if lock else wanted)
    expires_at = link.link_expires_at if link is not None else None
    if link is None or expires_at is None or link.token_hash is not None or expires_at <= session.clock.now():
        raise NotFound("This link was used already, or is older than a week.")
    return link


def open_link(session: TenantSession, secret_key: str, secret: str) -> tuple[Conversation, str]:
    """Use a link up. Returns its conversation and a token for the browser that opened it. Raises NotFound."""
    link = find_link(session, secret, lock=True)
    token = new_token()
    link.token_hash = hash_token(secret_key, token)
    conversation = session.scalars(select(Conversation).where(Conversation.id == link.conversation_id)).one()
    return conversation, token


def forget_tokens(session: TenantSession, conversation: Conversation) -> None:
    """End every token and link of a conversation."""
    session.execute(delete(GuestToken).where(GuestToken.conversation_id == conversation.id))
    conversation.token_hash = hashlib.sha256(secrets.token_bytes(32)).hexdigest()
    conversation.start_key = None


def _hash_link(secret: str) -> str:
    """A plain hash is enough for 256 random bits, and a job that knows no key can make one."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _last_life(conversation: Conversation) -> dt.datetime:
    return max(conversation.last_message_at, conversation.seen_at or conversation.created_at)
