"""Acting out a scenario on a call of a sandbox: refuse, wait, or lose the answer.

A lost answer is cut off: a length is announced, and the body ends before it. A client sees a connection that closes
without an answer, or with an incomplete one, according to how much the server had sent by then.
"""

from __future__ import annotations

from flask import Response, after_this_request, g, request

from portal.api.answers import JSON
from portal.api.operation import Call
from portal.api.rehearsing import change_delivery
from portal.core.runtime import runtime
from sandbox.rehearsal import waiting
from sandbox.rehearsal.arming import Occasion, count_use, take_armed
from sandbox.rehearsal.outcomes import refusal_for
from sandbox.rehearsal.scenarios import HEADER, Scenario, read_header

GATEWAY_TIMEOUT = 504


def rehearse(call: Call) -> Response | None:
    """Do to the call what its header, or an armed scenario, asks for. A tenant that is no sandbox is left alone.

    Raises the refusal asked for; ValidationFailed for a header that asks for nothing known.
    """
    if not (call.caller.is_sandbox if call.caller else "publishable_key" in g):
        return None
    scenario = _asked_for(call)
    if scenario is None:
        return None
    if scenario.ms:
        _wait(scenario.ms)
    after_this_request(lambda response: _mark(response, scenario.name))
    refusal = refusal_for(call, scenario)
    if refusal is not None:
        raise refusal
    if scenario.name == "lost_response":
        change_delivery(lambda response: _cut_off(response) if response.status_code < 400 else response)
    if scenario.name == "timeout":
        change_delivery(_cut_off)
        return Response(status=GATEWAY_TIMEOUT, mimetype=JSON)
    return None


def _asked_for(call: Call) -> Scenario | None:
    """By the call's own header; without one, what waits for it."""
    header = request.headers.get(HEADER)
    if header is not None:
        scenario = read_header(header)
        if scenario.times is None or count_use(runtime().database, _occasion(call), scenario.text) <= scenario.times:
            return scenario
    elif call.operation.family != "sandbox" and (call.caller.is_armed if call.caller else g.tenant_is_armed):
        return take_armed(runtime().database, _occasion(call))
    return None


def _occasion(call: Call) -> Occasion:
    key_id = call.caller.key_id if call.caller else ""
    return Occasion(call.session.owner_id, call.session.clock, key_id, call.operation.id)


def _mark(response: Response, name: str) -> Response:
    """Say on the answer, and so in the log, that it was asked for."""
    response.headers[HEADER] = name
    return response


def lost_answer(length: int = 2) -> Response:
    """Return a response that announces so many bytes, two at least, and ends before them."""
    cut = Response(iter(()), GATEWAY_TIMEOUT, mimetype=JSON)
    cut.headers["Content-Length"] = str(max(2, length))
    return cut


def _cut_off(response: Response) -> Response:
    cut = lost_answer(len(response.get_data()))
    cut.headers[HEADER] = response.headers[HEADER]
    return cut


def _wait(ms: int) -> None:
    """Hold the call. Raises RateLimited where too many are held already."""
    with waiting.place_to_wait():
        waiting.hold(ms)
