"""API keys: their format, and issuing, finding, revoking them (contract section 2).

A secret key reads `sk_test_<id>_<secret><crc>`: the checksum lets a scanner, and us, tell a mistyped
key from a wrong one; the id finds the row; only a keyed hash of the whole is stored.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
import string
import zlib
from dataclasses import dataclass

from sqlalchemy import select

from portal.core.clock import system_now
from portal.core.counters import take_block
from portal.core.errors import NotFound, ValidationFailed
from portal.core.secrets import keyed_hash
from portal.core.session import TenantSession
from portal.tenancy.models import ApiKey, Tenant
from portal.tenancy.permissions import ROLES, permissions_of

ALPHABET = string.digits + string.ascii_letters
ID_LENGTH, SECRET_LENGTH, CHECKSUM_LENGTH = 12, 32, 6
KEY = re.compile(
    rf"^(sk_test|sk_live)_([0-9A-Za-z]{{{ID_LENGTH}}})_([0-9A-Za-z]{{{SECRET_LENGTH + CHECKSUM_LENGTH}}})$"
)
KEY_TYPES = ("sk_test", "sk_live")
HASH_PURPOSE = "api-key"


@dataclass(frozen=True)
class IssuedKey:
    """A new key's row and its secret, which exists only here."""

    row: ApiKey
    secret: str


def checksum(text: str) -> str:
    """CRC-32 of `text` in six base-62 digits."""
    value, digits = zlib.crc32(text.encode()), []
    for _ in range(CHECKSUM_LENGTH):
        value, digit = divmod(value, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(digits)


def is_well_formed(key: str) -> bool:
    """True where the format and the checksum are right."""
    match = KEY.fullmatch(key)
    return bool(match) and checksum(key[:-CHECKSUM_LENGTH]) == key[-CHECKSUM_LENGTH:]


def key_id_in(key: str) -> str | None:
    """The short id inside a secret key, or None."""
    match = KEY.fullmatch(key)
    return match.group(2) if match else None


def new_secret(prefix: str) -> tuple[str, str]:
    """A new key id and the whole secret key."""
    key_id = _random(ID_LENGTH)
    body = f"{prefix}_{key_id}_{_random(SECRET_LENGTH)}"
    return key_id, body + checksum(body)


def new_publishable_key() -> str:
    """A new publishable key, good only for a tenant's public operations."""
    return f"pk_test_{_random(24)}"


def issue_key(
    session: TenantSession,
    secret_key: str,
    tenant: Tenant,
    *,
    name: str,
    role: str,
    scopes: list[str] | None = None,
    expires_at: dt.datetime | None = None,
) -> IssuedKey:
    """Issue a key to the session's tenant. `scopes` narrows the role to some permissions.

    Raises ValidationFailed for an unknown role or scope.
    """
    errors = {}
    if role not in ROLES:
        errors["role"] = f"Role must be one of {', '.join(ROLES)}"
    elif unknown := set(scopes or ()) - permissions_of(role, tenant.mode):
        errors["scopes"] = f"The role {role} does not hold {', '.join(sorted(unknown))}"
    if errors:
        raise ValidationFailed(errors)
    issued = _make_key(secret_key, tenant, name=name, role=role, scopes=scopes, expires_at=expires_at)
    session.add(issued.row)
    session.flush()
    return issued


def issue_role_keys(session: TenantSession, secret_key: str, tenant: Tenant) -> dict[str, str]:
    """Issue a key for each role, named after it, to the session's tenant. Gives their secrets by role."""
    issued = {role: _make_key(secret_key, tenant, name=role.capitalize(), role=role) for role in ROLES}
    for key, number in zip(issued.values(), take_block(session, ApiKey.__tablename__, len(issued)), strict=True):
        key.row.id = number
        session.add(key.row)
    session.flush()
    return {role: key.secret for role, key in issued.items()}


def list_keys(session: TenantSession) -> list[ApiKey]:
    """Every key of the session's tenant, revoked ones too, oldest first."""
    return list(session.scalars(select(ApiKey).order_by(ApiKey.id)))


def revoke_key(session: TenantSession, key_id: str) -> ApiKey:
    """End a key at once; its access tokens end with it. Raises NotFound."""
    key = session.scalar(select(ApiKey).where(ApiKey.key_id == key_id))
    if key is None:
        raise NotFound
    key.revoked_at = key.revoked_at or system_now()
    return key


def _make_key(
    secret_key: str,
    tenant: Tenant,
    *,
    name: str,
    role: str,
    scopes: list[str] | None = None,
    expires_at: dt.datetime | None = None,
) -> IssuedKey:
    key_id, secret = new_secret("sk_test" if tenant.is_sandbox else "sk_live")
    row = ApiKey(
        key_id=key_id,
        prefix=secret[:7],
        secret_hash=keyed_hash(secret_key, HASH_PURPOSE, secret),
        name=name,
        role=role,
        scopes=scopes,
        created_at=system_now(),
        expires_at=expires_at,
    )
    return IssuedKey(row, secret)


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
