"""Who is calling: one look-up turns a key or a token into a caller, afresh on every request.

Keys and tokens expire by the clock of their tenant, the tenant itself by the machine's.

The statements here run before a tenant is known, so they address the tables directly and by unique hash or id.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select

from portal.core.calendars import Calendar
from portal.core.clock import Clock, system_now
from portal.core.errors import Unauthorized
from portal.core.ownership import table_of
from portal.core.prepared import Direct, Prepared
from portal.core.secrets import is_same_hash, keyed_hash
from portal.tenancy.keys import HASH_PURPOSE, is_well_formed, key_id_in
from portal.tenancy.models import AccessToken, ApiKey, Tenant

TOKEN_PURPOSE = "access-token"  # noqa: S105 — a purpose, not a secret
_NOBODY = "0" * 64

keys, tokens, tenants = table_of(ApiKey), table_of(AccessToken), Tenant.__table__

_CALLER = [
    tenants.c.id.label("tenant_id"),
    tenants.c.public_id.label("tenant"),
    tenants.c.mode,
    tenants.c.plan,
    tenants.c.clock_offset,
    tenants.c.time_zone,
    tenants.c.is_armed,
    tenants.c.revision,
    tenants.c.expires_at.label("tenant_expires_at"),
    keys.c.id.label("api_key_id"),
    keys.c.key_id,
    keys.c.name,
    keys.c.role,
    keys.c.scopes,
    keys.c.secret_hash,
    keys.c.expires_at,
    keys.c.revoked_at,
    keys.c.last_used_at,
]
_BY_KEY = Prepared(
    select(*_CALLER)
    .join_from(keys, tenants, keys.c.tenant_id == tenants.c.id)
    .where(keys.c.key_id == bindparam("key_id"))
)
_BY_TOKEN = Prepared(
    select(*_CALLER, tokens.c.scopes.label("token_scopes"), tokens.c.expires_at.label("token_expires_at"))
    .join_from(tokens, keys, (tokens.c.tenant_id == keys.c.tenant_id) & (tokens.c.api_key_id == keys.c.id))
    .join(tenants, keys.c.tenant_id == tenants.c.id)
    .where(tokens.c.token_hash == bindparam("token_hash"))
)


class Found(NamedTuple):
    """A row of the look-ups below, in the order of their columns."""

    tenant_id: int
    tenant: str
    mode: str
    plan: str
    clock_offset: int
    time_zone: str
    is_armed: bool
    revision: int
    tenant_expires_at: dt.datetime | None
    api_key_id: int
    key_id: str
    key_name: str
    role: str
    scopes: list[str] | None
    secret_hash: str
    expires_at: dt.datetime | None
    revoked_at: dt.datetime | None
    last_used_at: dt.datetime | None
    token_scopes: list[str] | None = None
    token_expires_at: dt.datetime | None = None

    @property
    def clock(self) -> Clock:
        return Clock(dt.timedelta(seconds=self.clock_offset), Calendar(self.time_zone))


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated API caller and the tenant its credential belongs to."""

    tenant_id: int
    tenant: str
    mode: str
    plan: str
    clock: Clock
    is_armed: bool
    revision: int
    api_key_id: int
    key_id: str
    key_name: str
    role: str
    scopes: frozenset[str] | None
    last_used_at: dt.datetime | None

    @property
    def actor(self) -> str:
        """How the audit trail names this caller."""
        return f"key:{self.key_id}"

    @property
    def actor_abroad(self) -> str:
        """How the audit trail of another tenant names the platform owner."""
        return f"owner:{self.key_id}"

    @property
    def is_sandbox(self) -> bool:
        return self.mode == "sandbox"


def identify_by_key(connection: Direct, secret_key: str, key: str) -> Caller:
    """The caller behind a secret key. Raises Unauthorized, taking the same time for every reason."""
    row = _found(connection.row(_BY_KEY, {"key_id": key_id_in(key) or ""}))
    given = keyed_hash(secret_key, HASH_PURPOSE, key)
    matches = is_same_hash(given, row.secret_hash if row else _NOBODY)
    if row is None or not (matches and is_well_formed(key)):
        raise Unauthorized
    return _admit(row, row.scopes)


def identify_by_token(connection: Direct, secret_key: str, token: str) -> Caller:
    """The caller behind an access token. Raises Unauthorized when it, its key or its tenant has ended."""
    row = _found(connection.row(_BY_TOKEN, {"token_hash": keyed_hash(secret_key, TOKEN_PURPOSE, token)}))
    if row is None or row.token_expires_at is None or row.token_expires_at <= row.clock.now():
        raise Unauthorized
    return _admit(row, row.token_scopes if row.token_scopes is not None else row.scopes)


def _found(row: list[Any] | None) -> Found | None:
    return None if row is None else Found(*row)


def _admit(row: Found, scopes: list[str] | None) -> Caller:
    ended = row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= row.clock.now())
    if ended or (row.tenant_expires_at is not None and row.tenant_expires_at <= system_now()):
        raise Unauthorized
    return Caller(
        tenant_id=row.tenant_id,
        tenant=row.tenant,
        mode=row.mode,
        plan=row.plan,
        clock=row.clock,
        is_armed=row.is_armed,
        revision=row.revision,
        api_key_id=row.api_key_id,
        key_id=row.key_id,
        key_name=row.key_name,
        role=row.role,
        scopes=None if scopes is None else frozenset(scopes),
        last_used_at=row.last_used_at,
    )
