"""The log of what came in: one message a call, with what became of each record."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select

from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Database
from portal.core.errors import NotFound
from portal.core.ids import new_public_id
from portal.core.masking import mask_text
from portal.core.retention import Retention, apply_retention
from portal.core.session import TenantSession
from portal.tenancy.service import list_tenant_ids
from sandbox.integration.incoming.answering import overall, record_id_of
from sandbox.integration.incoming.models import IncomingMessage
from sandbox.integration.incoming.receiving import Result
from sandbox.integration.incoming.service import Chosen

BODY_KEPT = 64_000
"""Characters of a body that the log keeps."""
_LONGEST_SUMMARY = 2000
_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


@dataclass(frozen=True)
class Arrival:
    """How a call came: its body as it was sent, the key it came with, how long it took in microseconds."""

    body: bytes
    key_id: str | None
    duration: int


def log_message(
    session: TenantSession, chosen: Chosen, arrival: Arrival, results: Sequence[Result], http_status: int
) -> IncomingMessage:
    """Write down what came and what became of it, in the session's transaction."""
    text = mask_text(arrival.body[: BODY_KEPT * 4].decode("utf-8", "replace")).replace("\x00", "�")
    outcomes = [_describe(chosen, result) for result in results]
    message = IncomingMessage(
        public_id=new_public_id(IncomingMessage.public_prefix),
        request_id=session.trace,
        mapping=chosen.mapping.slug,
        version=chosen.version.number,
        key_id=arrival.key_id,
        received_at=system_now(),
        body=text[:BODY_KEPT],
        is_whole=len(text) <= BODY_KEPT and len(arrival.body) <= BODY_KEPT * 4,
        record_count=len(results),
        outcomes=outcomes,
        outcome=overall(results),
        http_status=http_status,
        duration=arrival.duration,
        summary=_summarise(outcomes),
    )
    session.add(message)
    session.flush()
    return message


def find_message(session: TenantSession, reference: str) -> IncomingMessage:
    """The message with this public id, or the latest of the request with this id. Raises NotFound."""
    if not _REFERENCE.fullmatch(reference):
        raise NotFound
    named = or_(IncomingMessage.public_id == reference, IncomingMessage.request_id == reference)
    message = session.scalar(select(IncomingMessage).where(named).order_by(IncomingMessage.id.desc()).limit(1))
    if message is None:
        raise NotFound
    return message


def forget_old_messages(database: Database, settings: Settings) -> None:
    """Delete the messages that the log no longer keeps."""
    kept = Retention(IncomingMessage, settings.incoming_log_days, settings.incoming_log_rows)
    apply_retention(database, kept, list_tenant_ids(database))


def _describe(chosen: Chosen, result: Result) -> dict[str, Any]:
    record = {}
    if result.data is not None:
        record = {"record_public_id": result.data["public_id"], "record_id": record_id_of(chosen.plan, result)}
    fault = {"code": result.fault.code, "message": result.fault.message} if result.fault else {}
    return {"outcome": result.outcome, "happening": result.happening, **fault, **record}


def _summarise(outcomes: Sequence[dict[str, Any]]) -> str:
    said = (outcome.get(name) for outcome in outcomes for name in ("record_id", "code", "message"))
    return " ".join(dict.fromkeys(text for text in said if text))[:_LONGEST_SUMMARY]
