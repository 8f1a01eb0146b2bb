"""The Failed Queue: what was not delivered and is not tried again by itself. Inspect, edit, retry, discard."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, select

from portal.api.body import parse_json
from portal.api.lists import end_of_day, start_of_day
from portal.api.records import find_record
from portal.core.errors import Conflict, MalformedJson, NotFound, ValidationFailed
from portal.core.ids import PUBLIC_ID, new_public_id
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from portal.tenancy.models import AuditRow
from sandbox.delivery.models import Delivery
from sandbox.delivery.service import discard, find_endpoint, send_again
from sandbox.integration.outgoing.composing import missing_in
from sandbox.integration.outgoing.models import OutgoingMapping
from sandbox.integration.outgoing.sending import KEY_PREFIX, compose_all, outlet_of
from sandbox.integration.outgoing.sources import SOURCES
from sandbox.integration.outgoing.versions_sent import (
    claim_versions,
    find_by_key,
    find_claimed,
    move_claim,
    place_of,
)

MOST_AT_ONCE = 500
LONGEST_BODY = 200_000
EDITED = "failed.update"
"""What the audit trail calls an edit of a body."""


@dataclass(frozen=True)
class Refused:
    """One that could not be tried again, and why."""

    public_id: str
    reason: str


@dataclass
class Retried:
    """How many were found, how many go out again, and those that cannot."""

    matched: int
    done: int = 0
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True)
class Filter:
    """Which ones of the Failed Queue: all where nothing is said. Both days are included, in the tenant's time zone."""

    mapping: str | None = None
    date_from: dt.date | None = None
    date_to: dt.date | None = None


def failed_sends() -> Select[Delivery]:
    """Every send of the tenant that stands in the Failed Queue, oldest first."""
    return select(Delivery).where(Delivery.kind == "send", Delivery.status == "failed").order_by(Delivery.id)


def choose_failed(session: TenantSession, ids: Sequence[str]) -> list[Delivery]:
    """Those of the Failed Queue with these public ids, to be changed. Raises ValidationFailed naming unknown ones.

    What has left the Failed Queue since is left out.
    """
    known = [id_ for id_ in ids if PUBLIC_ID.fullmatch(id_)]
    wanted = select(Delivery).where(Delivery.kind == "send", Delivery.public_id.in_(known)).order_by(Delivery.id)
    found = {one.public_id: one for one in _locked(session, wanted)}
    unknown = {f"ids.{place}": "No such send" for place, id_ in enumerate(ids) if id_ not in found}
    if unknown:
        raise ValidationFailed(unknown)
    return [one for one in found.values() if one.status == "failed"]


def match_failed(session: TenantSession, wanted: Filter) -> list[Delivery]:
    """Those of the Failed Queue that a filter lets through, to be changed: the oldest MOST_AT_ONCE."""
    statement = failed_sends().limit(MOST_AT_ONCE)
    if wanted.mapping is not None:
        statement = statement.where(Delivery.type == wanted.mapping)
    if wanted.date_from is not None:
        statement = statement.where(Delivery.created_at >= start_of_day(session, wanted.date_from))
    if wanted.date_to is not None:
        statement = statement.where(Delivery.created_at < end_of_day(session, wanted.date_to))
    return _locked(session, statement)


def edit_body(session: TenantSession, delivery: Delivery, body: str) -> bool:
    """Put another body in place of the one that failed. It is another message then, under an idempotency key of its
    own, linked to the one before: a partner may know that one with the body that failed.

    Returns False if it is the same body. Raises Conflict for one that is not in the Failed Queue, ValidationFailed for
    what is not a JSON object.
    """
    if delivery.status != "failed":
        message = f"This send is {delivery.status}; only what stands in the Failed Queue can be edited."
        raise Conflict(message, remedy=Remedy("state", delivery.status, "failed"))
    text = check_body(body)
    if text == delivery.body:
        return False
    delivery.body = text
    delivery.previous_id, delivery.message_id = delivery.message_id, new_public_id(KEY_PREFIX)
    move_claim(session, delivery.previous_id, delivery.message_id)
    return True


def check_body(body: str) -> str:
    """The text of a JSON object, as it is sent. Raises ValidationFailed telling what is wrong."""
    text = body.strip()
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST_BODY:
        raise ValidationFailed({"body": f"Body may have {LONGEST_BODY} bytes at most"})
    try:
        value = parse_json(text.encode())
    except UnicodeEncodeError:
        raise ValidationFailed({"body": "Body contains characters that are not allowed"}) from None
    except MalformedJson as error:
        raise ValidationFailed({"body": error.message}) from None
    if not isinstance(value, dict):
        raise ValidationFailed({"body": "Body must be a JSON object"})
    return text


def retry(session: TenantSession, deliveries: Sequence[Delivery], *, is_edited: bool = False) -> Retried:
    """Send again what failed, under the idempotency keys they have. What still lacks something stays, with the reason.

    `is_edited` says that somebody has just put the body there.
    """
    result = Retried(len(deliveries))
    for delivery in deliveries:
        reason = why_not_again(session, delivery, is_edited=is_edited)
        if reason is None:
            result.done += send_again(session, [delivery])
        else:
            delivery.reason = reason
            result.refused.append(Refused(delivery.public_id, reason))
    return result


def give_up(session: TenantSession, deliveries: Sequence[Delivery]) -> Retried:
    """Take them out of the Failed Queue for good. They stay in the log."""
    return Retried(len(deliveries), discard(session, deliveries))


def why_not_again(session: TenantSession, delivery: Delivery, *, is_edited: bool = False) -> str | None:
    """Why an ended send cannot go out again; None where it can.

    One that never went out is composed anew from its record, unless somebody edited its body: that stays as it is.
    """
    if find_endpoint(session, delivery.endpoint_id) is None:
        return "The connection was deleted; there is nowhere to send it"
    mapping = session.get(OutgoingMapping, (session.owner_id, delivery.mapping_id)) if delivery.mapping_id else None
    if delivery.attempts == 0 and not is_edited and not was_edited(session, delivery):
        return _compose_anew(session, mapping, delivery)
    missing = missing_in(mapping.rows, delivery.body) if mapping is not None else []
    if missing:
        return "; ".join(f"{name} is required" for name in missing)
    return _taken_over(session, delivery)


def _taken_over(session: TenantSession, delivery: Delivery) -> str | None:
    """Which other send carries this one's version of the record; None where it is this one's to carry."""
    claimed = find_claimed(session, place_of(delivery), delivery.subject)
    if delivery.status != "failed" or claimed is None or claimed.version != delivery.record_version:
        return None
    return _claim(session, delivery, claimed.version)


def _claim(session: TenantSession, delivery: Delivery, version: int) -> str | None:
    """Let a send carry a version of its record; returns which other one does, where there is one."""
    subject = delivery.subject or ""
    if claim_versions(session, place_of(delivery), {subject: (version, delivery.message_id)}):
        delivery.record_version = version
        return None
    claimed = find_claimed(session, place_of(delivery), subject)
    other = find_by_key(session, claimed.key) if claimed is not None else None
    if other is not None and other.status != "discarded":
        return f"{other.public_id} carries this version of the record; discard this send"
    if claimed is not None:
        move_claim(session, claimed.key, delivery.message_id)
    delivery.record_version = version
    return None


def was_edited(session: TenantSession, delivery: Delivery) -> bool:
    """True where the audit trail, which is kept for good, says that somebody put another body there."""
    edits = select(AuditRow.id).where(AuditRow.subject == delivery.public_id, AuditRow.action == EDITED)
    return session.scalar(edits.limit(1)) is not None


def _compose_anew(session: TenantSession, mapping: OutgoingMapping | None, delivery: Delivery) -> str | None:
    if mapping is None:
        return _beyond_repair(delivery, "mapping")
    try:
        record: Any = find_record(session, SOURCES[mapping.source].resource.model, delivery.subject)
    except NotFound:
        return _beyond_repair(delivery, "record")
    composed = compose_all(session, outlet_of(session, mapping), [record])[record.id]
    reason = composed.reason or _claim(session, delivery, record.version)
    if reason is None:
        delivery.body = composed.text
    return reason


def _beyond_repair(delivery: Delivery, what: str) -> str | None:
    """What was wrong with a body that cannot be composed anew; None where nothing was."""
    end = f"; the {what} was deleted meanwhile"
    return delivery.reason.removesuffix(end) + end if delivery.reason else None


def _locked(session: TenantSession, statement: Select[Delivery]) -> list[Delivery]:
    return list(session.scalars(statement.with_for_update().execution_options(populate_existing=True)))
