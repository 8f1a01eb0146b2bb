"""Lists answered from memory while their tenant has not changed: never stale, and here is why.

1. `tenants.revision` is drawn anew, at random, in every transaction that writes anything of the tenant's: a
   `TenantSession` does so as it commits, and records are written in no other way, since a session opened to read
   refuses to write and so does a prepared statement on records. It is committed with the write or not at all.
2. So two snapshots of the store with one revision hold the same records. Two writers of a tenant at once cannot hide
   one from the other: the second waits for the row of `tenants` that the first has changed.
3. A call's revision is read with its credential, before anything else. An answer is kept under the revision of the
   call that made it, and its rows were read after that: they are of this revision or of a later, committed one.
4. A call is given an answer kept under the very revision it has read itself. A write that was answered before the call
   came had been committed before that reading, hence the revision is this write's or a later one, and so are the rows.
5. An answer depends on nothing but the rows, the path, the query and the tenant's day. One that has asked what day it
   is, such as which invoices are overdue, is given again on that day only. One that has asked what time it is is not
   kept. Who may see it is checked before. The tenant's public id is part of the key, which no later tenant gets again.

Each process keeps its own answers, and gives up first what was not asked for the longest.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from dataclasses import dataclass

from flask import Response, current_app, request

from portal.api.operation import Call

CAPACITY = 16 * 1024 * 1024
LARGEST = 256 * 1024

Key = tuple[str, str, str, bytes]
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer and the revision of its tenant. With `day` it is good on that day only."""

    revision: int
    body: bytes
    headers: Headers
    day: dt.date | None = None


class KeptAnswers:
    """The answers of one process, `capacity` bytes of them at most."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._size = 0
        self._lock = threading.Lock()
        self._answers: OrderedDict[Key, Kept] = OrderedDict()

    def get(self, key: Key, revision: int) -> Kept | None:
        """The answer kept under this very revision."""
        with self._lock:
            kept = self._answers.get(key)
            if kept is None or kept.revision != revision:
                return None
            self._answers.move_to_end(key)
            return kept

    def put(self, key: Key, kept: Kept) -> None:
        """Keep an answer in place of an older one."""
        with self._lock:
            self._size += _weight(key, kept) - self._drop(key)
            self._answers[key] = kept
            while self._size > self._capacity:
                self._size -= self._drop(next(iter(self._answers)))

    def _drop(self, key: Key) -> int:
        dropped = self._answers.pop(key, None)
        return 0 if dropped is None else _weight(key, dropped)


def recall(call: Call) -> Response | None:
    """The answer to the same question from before, if nothing of the tenant's was written since."""
    if call.caller is None or not _may_keep(call):
        return None
    kept = _kept_answers().get(_key(call), call.caller.revision)
    if kept is None or (kept.day is not None and kept.day != call.session.current_day()):
        return None
    return Response(kept.body, headers=kept.headers)


def remember(call: Call, response: Response) -> Response:
    """Keep an answer where it may be given again."""
    if call.caller is None or not _may_keep(call) or call.session.has_told_time or response.status_code != 200:
        return response
    key, body = _key(call), response.get_data()
    if len(body) + len(key[3]) <= LARGEST:
        _kept_answers().put(key, Kept(call.caller.revision, body, tuple(response.headers), call.session.day))
    return response


def _may_keep(call: Call) -> bool:
    """True for a list of the caller's own tenant, unless the reading of it is audited."""
    is_own = call.caller is not None and call.session.tenant_id == call.caller.tenant_id
    return call.operation.is_kept and is_own and not call.session.may_write


def _key(call: Call) -> Key:
    assert call.caller is not None
    return call.caller.tenant, call.operation.id, request.path, request.query_string


def _kept_answers() -> KeptAnswers:
    answers: KeptAnswers = current_app.extensions["kept answers"]
    return answers


def _weight(key: Key, kept: Kept) -> int:
    headers = sum(len(name) + len(value) for name, value in kept.headers)
    return 500 + len(key[2]) + len(key[3]) + len(kept.body) + headers
