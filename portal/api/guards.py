"""Guards: each blueprint has exactly one, named on the line that mounts it. A guard answers who is calling."""

from __future__ import annotations

from flask import current_app, g, request

from portal.api.operation import Operation
from portal.core.errors import Unauthorized
from portal.core.meter import Reading, charge
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
        caller = _identify()
    except Unauthorized:
        charge_refused()
        raise
    g.caller = caller
    g.tenant_id = caller.tenant_id
    operation = current_operation()
    amount = 1 if operation is None or operation.is_counted else 0
    reading = charge(runtime().meter, API_KEY, caller.key_id, amount)
    g.reading = reading
    reading.refuse_if_exceeded()


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


def charge_refused() -> Reading:
    """Count a call that came without a usable credential against its address. Raises RateLimited."""
    reading = charge(runtime().meter, REFUSED, client_address())
    g.reading = reading
    reading.refuse_if_exceeded()
    return reading


def _identify() -> Caller:
    credential = _credential()
    settings = runtime().settings
    with direct(runtime().database.engine, write=False) as connection:
        if credential.startswith("at_"):
            return identify_by_token(connection, settings.secret_key, credential)
        return identify_by_key(connection, settings.secret_key, credential)


def _credential() -> str:
    """The one credential of the request. Two different ones are none (contract section 2)."""
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    given = {request.headers.get("x-api-key", "").strip(), bearer.strip() if scheme.lower() == "bearer" else ""} - {""}
    if len(given) != 1:
        raise Unauthorized
    return given.pop()[:200]
