"""Connections and outgoing mappings as operations (contract section 7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from portal.api.lists import equals
from portal.api.operation import Call, Done, Operation
from portal.api.registrar import declare
from portal.api.resource import Resource
from portal.core.session import TenantSession
from sandbox.delivery.states import COMPUTED, add_states
from sandbox.integration.destinations import with_destination_checked
from sandbox.integration.outgoing.connections import (
    ConnectionBody,
    ConnectionView,
    add_connection,
    change_connection,
    remove_connection,
)
from sandbox.integration.outgoing.examples import CONNECTION_SAMPLE, EXAMPLES, MAPPING_SAMPLE, REPLACEMENT
from sandbox.integration.outgoing.mappings import (
    OutgoingMappingBody,
    OutgoingMappingView,
    SourceName,
    add_mapping,
    add_runs,
    add_versions,
    change_mapping,
    remove_mapping,
)
from sandbox.integration.outgoing.models import Connection, OutgoingMapping
from sandbox.integration.outgoing.sends_api import (
    RecordToPreview,
    RecordToSend,
    SendPreview,
    answer_preview,
    answer_send,
)
from sandbox.integration.outgoing.shown import SendView
from sandbox.integration.outgoing.versions import make_draft_of, publish
from sandbox.integration.outgoing.versions_api import (
    VERSIONS_QUERY,
    OutgoingDraftBody,
    OutgoingReplayBody,
    OutgoingReplayView,
    OutgoingVersionView,
    answer_replay,
    answer_versions,
)

ROOT = "/api/v2/integration"

connections = Resource(
    name="connections",
    singular="connection",
    module="integration",
    path=f"{ROOT}/connections",
    description="Partners' addresses, and the headers to send there. For calls out, the partner issues the "
    "credential; you enter it here. A secret value is kept encrypted and never shown again: leave it out of a change "
    "and it stays. A reset leaves connections alone.",
    model=Connection,
    shows=ConnectionView,
    accepts=ConnectionBody,
    sorts=("id", "name", "created_at", "updated_at"),
    searches=(Connection.name, Connection.url),
    computed=COMPUTED,
    create=add_connection,
    change=change_connection,
    enrich=lambda session, rows: add_states(session, Connection, rows),
    codes={"create": ("conflict",)},
    sample=CONNECTION_SAMPLE,
    removed_id=2,
)


def _complete(session: TenantSession, rows: list[dict[str, Any]]) -> None:
    add_runs(session, rows)
    add_versions(session, rows)


_PREVIEW = Operation(
    id="outgoing-mappings.preview",
    method="POST",
    path=f"{ROOT}/outgoing-mappings/{{id}}/preview",
    summary="Preview a message",
    outcome="What would be sent",
    description="The body that would be sent of a record by the live version or the draft, and what each row "
    "comes to. Nothing is sent.",
    permission="integration:write",
    find=lambda call: mappings.find(call),
    handle=answer_preview,
    body=RecordToPreview,
    returns=SendPreview,
    codes=("conflict",),
    sample={"record": 1},
    sample_path={"id": 1},
)
_SEND = Operation(
    id="outgoing-mappings.send",
    method="POST",
    path=f"{ROOT}/outgoing-mappings/{{id}}/send",
    summary="Send a record",
    outcome="Posted to the partner",
    description="Sends one record through this mapping, as `Send to API` does. The mapping must be manual and active. "
    "If this version of the record is under way or failed, that send goes on under its idempotency key. If it was "
    "delivered, it is sent again under a new key.",
    permission="integration:write",
    find=lambda call: mappings.find(call),
    handle=answer_send,
    body=RecordToSend,
    returns=SendView,
    status=201,
    codes=("conflict",),
    sample={"record": 1},
    sample_path={"id": 1},
)


def _action(verb: str, **details: Any) -> Operation:
    return Operation(
        id=f"outgoing-mappings.{verb}",
        method=details.pop("method", "POST"),
        path=f"{ROOT}/outgoing-mappings/{{id}}/{verb}",
        permission=details.pop("permission", "integration:write"),
        find=lambda call: mappings.find(call),
        sample_path={"id": 1},
        **details,
    )


def _publish(call: Call) -> Done:
    publish(call.session, call.record)
    return Done(mappings.present(call.session, call.record))


def _make_draft(call: Call) -> Done:
    make_draft_of(call.session, call.record, call.body.version)
    return Done(mappings.present(call.session, call.record))


_OF_VERSIONS = (
    _action(
        "versions",
        method="GET",
        permission="integration:read",
        summary="List the versions of an outgoing mapping",
        outcome="One page of versions",
        handle=answer_versions,
        query=VERSIONS_QUERY,
        returns=OutgoingVersionView,
        is_list=True,
    ),
    _action(
        "draft",
        summary="Make an older version the draft of an outgoing mapping",
        outcome="Draft saved",
        description="The rows of the version become the draft. A draft that is there already is overwritten.",
        handle=_make_draft,
        body=OutgoingDraftBody,
        returns=OutgoingMappingView,
        codes=("conflict",),
        sample={"version": 1},
    ),
    _action(
        "replay",
        summary="Try the draft of an outgoing mapping on past records",
        outcome="Records replayed",
        description="Composes by the draft the records that the mapping sent last, each as it is now, and compares it "
        "with the live version. Nothing is sent.",
        handle=answer_replay,
        body=OutgoingReplayBody,
        returns=OutgoingReplayView,
        codes=("conflict",),
        sample={"last": 20},
    ),
    _action(
        "publish",
        summary="Publish the draft of an outgoing mapping",
        outcome="Mapping published",
        description="The draft sends from now on. The version that was live is retired and can be made draft again.",
        handle=_publish,
        returns=OutgoingMappingView,
        codes=("conflict",),
    ),
)

mappings: Resource = Resource(
    name="outgoing-mappings",
    singular="outgoing mapping",
    module="integration",
    path=f"{ROOT}/outgoing-mappings",
    description="How records become a partner's parameters, and what sends them: events, a schedule, somebody by "
    "hand, or all of these. What cannot work is rejected when it is saved, with the row named. Rows are live at once, "
    "or become a draft with `as_draft`, which is tried and published.",
    model=OutgoingMapping,
    shows=OutgoingMappingView,
    accepts=OutgoingMappingBody,
    filters={"source": equals(OutgoingMapping.source, SourceName)},
    sorts=("id", "name", "slug", "created_at", "updated_at"),
    searches=(OutgoingMapping.name, OutgoingMapping.slug),
    computed=("last_run_at", "next_run_at", "live_version", "draft_version"),
    create=add_mapping,
    change=change_mapping,
    remove=remove_mapping,
    enrich=_complete,
    codes={"create": ("duplicate", "conflict"), "replace": ("duplicate",), "update": ("duplicate",)},
    actions=(_PREVIEW, _SEND, *_OF_VERSIONS),
    sample=MAPPING_SAMPLE,
    replacement=REPLACEMENT,
    removed_id=3,
)


def _delete_connection(call: Call) -> Done:
    data = {"id": call.record.id, "public_id": call.record.public_id}
    remove_connection(call.session, call.record)
    return Done(data)


def _with_destination_checked(operation: Operation) -> Operation:
    return replace(with_destination_checked(operation, connections), hides=("value",))


def _connection_operations() -> list[Operation]:
    listing, create, read, *changes, deletion = declare(connections)
    create, *changes = [_with_destination_checked(operation) for operation in (create, *changes)]
    deletion = replace(
        deletion,
        handle=_delete_connection,
        description="Takes the connection away. What waits for it is discarded; the log stays.",
    )
    return [listing, create, read, *changes, deletion]


def _mapping_operations() -> list[Operation]:
    """In an order in which the samples work: the deletion comes last."""
    listing, create, read, replacing, update, deletion, *actions = declare(mappings)
    return [listing, create, read, replacing, update, *actions, deletion]


OPERATIONS = tuple(
    replace(operation, example=EXAMPLES[operation.id])
    for operation in (*_connection_operations(), *_mapping_operations())
)
