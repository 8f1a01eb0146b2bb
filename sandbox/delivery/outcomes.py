"""What an attempt leads to: delivered, tried again later, held, or failed; and what its endpoint learns from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Select, and_, or_, select, update
from sqlalchemy.orm import aliased

from portal.core.clock import system_now
from portal.core.masking import mask_headers, mask_text, storable
from portal.core.outgoing import OutgoingAnswer, OutgoingFailed
from portal.core.session import TenantSession
from sandbox.delivery.kinds import KINDS, Parcel, Verdict
from sandbox.delivery.models import Attempt, Delivery, Endpoint, Lane, Queued
from sandbox.delivery.queue import Claim
from sandbox.delivery.schedule import pause_after, read_retry_after, wait_after
from sandbox.delivery.service import close_endpoint

KEPT = 16_000
"""Characters of a body that the log keeps."""
_SAME_VERSION = ("tenant_id", "endpoint_id", "mapping_id", "subject", "record_version")
"""What deliveries that carry one version of a record to one connection by one mapping have in common."""


@dataclass(frozen=True)
class Outcome:
    """One attempt that was made: the answer, or why there was none. `duration` is in seconds."""

    claim: Claim
    parcel: Parcel
    answer: OutgoingAnswer | None
    failure: OutgoingFailed | None
    duration: float


@dataclass(frozen=True)
class Rules:
    """A worker's own lease, and the seconds between attempts."""

    lease: str
    waits: Sequence[float]


def settle(session: TenantSession, outcomes: Sequence[Outcome], rules: Rules) -> None:
    """Write down what became of attempts of the session's tenant, and what follows.

    Rows are locked in the order in which a change of an endpoint locks them: endpoints, deliveries, the queue.
    """
    ids = [outcome.claim.delivery_id for outcome in outcomes]
    places = select(Delivery.endpoint_id).where(Delivery.id.in_(ids))
    theirs = select(Endpoint).where(Endpoint.id.in_(places)).order_by(Endpoint.id)
    endpoints = {row.id: row for row in session.scalars(theirs.with_for_update())}
    deliveries = {row.id: row for row in session.scalars(_with_failed_twins(ids).with_for_update())}
    mine = select(Queued).where(Queued.tenant_id == session.owner_id, Queued.delivery_id.in_(ids))
    queued = {row.delivery_id: row for row in session.scalars(mine.order_by(Queued.delivery_id).with_for_update())}
    passed: dict[int, dt.datetime] = {}
    for outcome in outcomes:
        delivery = deliveries.get(outcome.claim.delivery_id)
        if delivery is not None:
            endpoint = endpoints.get(delivery.endpoint_id)
            _Settling(session, rules, outcome, delivery, endpoint, queued.get(delivery.id), passed).settle()
            if delivery.status == "delivered":
                _retire_twins(delivery, deliveries.values())
    _end_pauses(session, passed)


def _with_failed_twins(ids: Sequence[int]) -> Select[Delivery]:
    """Deliveries, and what failed of the record versions they carry: together, so that all are locked in one order."""
    twin = aliased(Delivery)
    same = and_(*(getattr(twin, name) == getattr(Delivery, name) for name in _SAME_VERSION))
    carried = select(twin.id).join(Delivery, same).where(Delivery.id.in_(ids), twin.status == "failed")
    return select(Delivery).where(or_(Delivery.id.in_(ids), Delivery.id.in_(carried))).order_by(Delivery.id)


def _retire_twins(delivered: Delivery, known: Iterable[Delivery]) -> None:
    """Discard what failed of a record version that got through in another delivery (contract section 7)."""
    version = [getattr(delivered, name) for name in _SAME_VERSION]
    if delivered.record_version is None:
        return
    for other in known:
        if other.status == "failed" and [getattr(other, name) for name in _SAME_VERSION] == version:
            other.status, other.ended_at = "discarded", delivered.ended_at
            other.reason = f"{delivered.public_id} delivered this version of the record"


def _end_pauses(session: TenantSession, passed: dict[int, dt.datetime]) -> None:
    """Let endpoints take messages at their usual pace; what was begun before a pause says nothing of after it."""
    session.flush()
    for endpoint_id, begun in passed.items():
        its_lane = and_(Lane.tenant_id == session.owner_id, Lane.endpoint_id == endpoint_id)
        slow = update(Lane).where(its_lane, Lane.slowdowns > 0, Lane.paused_until <= begun)
        session.execute(slow.values(slowdowns=0, paused_until=None), execution_options={"synchronize_session": False})


@dataclass
class _Settling:
    """One outcome at work. `passed` takes, by endpoint, when its last try that got through was begun."""

    session: TenantSession
    rules: Rules
    outcome: Outcome
    delivery: Delivery
    endpoint: Endpoint | None
    queued: Queued | None
    passed: dict[int, dt.datetime]

    def settle(self) -> None:
        verdict = self._judge()
        self._log(verdict)
        if self.outcome.answer is not None and self.endpoint is not None and self.endpoint.is_unverified:
            self.endpoint.is_unverified = False
        if verdict.is_delivered:
            self._end("delivered", None)
            self._note_success()
        elif self.queued is not None and self.queued.lease == self.rules.lease:
            self._fail(self.queued, verdict)

    def _judge(self) -> Verdict:
        answer, failure = self.outcome.answer, self.outcome.failure
        if answer is None:
            text = failure.text if failure else "No answer"
            return Verdict(False, text, is_retryable=failure is None or failure.kind != "forbidden")
        verdict = KINDS[self.delivery.kind].judge(self.session, self.delivery, answer)
        hide = self.outcome.parcel.hide
        return replace(
            verdict, reason=hide(verdict.reason or "") or None, reference=hide(verdict.reference or "") or None
        )

    def _log(self, verdict: Verdict) -> None:
        delivery, parcel, answer = self.delivery, self.outcome.parcel, self.outcome.answer
        came = [(name, parcel.hide(value)) for name, value in answer.headers] if answer else []
        delivery.attempts += 1
        delivery.attempted_at = self._made_at
        delivery.answer_status = answer.status if answer else None
        delivery.reference = verdict.reference or delivery.reference
        if delivery.status not in ("delivered", "discarded"):
            delivery.reason = verdict.reason
        self.session.add(
            Attempt(
                delivery_id=delivery.id,
                number=delivery.attempts,
                made_at=self._made_at,
                duration=int(self.outcome.duration * 1_000_000),
                url=mask_text(parcel.hide(parcel.request.url)),
                request_headers=mask_headers(parcel.request.headers.items(), parcel.hidden),
                request_body=shown_body(parcel.request.body, parcel),
                answer_status=answer.status if answer else None,
                answer_headers=mask_headers(came),
                answer_body=shown_body(answer.body, parcel) if answer else "",
                failure=None if verdict.is_delivered else verdict.reason,
            )
        )

    @property
    def _made_at(self) -> dt.datetime:
        """By the tenant's time; at its place in the schedule where the clock has been moved past it."""
        return self.session.clock.now() - dt.timedelta(seconds=self.outcome.claim.ahead)

    def _end(self, status: str, reason: str | None) -> None:
        self.delivery.status, self.delivery.reason = status, reason
        self.delivery.ended_at = None if status == "held" else self._made_at
        if self.queued is not None:
            self.session.delete(self.queued)

    def _note_success(self) -> None:
        if self.endpoint is not None:
            self.endpoint.failing_since = None
            begun = system_now() - dt.timedelta(seconds=self.outcome.duration)
            self.passed[self.endpoint.id] = max(begun, self.passed.get(self.endpoint.id, begun))

    def _fail(self, queued: Queued, verdict: Verdict) -> None:
        if self.endpoint is None:
            self._end("discarded", verdict.reason)
            return
        if verdict.is_gone and self.endpoint.closed_as is None:
            self._close(self.endpoint, "gone")
        if self.endpoint.closed_as is not None:
            self._end("held", verdict.reason)
            return
        if self._tells_of_endpoint(verdict) and self.endpoint.failing_since is None:
            self.endpoint.failing_since = self._made_at
        asked = self._retry_after()
        if verdict.is_overwhelmed:
            self._slow_down(asked)
        wait = wait_after(queued.tries + 1, self.rules.waits, asked) if verdict.is_retryable else None
        if wait is None:
            self._give_up(self.endpoint, verdict)
        else:
            self._try_later(queued, wait)

    def _try_later(self, queued: Queued, wait: dt.timedelta) -> None:
        saved = min(dt.timedelta(seconds=queued.ahead), wait)
        queued.tries += 1
        queued.ahead -= int(saved.total_seconds())
        queued.due_at = system_now() + wait - saved
        queued.lease = queued.leased_until = None

    def _give_up(self, endpoint: Endpoint, verdict: Verdict) -> None:
        """Move it to the Failed Queue. An endpoint that took nothing all the while is closed, and the rest held."""
        self._end("failed", verdict.reason)
        since = endpoint.failing_since
        whole = dt.timedelta(seconds=sum(self.rules.waits) * 0.95)
        if self._tells_of_endpoint(verdict) and since is not None and self._made_at - since >= whole:
            self._close(endpoint, "failing")

    def _tells_of_endpoint(self, verdict: Verdict) -> bool:
        """True for a failure that any other message would have met as well."""
        return verdict.is_retryable or self.outcome.answer is None

    def _close(self, endpoint: Endpoint, reason: str) -> None:
        self.session.flush()
        close_endpoint(self.session, endpoint, "gone" if reason == "gone" else "failing")
        KINDS[endpoint.kind].tell_closed(self.session, endpoint, "gone" if reason == "gone" else "failing")

    def _slow_down(self, asked: dt.timedelta | None) -> None:
        lane = self._lane()
        if lane is not None:
            lane.paused_until = system_now() + pause_after(lane.slowdowns, asked)
            lane.slowdowns += 1

    def _retry_after(self) -> dt.timedelta | None:
        headers = self.outcome.answer.headers if self.outcome.answer else []
        value = next((value for name, value in headers if name.lower() == "retry-after"), None)
        return read_retry_after(value, system_now())

    def _lane(self) -> Lane | None:
        return self.session.get(Lane, (self.session.owner_id, self.delivery.endpoint_id), with_for_update=True)


def shown_body(raw: bytes, parcel: Parcel) -> str:
    """A body as the log shows it: text, without secrets, then cut."""
    return storable(mask_text(parcel.hide(raw.decode("utf-8", "replace")))[:KEPT])


def count_as_failed(
    session: TenantSession, claim: Claim, rules: Rules, reason: str, answer: OutgoingAnswer | None = None
) -> None:
    """Count an attempt that could not be made, or whose answer could not be dealt with: it is not made for ever.

    What the receiver took (2xx) is not sent a second time.
    """
    own = Queued.tenant_id == session.owner_id
    chosen = select(Queued).where(own, Queued.delivery_id == claim.delivery_id, Queued.lease == rules.lease)
    delivery = session.scalar(select(Delivery).where(Delivery.id == claim.delivery_id).with_for_update())
    queued = session.scalar(chosen.with_for_update())
    if queued is None or delivery is None:
        return
    _log_fault(session, delivery, reason, answer)
    is_taken = answer is not None and 200 <= answer.status < 300
    wait = wait_after(queued.tries + 1, rules.waits)
    if is_taken or wait is None:
        delivery.status, delivery.ended_at = "delivered" if is_taken else "failed", session.clock.now()
        session.delete(queued)
    else:
        queued.tries, queued.due_at = queued.tries + 1, system_now() + wait
        queued.lease = queued.leased_until = None


def _log_fault(session: TenantSession, delivery: Delivery, reason: str, answer: OutgoingAnswer | None) -> None:
    status = answer.status if answer else None
    delivery.attempts += 1
    delivery.attempted_at, delivery.answer_status, delivery.reason = session.clock.now(), status, reason
    session.add(
        Attempt(
            delivery_id=delivery.id,
            number=delivery.attempts,
            made_at=session.clock.now(),
            duration=0,
            url=delivery.url,
            request_headers=[],
            request_body="",
            answer_status=status,
            answer_headers=[],
            answer_body="",
            failure=reason,
        )
    )
