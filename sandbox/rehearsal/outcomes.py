"""The refusals a scenario asks for: the very errors that the API raises, about the operation at hand."""

from __future__ import annotations

from collections.abc import Callable

from flask import g

from portal.api.guards import charge_refused
from portal.api.operation import Call
from portal.api.permissions import beyond_plan, beyond_scope
from portal.api.schema import ApiModel, label_of, validate
from portal.core.clock import system_now
from portal.core.errors import (
    DomainError,
    Duplicate,
    Forbidden,
    InternalError,
    NotFound,
    RateLimited,
    ServiceUnavailable,
    Unauthorized,
    UpgradeRequired,
    ValidationFailed,
)
from portal.core.meter import Limit, Reading, charge
from portal.core.runtime import runtime
from portal.limits import API_KEY, limiter
from portal.tenancy.permissions import module_of, permissions_of
from portal.tenancy.plans import MODULES, PLANS
from sandbox.rehearsal.scenarios import Scenario

_UNIQUE = ("email", "sku", "gst_no", "plate", "employee_code", "name")


def refusal_for(call: Call, scenario: Scenario) -> DomainError | None:
    """The error the scenario stands for; None for one that is no refusal."""
    make = _REFUSALS.get(scenario.name)
    return None if make is None else make(call, scenario)


def _bad_fields(call: Call, scenario: Scenario) -> DomainError:
    """What an empty body would be told; where that is a good one, what its first field would."""
    body, query = call.operation.body, call.operation.query
    if body is not None:
        try:
            validate(body, {})
        except ValidationFailed as error:
            return error
    field = _fields(body or query)[:1]
    if not field:
        return ValidationFailed({"scenario": "Unknown parameter"})
    return ValidationFailed({field[0]: f"{label_of(list(field))} does not have the expected format"})


def _no_credential(call: Call, scenario: Scenario) -> DomainError:
    """As for a credential that is none: the key's limit is left alone, the address is charged."""
    if call.caller is not None and call.operation.is_counted and g.pop("tab", None) is None:
        charge(runtime().meter, API_KEY, call.caller.key_id, -1)
    charge_refused()
    return Unauthorized()


def _no_scope(call: Call, scenario: Scenario) -> DomainError:
    caller, permission = call.caller, call.operation.permission
    if caller is None or permission is None:
        return Forbidden()
    held = permissions_of(caller.role, caller.mode) if caller.scopes is None else caller.scopes
    return beyond_scope(caller, held - {permission}, permission)


def _no_plan(call: Call, scenario: Scenario) -> DomainError:
    """The plan just below the one that has the operation's module, or for a module of every plan the smallest."""
    if call.operation.permission is None:
        return UpgradeRequired()
    module = module_of(call.operation.permission)
    needed = max(PLANS.index(MODULES[module]), 1)
    return beyond_plan(PLANS[needed - 1], module, PLANS[needed])


def _taken(call: Call, scenario: Scenario) -> DomainError:
    fields = _fields(call.operation.body) or ["id"]
    field = next((name for name in _UNIQUE if name in fields), fields[0])
    return Duplicate({field: f"Another record has this {label_of([field]).lower()}"}, existing_id=1)


def _over_limit(call: Call, scenario: Scenario) -> DomainError:
    """As beyond the limit that would be hit here; the call itself is counted like every other."""
    tab = g.pop("tab", None)
    if tab is not None:
        charge(runtime().meter, tab.limit, tab.subject, tab.amount).refuse_if_exceeded()
    limit = API_KEY if call.caller else _limit_by_address()
    reset_at = int(system_now().timestamp()) + scenario.retry_after
    g.reading = Reading(limit, limit.count + 1, reset_at)
    return RateLimited(limit.name, scenario.retry_after, count=limit.count, reset_at=reset_at)


def _limit_by_address() -> Limit:
    current = limiter.current_limit
    if current is None:
        return API_KEY
    return Limit(current.request_args[-1], current.limit.amount, current.limit.get_expiry(), "")


def _fields(model: type[ApiModel] | None) -> list[str]:
    return [] if model is None else list(model.model_fields)


_REFUSALS: dict[str, Callable[[Call, Scenario], DomainError]] = {
    "validation_failed": _bad_fields,
    "unauthorized": _no_credential,
    "forbidden": _no_scope,
    "upgrade_required": _no_plan,
    "not_found": lambda call, scenario: NotFound(),
    "duplicate": _taken,
    "rate_limited": _over_limit,
    "server_error": lambda call, scenario: InternalError(),
    "unavailable": lambda call, scenario: ServiceUnavailable(),
}
