"""The notice on pages where something waits: no worker lives, and what is due waits for one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask import Flask, current_app

from portal.core.backlogs import is_anything_overdue
from portal.core.heartbeats import WORKER, read_attendance
from portal.core.runtime import current_session

GRACE = dt.timedelta(seconds=10)
"""How long something may be due without a word: a worker that is being replaced takes a few seconds."""


@dataclass(frozen=True)
class Standstill:
    """Nothing is done in the background. `since` is when a worker was last heard of; None if that is not known."""

    since: dt.datetime | None


def init_standstill(app: Flask) -> None:
    """Give templates `standstill()` and `standstill_of_all()`."""
    app.add_template_global(_of_tenant, "standstill")
    app.add_template_global(_of_all, "standstill_of_all")


def _of_tenant() -> Standstill | None:
    """Return what holds up the tenant that the request's session is bound to; None if nothing of it waits."""
    tenant_id = current_session().tenant_id
    return None if tenant_id is None else _find(tenant_id)


def _of_all() -> Standstill | None:
    """Return what holds up anybody, for those who run this deployment."""
    return _find(None)


def _find(tenant_id: int | None) -> Standstill | None:
    session = current_session()
    workers = read_attendance(session)[WORKER]
    if workers.alive or not is_anything_overdue(session, current_app.extensions["backlogs"], GRACE, tenant_id):
        return None
    return Standstill(workers.last_beat_at)
