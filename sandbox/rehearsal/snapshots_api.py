"""Snapshots as operations: taking one, listing, bringing back, deleting."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from portal.api.lists import query_schema
from portal.api.operation import Call, Done, Operation, Page
from portal.api.paging import ListPlan, Reader
from portal.api.records import find_record
from portal.api.resource import Deleted
from portal.api.schema import ApiModel, Identity, Instant, Name, Stamps
from sandbox.rehearsal.models import Snapshot
from sandbox.rehearsal.operations import hold_tenant, sandbox_operation
from sandbox.rehearsal.snapshots import MOST_SNAPSHOTS, delete_snapshot, restore_snapshot, take_snapshot


class SnapshotBody(ApiModel):
    """What a snapshot is called."""

    read_only = ApiModel.read_only | {"records", "clock_offset"}

    name: Name = Field(description="Unique among your snapshots")


class SnapshotView(Stamps, SnapshotBody, Identity):
    """A saved state of the sandbox; `created_at` is the sandbox's time when it was taken."""

    records: int = Field(description="How many records it holds")
    clock_offset: int = Field(description="How many seconds the sandbox was ahead of real time")


class RestoredView(ApiModel):
    """What a restore did, in records by table."""

    tenant: str = Field(description="Public id of the tenant")
    snapshot: str = Field(description="Public id of the snapshot")
    restored_at: Instant = Field(description="In real time")
    now: Instant = Field(description="The sandbox's time, as it goes on from the snapshot's offset")
    kept: dict[str, int] = Field(description="Left alone: keys, access tokens, snapshots, the log, the trail, events")
    restored: dict[str, int] = Field(description="The records, as they now are again")
    removed: dict[str, int] = Field(description="Records that were added since the snapshot")


PLAN = ListPlan(Snapshot, tuple(getattr(Snapshot, name) for name in SnapshotView.model_fields), {}, ())


def _show(snapshot: Snapshot) -> dict[str, Any]:
    return {name: getattr(snapshot, name) for name in SnapshotView.model_fields}


def _find(call: Call) -> Snapshot:
    return find_record(call.session, Snapshot, call.path["id"], lock=call.operation.writes)


def _list(call: Call) -> Page:
    return Reader(call.session, PLAN, call.query, call.signer("cursor")).read()


def _take(call: Call) -> Done:
    snapshot = take_snapshot(call.session, hold_tenant(call), call.body.name)
    return Done(_show(snapshot), {"Location": f"{call.operation.path}/{snapshot.id}"})


def _restore(call: Call) -> Done:
    call.subject = call.record.public_id
    return Done(vars(restore_snapshot(call.session, hold_tenant(call), call.record)))


def _delete(call: Call) -> Done:
    data = {"id": call.record.id, "public_id": call.record.public_id}
    delete_snapshot(call.session, call.record)
    return Done(data)


EXAMPLE: dict[str, Any] = {
    "id": 1,
    "public_id": "snp_84b1c60f5d27ae39c0f1b86d",
    "name": "Before the import",
    "records": 7574,
    "clock_offset": 0,
    "created_at": "2026-11-21T09:12:44Z",
    "updated_at": "2026-11-21T09:12:44Z",
    "version": 1,
}
RESTORED = {
    "tenant": "ten_5f2c81d09a3b47e6c1d8f02a",
    "snapshot": EXAMPLE["public_id"],
    "restored_at": "2026-11-21T09:14:02Z",
    "now": "2026-11-21T09:14:02Z",
    "kept": {"api_keys": 6, "audit": 2, "exchanges": 4, "snapshots": 1},
    "restored": {"customers": 100, "products": 41, "invoices": 322, "leads": 40},
    "removed": {},
}
OPERATIONS: tuple[Operation, ...] = (
    sandbox_operation(
        "list_snapshots",
        "GET",
        "snapshots",
        summary="List snapshots",
        outcome="One page of snapshots",
        description="What your sandbox has kept of itself.",
        handle=_list,
        query=query_schema("SnapshotQuery", {}, ("id", "name", "created_at"), searches=False, keeps_deletions=True),
        returns=SnapshotView,
        is_list=True,
        example=Page([EXAMPLE], limit=20, page=1, total=1),
    ),
    sandbox_operation(
        "take_snapshot",
        "POST",
        "snapshots",
        summary="Take a snapshot",
        outcome="Snapshot taken",
        description="Keeps every record, the numbers to come, the clock and the armed scenarios under a name. "
        f"A sandbox keeps {MOST_SNAPSHOTS} at most; a reset leaves them alone.",
        handle=_take,
        body=SnapshotBody,
        returns=SnapshotView,
        status=201,
        codes=("duplicate",),
        sample={"name": "Before the import"},
        locks_alone=True,
        example=Done(EXAMPLE),
    ),
    sandbox_operation(
        "restore_snapshot",
        "POST",
        "snapshots/{id}/restore",
        summary="Restore a snapshot",
        outcome="Snapshot restored",
        description="Brings every record back as it was, ids and public ids included, and sets the clock and the armed "
        "scenarios as they were then. Keys, access tokens, snapshots, the log and the audit trail stay; the answers "
        "kept for idempotency keys are forgotten.",
        find=_find,
        handle=_restore,
        returns=RestoredView,
        sample_path={"id": 1},
        locks_alone=True,
        example=Done(RESTORED),
    ),
    sandbox_operation(
        "delete_snapshot",
        "DELETE",
        "snapshots/{id}",
        summary="Delete a snapshot",
        outcome="Snapshot deleted",
        description="Forgets what it holds. The sandbox itself stays as it is.",
        find=_find,
        handle=_delete,
        returns=Deleted,
        sample_path={"id": 1},
        example=Done({"id": 1, "public_id": EXAMPLE["public_id"]}),
    ),
)
