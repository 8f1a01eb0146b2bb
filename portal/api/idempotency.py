"""Idempotency keys: a POST sent twice is carried out once (contract section 4).

A key belongs to the tenant and the operation, not to the credential: a rotated key and a second worker find the
response. Permission was checked before. A visitor without a credential has keys of their own.

A key is claimed in a short transaction of its own, so that a second request sees at once that the first is
running. The response is kept in the very transaction of the write: both are there or neither. A claim ends with the
process that holds it, which the next request on the same machine notices, and after LEASE anyway. Should its
transaction still be running then, it finds the claim gone and gives up its write. A refusal is not kept: nothing was
written.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from flask import Response, current_app, g, request
from sqlalchemy import JSON, Engine, Index, Integer, String, bindparam, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from portal.api.body import read_body
from portal.api.operation import Operation
from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Base, Database
from portal.core.errors import IdempotencyInProgress, IdempotencyMismatch, ServiceUnavailable, ValidationFailed
from portal.core.ids import new_log_id
from portal.core.ownership import TenantLog, table_of
from portal.core.pending_cleanup import PendingCleanup
from portal.core.prepared import Direct, Prepared, direct, scoped
from portal.core.processes import has_ended, name_process
from portal.core.retention import delete_in_steps
from portal.core.runtime import runtime
from portal.core.session import TenantSession
from portal.core.types import EncryptedText, UtcDateTime
from portal.limits import guest_proof
from portal.tenancy.credentials import Caller

HEADER = "Idempotency-Key"
KEPT = dt.timedelta(hours=24)
LEASE = dt.timedelta(seconds=60)
TENANT = "tenant"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("Content-Type", "Location", "ETag", "Set-Cookie")


class IdempotencyKey(TenantLog, Base):
    """A key, the request it came with, and once that is carried out its response.

    `credential` is TENANT, a visitor's proof, or the platform owner who acts on the tenant. `claim` is the request that
    is carrying it out, `holder` its process.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index(None, "tenant_id", "credential", "operation", "key", unique=True),)

    credential: Mapped[str] = mapped_column(String(80))
    operation: Mapped[str] = mapped_column(String(60))
    key: Mapped[str] = mapped_column(String(255))
    fingerprint: Mapped[str] = mapped_column(String(64))
    claim: Mapped[str] = mapped_column(String(32))
    holder: Mapped[str | None] = mapped_column(String(400))
    claimed_until: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    status: Mapped[int | None] = mapped_column(Integer)
    headers: Mapped[list[list[str]] | None] = mapped_column(JSON)
    body: Mapped[str | None] = mapped_column(EncryptedText)


_TABLE = table_of(IdempotencyKey)
_SHOWN = ("id", "fingerprint", "claim", "holder", "claimed_until", "expires_at", "status", "headers", "body")
_FIND = scoped(
    select(*(_TABLE.c[name] for name in _SHOWN)).where(
        *(_TABLE.c[name] == bindparam(name) for name in ("credential", "operation", "key"))
    )
)
_INSERT = Prepared(insert(_TABLE))
_OF_ROW = (_TABLE.c.tenant_id == bindparam("owner_id"), _TABLE.c.id == bindparam("row_id"))
_FORGET = Prepared(delete(_TABLE).where(*_OF_ROW))
_UNANSWERED = (_TABLE.c.claim == bindparam("held"), _TABLE.c.status.is_(None))
_RELEASE = Prepared(delete(_TABLE).where(*_OF_ROW, *_UNANSWERED))


@dataclass(frozen=True)
class Claim:
    """The right to carry out one keyed request."""

    owner_id: int
    row_id: int
    claim: str


def given_key(operation: Operation) -> str | None:
    """The request's idempotency key, if it has one and the operation minds it. Raises ValidationFailed."""
    if not operation.takes_key or HEADER not in request.headers:
        return None
    key = request.headers[HEADER]
    if not _KEY.fullmatch(key):
        raise ValidationFailed({HEADER: f"{HEADER} must have 1 to 255 visible ASCII characters"})
    return key


def claim_key(session: TenantSession, operation: Operation, key: str) -> Claim | Response:
    """The right to carry the request out, or the answer it was given before.

    Raises IdempotencyMismatch, IdempotencyInProgress.
    """
    release_waiting()
    wanted = {"credential": _scope(session), "operation": operation.id, "key": key}
    fingerprint = _fingerprint()
    claim: Claim | None = None
    try:
        with direct(runtime().database.engine, write=True) as connection:
            row = connection.row(_FIND, {"owner_id": session.owner_id, **wanted})
            if row is not None:
                answer = _answer_of(connection, session, dict(zip(_SHOWN, row, strict=True)), fingerprint)
                if answer is not None:
                    return answer
            claim = _claim(connection, session, wanted, fingerprint)
    except ServiceUnavailable:
        if claim is not None:
            _release_unconfirmed(claim)
        raise
    return claim


def keep_answer(session: TenantSession, claim: Claim, response: Response) -> None:
    """Store the answer beside what it is about. Raises IdempotencyInProgress when the claim was lost meanwhile."""
    headers = [[name, value] for name in _KEPT_HEADERS for value in response.headers.getlist(name)]
    kept = {"status": response.status_code, "headers": headers, "body": response.get_data(as_text=True)}
    kept["expires_at"] = session.clock.now() + KEPT  # The request may have moved the clock.
    held = (IdempotencyKey.id == claim.row_id, IdempotencyKey.claim == claim.claim)
    done: Any = session.execute(update(IdempotencyKey).where(*held).values(**kept))
    if done.rowcount != 1:
        raise IdempotencyInProgress


def release(claim: Claim) -> None:
    """Give the key back after a refusal: the request may be sent again, corrected.

    If the store has failed, the key is given back once it answers again. A key whose answer was kept stays: then the
    write was committed, though the store could not say so any more.
    """
    engine = runtime().database.engine
    _cleanup().add(lambda: _is_released(engine, claim) or True)


def release_waiting() -> None:
    """Give back the keys that wait for it, in so far as the store lets us."""
    _cleanup().run()


def _release_unconfirmed(claim: Claim) -> None:
    """Give back a key whose claim may be stored or not, as the store failed during the commit.

    A store that was frozen may carry out the commit later than the release. So the release is repeated until it has
    found the claim, or the claim's time is over.
    """
    engine, until = runtime().database.engine, system_now() + LEASE
    _cleanup().add(lambda: _is_released(engine, claim) or until <= system_now())


def _is_released(engine: Engine, claim: Claim) -> bool:
    """Delete a claim that has no answer; return False if there is none. Raises ServiceUnavailable."""
    with direct(engine, write=True) as connection:
        found = {"owner_id": claim.owner_id, "row_id": claim.row_id, "held": claim.claim}
        return connection.run(_RELEASE, found) > 0


def _cleanup() -> PendingCleanup:
    cleanup: PendingCleanup = current_app.extensions.setdefault("idempotency cleanup", PendingCleanup())
    return cleanup


def forget_answers(session: TenantSession) -> None:
    """Forget the tenant's kept answers, as a reset takes back what they are about."""
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.status.is_not(None)))


def sweep_keys(database: Database, settings: Settings) -> None:
    """Delete the keys of every tenant whose time is over; a tenant's clock is never behind this machine's."""
    delete_in_steps(database, _TABLE, _TABLE.c.expires_at <= system_now())


def _answer_of(connection: Direct, session: TenantSession, row: dict[str, Any], fingerprint: str) -> Response | None:
    """The kept answer; None once the row is of no more use, and deleted."""
    of_row = {"owner_id": session.owner_id, "row_id": row["id"]}
    if row["status"] is None and _was_abandoned(row):
        if connection.run(_RELEASE, of_row | {"held": row["claim"]}):
            return None
        raise IdempotencyInProgress  # It was answered in this very moment; the next request gets that response.
    if row["status"] is not None and row["expires_at"] <= session.clock.now():
        connection.run(_FORGET, of_row)
        return None
    if row["fingerprint"] != fingerprint:
        raise IdempotencyMismatch
    if row["status"] is None:
        raise IdempotencyInProgress
    response = Response(row["body"], row["status"], [(name, value) for name, value in row["headers"]])
    response.headers["Idempotent-Replayed"] = "true"
    return response


def _was_abandoned(row: dict[str, Any]) -> bool:
    """Return True for a claim whose time is over, or whose process is dead."""
    return row["claimed_until"] <= system_now() or bool(row["holder"] and has_ended(row["holder"]))


def _scope(session: TenantSession) -> str:
    """Return whose keys the caller shares within the session's tenant."""
    caller: Caller | None = g.get("caller")
    if caller is None:
        return guest_proof()
    return TENANT if caller.tenant_id == session.owner_id else f"owner:{caller.tenant}"


def _claim(connection: Direct, session: TenantSession, wanted: dict[str, str], fingerprint: str) -> Claim:
    claim = Claim(session.owner_id, new_log_id(), secrets.token_hex(16))
    row = {
        "tenant_id": claim.owner_id,
        "id": claim.row_id,
        **wanted,
        "fingerprint": fingerprint,
        "claim": claim.claim,
        "holder": name_process(),
        "claimed_until": system_now() + LEASE,
        "expires_at": session.clock.now() + KEPT,
        "status": None,
        "headers": None,
        "body": None,
    }
    try:
        connection.run(_INSERT, row)
    except runtime().database.engine.dialect.loaded_dbapi.IntegrityError:
        raise IdempotencyInProgress from None
    return claim


def _fingerprint() -> str:
    """What makes two requests the same: path, query, body."""
    digest = sha256(request.path.encode("utf-8", "replace") + b"?" + request.query_string + b"\0")
    digest.update(read_body(request))
    return digest.hexdigest()
