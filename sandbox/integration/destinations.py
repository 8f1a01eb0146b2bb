"""Checking addresses as webhooks and connections are saved by the API: before anything is locked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from portal.api.conditional import refuse_outdated
from portal.api.operation import Call, Done, Operation
from portal.api.records import find_record
from portal.api.resource import Resource
from portal.core.runtime import commit_early, runtime
from portal.tenancy.service import lock_tenant
from sandbox.delivery.destinations import UNRESOLVED, check_destination, note_destination


def with_destination_checked(operation: Operation, resource: Resource) -> Operation:
    """The same operation, which refuses a forbidden address and saves one that does not resolve with a warning."""

    def handle(call: Call) -> Any:
        is_resolved = check_destination_aside(call)
        result = operation.handle(call)
        if is_resolved is None or not isinstance(result, Done):
            return result
        record = find_record(call.session, resource.model, result.data["id"])
        note_destination(call.session, record, is_resolved=is_resolved)
        shown = {name: value for name, value in resource.present(call.session, record).items() if name in result.data}
        return replace(result, data=result.data | shown, remark="" if is_resolved else UNRESOLVED)

    return replace(operation, handle=handle)


def check_destination_aside(call: Call) -> bool | None:
    """Return whether the name of the address in the body resolves; None if the address is not a new one.

    A name may take seconds to resolve, so nothing is locked meanwhile; nothing was written before. Raises
    ValidationFailed, and what may have become of the record in between.
    """
    if "url" not in call.body.model_fields_set or call.body.url == getattr(call.record, "url", None):
        return None
    commit_early()
    is_resolved = check_destination(runtime().outgoing, call.body.url)
    lock_tenant(call.session)
    if call.operation.find is not None:
        call.record = call.operation.find(call)
        refuse_outdated(call)
    return is_resolved
