"""Where things arrive: /inbox/<token>, for anybody who knows it, by any method (contract section 8)."""

from __future__ import annotations

from contextlib import ExitStack

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from portal.api.answers import JSON, encode, refusal
from portal.api.errors import as_domain_error
from portal.api.exchanges import path_as_sent
from portal.core.errors import NotFound, RateLimited
from portal.core.meter import charge
from portal.core.runtime import runtime
from portal.limits import ARRIVALS
from portal.web.csrf import takes_anything
from sandbox.inbox.arrivals import Arrival, Place, Reply, find_place, take_in, waits_next
from sandbox.inbox.service import PATH, url_of
from sandbox.rehearsal import waiting
from sandbox.rehearsal.acting import lost_answer

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
BODILESS = frozenset({204, 205, 304})

blueprint = Blueprint("inbox_receiving", __name__)


@blueprint.errorhandler(Exception)
def _refuse(error: Exception) -> Response:
    return refusal(as_domain_error(error))


@blueprint.route(f"{PATH}<token>", methods=METHODS, provide_automatic_options=False)
@takes_anything
def receive(token: str) -> ResponseReturnValue:
    """Keep what arrived and answer as planned. Nothing is locked while the answer waits."""
    parts = runtime()
    place, waits = _find(token)
    charge(parts.meter, ARRIVALS, place.public_id).refuse_if_exceeded()
    arrival = Arrival(request.method, path_as_sent(), list(request.headers.items()), request.get_data(cache=False))
    with ExitStack() as places:
        can_wait = waits and _has_place(places)
        with parts.database.transaction() as session:
            session.bind_tenant(place.tenant_id, place.clock)
            url = url_of(parts.settings.base_url, token)
            reply = take_in(session, place, arrival, url=url, can_wait=can_wait)
        if reply.delay_ms:
            waiting.hold(reply.delay_ms)
    return _answer(reply)


def _find(token: str) -> tuple[Place, bool]:
    """The place, and whether its next answer is to wait. Raises NotFound."""
    with runtime().database.transaction(write=False) as session:
        place = find_place(session, token)
        if place is None:
            raise NotFound("No such receiving address.")
        return place, waits_next(session, place)


def _has_place(places: ExitStack) -> bool:
    try:
        places.enter_context(waiting.place_to_wait())
    except RateLimited:
        return False
    return True


def _answer(reply: Reply) -> Response:
    """A browser is not sent on to elsewhere: whoever follows a link to here should see where it leads."""
    if reply.status is None:
        return lost_answer()
    is_good = reply.status < 400
    content = encode({"status": "received" if is_good else "refused", "id": reply.message_id})
    response = Response(b"" if reply.status in BODILESS else content, reply.status, mimetype=JSON)
    response.headers["Cache-Control"] = "no-store"
    is_visit = request.headers.get("Sec-Fetch-Mode") == "navigate"
    response.headers.extend(
        {name: value for name, value in reply.headers.items() if not is_visit or name != "Location"}
    )
    return response
