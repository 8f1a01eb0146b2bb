"""What became of the writes: acknowledged, lost, doubled, inconsistent."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tests.faults.reading import EVENTS, Found
from tests.faults.receiver import Arrival
from tests.faults.write_log import Write


@dataclass(frozen=True)
class Account:
    """The balance of one row; each entry of a list says in words what it is about."""

    acknowledged: int
    delivered: int
    lost: list[str]
    doubled: list[str]
    inconsistent: list[str]


def settle(writes: Sequence[Write], found: Found) -> Account:
    """Hold what was acknowledged against what is there."""
    acknowledged = [write for write in writes if write.answer is not None]
    return Account(
        len(acknowledged),
        len({arrival.webhook_id for arrival in found.arrivals if arrival.type in EVENTS.values()}),
        list(_lost(acknowledged, found)),
        list(_doubled(found)),
        [*_gaps(found), *_disordered(writes, found), *_sums(found)],
    )


def missing_deliveries(found: Found, arrivals: Iterable[Arrival]) -> list[str]:
    """Events of the records there are that have not arrived."""
    arrived = {(arrival.type, arrival.subject) for arrival in arrivals}
    wanted = [(EVENTS[record.kind], record.public_id) for record in found.records]
    return [f"{name} of {subject} was not delivered" for name, subject in wanted if (name, subject) not in arrived]


def _lost(acknowledged: Iterable[Write], found: Found) -> Iterator[str]:
    marks = {record.mark for record in found.records} | set(found.messages)
    yield from (f"{write.kind} {write.mark} is not there" for write in acknowledged if write.mark not in marks)
    told = set(found.events)
    for record in found.records:
        if (EVENTS[record.kind], record.public_id) not in told:
            yield f"no event tells of {record.kind} {record.mark}"
    yield from missing_deliveries(found, found.arrivals)


def _doubled(found: Found) -> Iterator[str]:
    counts = Counter(record.mark for record in found.records) + Counter(found.messages)
    yield from (f"{mark} is there {count} times" for mark, count in counts.items() if count > 1)
    told = Counter(found.events)
    yield from (f"{count} events {name} of {subject}" for (name, subject), count in told.items() if count > 1)
    ids: dict[tuple[str, str, int], set[str]] = defaultdict(set)
    for arrival in found.arrivals:
        ids[arrival.type, arrival.subject, arrival.version].add(arrival.webhook_id)
    yield from (f"{key} was sent under {len(several)} ids" for key, several in ids.items() if len(several) > 1)


def _gaps(found: Found) -> Iterator[str]:
    """Numbers of invoices follow each other, whatever was refused in between."""
    numbers = sorted(int(record.number.rpartition("-")[2]) for record in found.records if record.number)
    for before, after in itertools.pairwise(numbers):
        if after != before + 1:
            yield f"invoice {after} follows {before}"


def _disordered(writes: Iterable[Write], found: Found) -> Iterator[str]:
    there = list(dict.fromkeys(found.messages))
    sent = [write.mark for write in writes if write.kind == "message" and write.mark in set(there)]
    if there != sent:
        yield "the messages stand in another order than they were sent"


def _sums(found: Found) -> Iterator[str]:
    paid: dict[str, Decimal] = defaultdict(Decimal)
    for record in found.records:
        if record.kind == "payment":
            paid[record.invoice] += record.paid
    for record in found.records:
        if record.kind == "invoice" and record.paid != paid[record.public_id]:
            yield f"invoice {record.mark} says {record.paid} was paid, its payments are {paid[record.public_id]}"
