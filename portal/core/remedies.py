"""What would change a refusal, told to the caller beside it (contract section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

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
