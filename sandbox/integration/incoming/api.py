"""What incoming integration adds to the API and to the worker."""

from __future__ import annotations

import datetime as dt

from portal.api.registrar import declare
from portal.schedule import Sweep
from sandbox.integration.incoming import logs_api
from sandbox.integration.incoming.importing import forget_old_imports
from sandbox.integration.incoming.log import forget_old_messages
from sandbox.integration.incoming.mappings_api import mappings
from sandbox.integration.incoming.receive_api import receive

OPERATIONS = (receive, *declare(mappings), *logs_api.OPERATIONS)
DUTIES = (
    Sweep("forget incoming messages", dt.timedelta(hours=1), forget_old_messages),
    Sweep("forget imported files", dt.timedelta(hours=1), forget_old_imports),
)
