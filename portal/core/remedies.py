"""What would change a refusal, told to the caller beside it (contract section 3)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

from portal.core.clock import system_now

LONG_WAIT = 120
Change = Literal["role", "scope", "plan", "limit", "version", "state", "field", "body"]


@dataclass(frozen=True)
class Remedy:
    """What would change a refusal: what has to change, what it is now, and what it would take.

    A list in `needed` names alternatives. None stands where only the message can say it.
    """

    change: Change
    now: Any = None
    needed: Any = None

    def shown(self) -> dict[str, Any]:
        """The member `remedy` of an answer."""
        return {"change": self.change, "from": self.now, "to": self.needed}


def say_when(seconds: int, at: dt.datetime | None) -> str:
    """Say a waiting time: under two minutes in seconds, else as a clock time, rounded up to the minute."""
    if seconds < LONG_WAIT:
        return f"in {seconds} seconds" if seconds != 1 else "in 1 second"
    at = at or system_now() + dt.timedelta(seconds=seconds)
    return f"at {at + dt.timedelta(seconds=59):%H:%M} UTC"
