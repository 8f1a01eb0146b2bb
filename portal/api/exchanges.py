"""The one log of API exchanges: written with each call, secrets masked at the door, read by the console."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

from flask import Response, g, request
from sqlalchemy import JSON, Index, Integer, String, Text, bindparam, insert, select, update
from sqlalchemy.orm import Mapped, defer, mapped_column
from werkzeug.exceptions import RequestEntityTooLarge

from portal.core.clock import system_now
from portal.core.database import Base
from portal.core.ids import new_log_id
from portal.core.masking import mask_fields, mask_headers, mask_text, storable
from portal.core.ownership import TenantLog, table_of
from portal.core.prepared import Direct, Prepared
from portal.core.session import TenantSession
from portal.core.types import PackedText, UtcDateTime
from portal.limits import is_from_console
from portal.tenancy.models import ApiKey

BODY_KEPT = 16_000
_QUERY_SAFE = "%=&+,;:/?@!$'()*-._~[]"
_NEEDLESS = re.compile("%(?:5F|3[0-9]|[46][1-9A-F]|[57][0-9A])", re.IGNORECASE)
_LAST_USED_EVERY = dt.timedelta(seconds=60)


class Exchange(TenantLog, Base):
    """One request and its answer. Bodies are cut at BODY_KEPT characters; `duration` is in microseconds."""

    __tablename__ = "exchanges"
    __table_args__ = (Index(None, "tenant_id", "request_id"),)

    request_id: Mapped[str] = mapped_column(String(64))
    operation: Mapped[str] = mapped_column(String(60))
    key_id: Mapped[str | None] = mapped_column(String(24))
    role: Mapped[str | None] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(10))
    method: Mapped[str] = mapped_column(String(10))
    path: Mapped[str] = mapped_column(Text)
    status: Mapped[int] = mapped_column(Integer)
    code: Mapped[str | None] = mapped_column(String(40))
    duration: Mapped[int] = mapped_column(Integer)
    request_headers: Mapped[list[list[str]]] = mapped_column(JSON)
    request_body: Mapped[str] = mapped_column(PackedText)
    response_headers: Mapped[list[list[str]]] = mapped_column(JSON)
    response_body: Mapped[str] = mapped_column(PackedText)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


_KEYS = table_of(ApiKey).c
_INSERT = Prepared(insert(table_of(Exchange)))
_TOUCH = Prepared(
    update(table_of(ApiKey))
    .where(_KEYS.tenant_id == bindparam("owner"), _KEYS.id == bindparam("key"))
    .values(last_used_at=bindparam("used_at"))
)


def describe_exchange(
    response: Response, *, tenant_id: int, operation: str, duration: int, hides: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The row for the request at hand and its answer. `hides` names the fields of its body that are secret."""
    caller = g.get("caller")
    return {
        "tenant_id": tenant_id,
        "id": new_log_id(),
        "request_id": g.request_id,
        "operation": operation,
        "key_id": caller.key_id if caller else None,
        "role": caller.role if caller else None,
        "source": "console" if is_from_console() else "api",
        "method": request.method,
        "path": mask_text(path_as_sent())[:2000],
        "status": response.status_code,
        "code": g.get("refusal_code"),
        "duration": duration,
        "request_headers": mask_headers(request.headers.items()),
        "request_body": mask_fields(_shown_body(_sent_body()), hides),
        "response_headers": mask_headers(response.headers.items()),
        "response_body": _shown_answer(response.get_data()),
        "created_at": system_now(),
    }


def write_exchange(connection: Direct, row: dict[str, Any]) -> None:
    """Store the row."""
    connection.run(_INSERT, row)


def note_use(connection: Direct, tenant_id: int, api_key_id: int) -> None:
    """Note that a key was used just now."""
    connection.run(_TOUCH, {"owner": tenant_id, "key": api_key_id, "used_at": system_now()})


def is_stale(last_used_at: dt.datetime | None) -> bool:
    """True where a key's last use is old enough to be noted again."""
    return last_used_at is None or system_now() - last_used_at > _LAST_USED_EVERY


def list_exchanges(
    session: TenantSession,
    *,
    limit: int = 50,
    offset: int = 0,
    request_id: str | None = None,
    source: str | None = None,
    status_class: str = "",
) -> list[Exchange]:
    """Return the latest exchanges of the session's tenant, newest first, without their bodies.

    `status_class` is the first digit of the status.
    """
    statement = select(Exchange).options(defer(Exchange.response_body), defer(Exchange.request_body))
    if request_id:
        statement = statement.where(Exchange.request_id == request_id)
    if source:
        statement = statement.where(Exchange.source == source)
    if status_class:
        least = int(status_class) * 100
        statement = statement.where(Exchange.status >= least, Exchange.status < least + 100)
    return list(session.scalars(statement.order_by(Exchange.id.desc()).limit(limit).offset(offset)))


def find_exchange(session: TenantSession, request_id: str) -> Exchange | None:
    """The latest exchange of the session's tenant with this request id."""
    found = select(Exchange).where(Exchange.request_id == request_id).order_by(Exchange.id.desc()).limit(1)
    return session.scalar(found)


def path_as_sent() -> str:
    """Path and query of the request at hand, percent-encoded as they were sent, to be masked.

    Letters and digits are shown plain, since a key might hide behind their codes.
    """
    query = _NEEDLESS.sub(lambda code: unquote(code.group()), request.query_string.decode("latin-1"))
    return quote(request.path) + (f"?{quote(query, safe=_QUERY_SAFE)}" if query else "")


def _sent_body() -> bytes:
    """What came along; nothing for a GET, and where it was too large to be read."""
    try:
        return b"" if request.method == "GET" else request.get_data(cache=True)
    except RequestEntityTooLarge:
        return b""


def _shown_answer(raw: bytes) -> str:
    """What came back. The answer to a GET may come again, and shows no secret that nobody has seen before."""
    return _shown_again(raw) if request.method == "GET" else _shown_body(raw)


@lru_cache(maxsize=64)
def _shown_again(raw: bytes) -> str:
    return _shown_body(raw)


def _shown_body(raw: bytes) -> str:
    return storable(mask_text(raw[:BODY_KEPT].decode("utf-8", "replace")))
