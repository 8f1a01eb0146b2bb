"""The seam for rehearsals: an extension's say in a call before it is carried out, and in its answer on the way out."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, current_app, g

from portal.api.operation import Call

Rehearsal = Callable[[Call], Response | None]


def rehearse(call: Call) -> Response | None:
    """The answer that stands in for the operation, or None. A rehearsal may also wait, or refuse like an operation.

    The session has not begun: nothing is locked meanwhile.
    """
    rehearsal: Rehearsal | None = current_app.extensions.get("rehearsal")
    return rehearsal(call) if rehearsal else None


def change_delivery(change: Callable[[Response], Response]) -> None:
    """Let `change` have the answer after it was committed and logged, on its way out."""
    g.delivery = change


def deliver(response: Response) -> Response:
    """Hand the answer out, changed where a rehearsal asked for it."""
    change: Callable[[Response], Response] | None = g.pop("delivery", None)
    return change(response) if change else response
