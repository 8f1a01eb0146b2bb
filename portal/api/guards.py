"""Guards: each blueprint has exactly one, named on the line that mounts it. A guard answers who is calling."""

from __future__ import annotations

from flask import current_app, g, request

from portal.api.operation import Operation
from portal.core.errors import Unauthorized
from portal.core.meter import DatabaseMeter, Reading, Tab, charge
from portal.core.prepared import direct
from portal.core.runtime import runtime
from portal.limits import API_KEY, REFUSED, client_address
from portal.tenancy.credentials import Caller, identify_by_key, identify_by_token
from portal.tenancy.service import find_house, find_publishable


def current_operation() -> Operation | None:
    """The operation behind the request's route, if it is one of the API's."""
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "operation", None)


def api_key() -> None:
    """Guard of protected operations: a key or a token, then its limit. Raises Unauthorized, RateLimited."""
    if request.method == "OPTIONS":
        return
    try:
        caller, tab = _admit()
    except Unauthorized:
        charge_refused()
        raise
    g.caller = caller
    g.tenant_id = caller.tenant_id
    if tab is None:
        reading = charge(runtime().meter, API_KEY, caller.key_id, _price())
        g.reading = reading
        reading.refuse_if_exceeded()
    else:
        g.tab = tab


def public() -> None:
    """Guard of what anybody may call: nobody is asked for anything."""


def public_api() -> None:
    """Guard of public operations: no credential, but a publishable key chooses the tenant it serves."""
    if request.method == "OPTIONS":
        return
    publishable = request.headers.get("X-Publishable-Key")
    with runtime().database.transaction(write=False) as session:
        tenant = find_publishable(session, publishable) if publishable else find_house(session)
    if tenant is None:
        charge_refused()
        raise Unauthorized
    g.tenant_id = tenant.id
    g.tenant_clock = tenant.clock
    g.tenant_is_armed = tenant.is_armed
    if publishable:
        g.publishable_key = publishable


def charge_refused() -> Reading:
    """Count a call that came without a usable credential against its address. Raises RateLimited."""
    reading = charge(runtime().meter, REFUSED, client_address())
    g.reading = reading
    reading.refuse_if_exceeded()
    return reading


def _admit() -> tuple[Caller, Tab | None]:
    """The caller, and the tab to settle when the call is logged: none once it is exceeded. Raises Unauthorized."""
    parts, credential = runtime(), _credential()
    identify = identify_by_token if credential.startswith("at_") else identify_by_key
    with direct(parts.database.engine, write=False) as connection:
        caller = identify(connection, parts.settings.secret_key, credential)
        if not isinstance(parts.meter, DatabaseMeter):
            return caller, None
        tab = Tab(API_KEY, caller.key_id, _price())
        return caller, None if tab.look(connection).is_exceeded else tab


def _price() -> int:
    operation = current_operation()
    return 1 if operation is None or operation.is_counted else 0


def _credential() -> str:
    """The one credential of the request. Two different ones are none (contract section 2)."""
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    given = {request.headers.get("x-api-key", "").strip(), bearer.strip() if scheme.lower() == "bearer" else ""} - {""}
    if len(given) != 1:
        raise Unauthorized
    return given.pop()[:200]
