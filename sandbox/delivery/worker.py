"""The worker's part: claim what is due, send it on many threads, settle what came back, a tenant at a time."""

from __future__ import annotations

import datetime as dt
import logging
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TypeVar

from sqlalchemy import and_, select, tuple_, update

from portal.core.clock import system_now
from portal.core.database import Database
from portal.core.errors import ServiceUnavailable
from portal.core.leases import free_leases_of_the_dead
from portal.core.outgoing import OutgoingAnswer, OutgoingClient, OutgoingFailed
from portal.core.runtime import Runtime
from portal.core.session import TenantSession
from portal.core.store_errors import is_store_failure
from portal.tenancy.models import Tenant
from portal.tenancy.plans import is_entitled
from sandbox.delivery.kinds import KINDS, Parcel
from sandbox.delivery.models import Delivery, Endpoint, Queued
from sandbox.delivery.outcomes import Outcome, Rules, count_as_failed, settle
from sandbox.delivery.queue import LEASE, QUEUE, Claim, claim, is_anything_due
from sandbox.delivery.schedule import WAITS

log = logging.getLogger("slipway.delivery")

IDLE_SECONDS = 0.1
GATHER_SECONDS = 0.05
"""How long the first outcome waits for others, to be settled with them in one transaction."""
FAREWELL_SECONDS = 30.0
"""How long a courier that is told to stop waits for what is under way."""
TAKE_OVER_SECONDS = 2.0
"""Between two looks for messages of workers that are dead."""
UNENTITLED_WAIT = dt.timedelta(seconds=60)


class Courier:
    """One worker. Any number of them share the queue, on any number of machines."""

    def __init__(
        self,
        database: Database,
        client: OutgoingClient,
        *,
        threads: int = 64,
        waits: Sequence[float] = WAITS,
        lease: dt.timedelta = LEASE,
        farewell: float = FAREWELL_SECONDS,
    ) -> None:
        self._database = database
        self._client = client
        self._threads = threads
        self._rules = Rules(secrets.token_hex(8), waits)
        self._length = lease
        self._farewell = farewell
        self._back: SimpleQueue[Outcome] = SimpleQueue()
        self._kept: list[Claim] = []
        self._looks_at = 0.0
        self._out = 0
        self._is_busy = False

    def run(self, stopping: threading.Event) -> None:
        """Deliver until told to stop; then wait for what is under way."""
        with ThreadPoolExecutor(self._threads, "delivery") as pool:
            while not stopping.is_set():
                try:
                    self._take_over()
                    if not self._step(pool):
                        stopping.wait(IDLE_SECONDS)
                except Exception:
                    log.exception("the courier stumbled and goes on")
                    stopping.wait(1)
            self._finish(time.monotonic() + self._farewell)

    def deliver_due(self) -> None:
        """Deliver what is due now, and what falls due meanwhile."""
        with ThreadPoolExecutor(self._threads, "delivery") as pool:
            while self._step(pool) or self._out or self._kept:
                pass

    def _step(self, pool: ThreadPoolExecutor) -> int:
        """Start what there is room for and settle what came back. Returns how much there was to do."""
        claims = self._claim()
        for chosen, parcel in self._pack(claims):
            self._out += 1
            pool.submit(self._try, chosen, parcel)
        outcomes = self._collect()
        self._settle(outcomes)
        return 0 if self._kept else len(claims) + len(outcomes)

    def _take_over(self) -> None:
        """Free what workers that were killed held. Now and then: they seldom are."""
        if time.monotonic() >= self._looks_at:
            self._looks_at = time.monotonic() + TAKE_OVER_SECONDS
            free_leases_of_the_dead(self._database, QUEUE)

    def _claim(self) -> list[Claim]:
        """As much as the threads can start at once: what waits for a thread would use up its lease."""
        kept, self._kept = [one for one in self._kept if one.until > system_now()], []
        if kept:
            return kept
        room = self._threads - self._out
        if not room or not (self._is_busy or is_anything_due(self._database)):
            return []
        claims = claim(self._database, self._rules.lease, room, self._length)
        self._is_busy = bool(claims)
        return claims

    def _finish(self, until: float) -> None:
        while self._out and time.monotonic() < until:
            self._settle(self._collect())

    def _try(self, chosen: Claim, parcel: Parcel) -> None:
        answer: OutgoingAnswer | None = None
        failure: OutgoingFailed | None = None
        started = time.perf_counter()
        try:
            answer = self._client.send(parcel.request)
        except OutgoingFailed as error:
            failure = error
        except BaseException:
            log.exception("delivery %s stumbled", chosen.delivery_id)
            failure = OutgoingFailed("broken", "The request could not be sent")
        self._back.put(Outcome(chosen, parcel, answer, failure, time.perf_counter() - started))

    def _collect(self) -> list[Outcome]:
        outcomes: list[Outcome] = []
        until = time.monotonic() + GATHER_SECONDS
        while self._out:
            try:
                outcomes.append(self._back.get(timeout=max(0, until - time.monotonic())))
                self._out -= 1
            except Empty:
                break
        return outcomes

    def _pack(self, claims: Iterable[Claim]) -> list[tuple[Claim, Parcel]]:
        """The claims with their requests. What cannot be sent now goes back to the queue, or out of it.

        What the store failed to give is kept for the next step: nothing was sent yet.
        """
        packed: list[tuple[Claim, Parcel]] = []
        for tenant_id, group in _by_tenant(claims):
            try:
                packed += self._pack_tenant(tenant_id, group)
            except ServiceUnavailable:
                self._kept += group
        return packed

    def _pack_tenant(self, tenant_id: int, group: list[Claim]) -> list[tuple[Claim, Parcel]]:
        parcels = self._compose(tenant_id, group)
        if parcels is None:
            return [pair for one in group for pair in self._pack_alone(one)]
        self._postpone([one for one in group if one.delivery_id not in parcels])
        return [(one, parcels[one.delivery_id]) for one in group if one.delivery_id in parcels]

    def _pack_alone(self, one: Claim) -> list[tuple[Claim, Parcel]]:
        """One claim with its request, after those of its tenant could not be composed together."""
        parcels, rules = self._compose(one.tenant_id, [one]), self._rules
        if parcels is None:
            reason = "The message could not be composed"
            self._write(one.tenant_id, lambda session: count_as_failed(session, one, rules, reason))
        elif one.delivery_id not in parcels:
            self._postpone([one])
        return [(one, parcel) for parcel in (parcels or {}).values()]

    def _compose(self, tenant_id: int, group: list[Claim]) -> Mapping[int, Parcel] | None:
        """The requests of a tenant's claims that may go out now; None where one of them cannot be composed."""
        try:
            with self._database.transaction(write=False) as session:
                ids = [one.delivery_id for one in group]
                return _compose(session, ids) if self._enter(session, tenant_id) else {}
        except Exception as error:
            if is_store_failure(error):
                log.warning("deliveries of tenant %s wait for the store: %s", tenant_id, error)
                raise ServiceUnavailable from error
            log.exception("deliveries of tenant %s cannot be composed", tenant_id)
            return None

    def _enter(self, session: TenantSession, tenant_id: int) -> bool:
        """Bind the session to the tenant; False where its plan no longer includes deliveries, or its time is over."""
        tenant = session.get(Tenant, tenant_id)
        if tenant is None:
            return False
        session.bind_tenant(tenant.id, tenant.clock)
        is_over = tenant.expires_at is not None and tenant.expires_at <= system_now()
        return is_entitled(tenant.plan, "integration") and not is_over

    def _postpone(self, claims: list[Claim]) -> None:
        if not claims:
            return
        keys = [(one.tenant_id, one.delivery_id) for one in claims]
        later = update(Queued).where(tuple_(Queued.tenant_id, Queued.delivery_id).in_(keys))
        with self._database.transaction() as session:
            session.execute(later.values(lease=None, leased_until=None, due_at=system_now() + UNENTITLED_WAIT))

    def _settle(self, outcomes: list[Outcome]) -> None:
        """A tenant's in one transaction; one by one where that fails, so that none takes others along.

        What the store failed to take is kept for the next step.
        """
        for tenant_id, group in _by_tenant(outcomes):
            try:
                self._settle_tenant(tenant_id, group)
            except ServiceUnavailable:
                for outcome in group:
                    self._out += 1
                    self._back.put(outcome)

    def _settle_tenant(self, tenant_id: int, group: list[Outcome]) -> None:
        if not self._write(tenant_id, lambda session: settle(session, group, self._rules)):
            for outcome in group:
                self._settle_alone(outcome)

    def _settle_alone(self, outcome: Outcome) -> None:
        claim, rules = outcome.claim, self._rules
        if not self._write(claim.tenant_id, lambda session: settle(session, [outcome], rules)):
            reason = "The answer could not be dealt with"
            self._write(claim.tenant_id, lambda session: count_as_failed(session, claim, rules, reason, outcome.answer))

    def _write(self, tenant_id: int, work: Callable[[TenantSession], None]) -> bool:
        """Do something to a tenant's rows in a transaction. False where that failed. Raises ServiceUnavailable."""
        try:
            with self._database.transaction() as session:
                tenant = session.get(Tenant, tenant_id)
                if tenant is not None:
                    session.bind_tenant(tenant.id, tenant.clock)
                    work(session)
            return True
        except Exception as error:
            if is_store_failure(error):
                log.warning("attempts of tenant %s wait for the store: %s", tenant_id, error)
                raise ServiceUnavailable from error
            log.exception("attempts of tenant %s could not be written down", tenant_id)
            return False


Item = TypeVar("Item", Claim, Outcome)


def _by_tenant(items: Iterable[Item]) -> Iterable[tuple[int, list[Item]]]:
    groups: dict[int, list[Item]] = defaultdict(list)
    for item in items:
        groups[(item if isinstance(item, Claim) else item.claim).tenant_id].append(item)
    return groups.items()


def _compose(session: TenantSession, ids: list[int]) -> dict[int, Parcel]:
    """Parcels for the deliveries whose endpoint is open; one that was closed meanwhile is left to the sweep."""
    same = and_(Endpoint.tenant_id == Delivery.tenant_id, Endpoint.id == Delivery.endpoint_id)
    waiting = select(Delivery).join(Endpoint, same).where(Delivery.id.in_(ids), Endpoint.closed_as.is_(None))
    found = list(session.scalars(waiting.order_by(Delivery.id)))
    parcels: dict[int, Parcel] = {}
    for name, kind in KINDS.items():
        parcels |= kind.compose(session, [delivery for delivery in found if delivery.kind == name])
    return parcels


def deliver(parts: Runtime, stopping: threading.Event) -> None:
    """The loop of a worker process."""
    threads, farewell = parts.settings.delivery_threads, parts.settings.shutdown_timeout
    Courier(parts.database, parts.outgoing, threads=threads, farewell=farewell).run(stopping)
