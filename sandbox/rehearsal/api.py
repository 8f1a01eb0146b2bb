"""Everything under /api/v2/sandbox but the reset, in the order of the reference; and what the worker does for it."""

from __future__ import annotations

import datetime as dt

from portal.schedule import Sweep
from sandbox.rehearsal import clock_api, requests_api, scenarios_api, snapshots_api
from sandbox.rehearsal.arming import forget_counts

OPERATIONS = (
    *snapshots_api.OPERATIONS,
    *clock_api.OPERATIONS,
    *scenarios_api.OPERATIONS,
    *requests_api.OPERATIONS,
)
DUTY = Sweep("forget counted scenarios", dt.timedelta(hours=1), forget_counts)
