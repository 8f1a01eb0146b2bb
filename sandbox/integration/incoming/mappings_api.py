"""Mappings as operations: saved as drafts, checked, tried on samples and on what came in, published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import select

from portal.api.lists import equals, query_schema
from portal.api.operation import Call, Done, Operation, Page
from portal.api.paging import ListPlan, Reader
from portal.api.records import Unique
from portal.api.resource import Resource
from portal.api.unchanged import says_the_same
from portal.core.session import TenantSession
from sandbox.integration.incoming import samples
from sandbox.integration.incoming.definition import Definition, stored
from sandbox.integration.incoming.faults import find_faults
from sandbox.integration.incoming.mapping_schemas import (
    IncomingDraftBody,
    IncomingFaults,
    IncomingMappingBody,
    IncomingMappingView,
    IncomingReplayBody,
    IncomingReplayView,
    IncomingRunBody,
    IncomingRunView,
    IncomingVersionView,
    TargetName,
)
from sandbox.integration.incoming.models import IncomingMapping, IncomingVersion
from sandbox.integration.incoming.rehearsing import replay, run_sample
from sandbox.integration.incoming.service import (
    add_mapping,
    choose,
    make_draft_of,
    publish,
    remove_versions,
    save_draft,
)
from sandbox.integration.incoming.targets import TARGETS

PATH = "/api/v2/integration/incoming-mappings"
_NAMED = ("slug", "name", "target", "is_default")
_COMPUTED = ("rows", "duplicates", "answers", "live_version", "draft_version")
_STATES = ("live", "draft")
_NOTHING_SAID: dict[str, Any] = {"duplicates": None, "answers": {}}


def _create(session: TenantSession, body: IncomingMappingBody) -> IncomingMapping:
    return add_mapping(session, {name: getattr(body, name) for name in _NAMED}, body)


def _replace(session: TenantSession, mapping: IncomingMapping, fields: dict[str, Any]) -> None:
    definition = Definition.model_validate({name: fields[name] for name in Definition.model_fields})
    named = {name: fields[name] for name in _NAMED}
    if says_the_same(session, {**named, **_NOTHING_SAID, **stored(definition)}, mappings.present(session, mapping)):
        return
    save_draft(session, mapping, named, definition)


def _add_versions(session: TenantSession, rows: list[dict[str, Any]]) -> None:
    """Put on each mapping's row what it says, and the numbers of its versions, with one query for the page."""
    wanted = (IncomingVersion.mapping_id.in_([row["id"] for row in rows]), IncomingVersion.status != "retired")
    known: dict[int, dict[str, IncomingVersion]] = {}
    for version in session.scalars(select(IncomingVersion).where(*wanted)):
        known.setdefault(version.mapping_id, {})[version.status] = version
    rows[:] = [row | _said(known[row["id"]]) for row in rows if row["id"] in known]


def _said(versions: Mapping[str, IncomingVersion]) -> dict[str, Any]:
    shown = versions.get("draft") or versions["live"]
    numbers = {f"{status}_version": versions[status].number if status in versions else None for status in _STATES}
    return {**_NOTHING_SAID, **shown.definition, **numbers}


def _check(call: Call) -> Done:
    call.is_audited = False
    faults = find_faults(call.session, TARGETS[call.record.target], call.body)
    return Done({"is_sound": not faults, "faults": faults})


def _run(call: Call) -> Done:
    call.is_dry = True
    plan = choose(call.session, call.record, call.body.version).plan
    return Done(asdict(run_sample(call.session, plan, call.body.payload)))


def _replay(call: Call) -> Done:
    call.is_dry = True
    found = replay(call.session, call.record, call.body.last)
    return Done({"payloads": [asdict(one) for one in found.payloads], **found.counts, "left_out": found.left_out})


def _publish(call: Call) -> Done:
    publish(call.session, call.record)
    return Done(mappings.present(call.session, call.record))


def _make_draft(call: Call) -> Done:
    make_draft_of(call.session, call.record, call.body.version)
    return Done(mappings.present(call.session, call.record))


_SHOWN = tuple(getattr(IncomingVersion, name) for name in IncomingVersionView.model_fields)
_OF_MAPPING = {"mapping_id": equals(IncomingVersion.mapping_id, int)}
_PLAN = ListPlan(IncomingVersion, (IncomingVersion.id, *_SHOWN), _OF_MAPPING, ())


def _list_versions(call: Call) -> Page:
    query = call.query.model_copy(update={"mapping_id": call.record.id})
    page = Reader(call.session, _PLAN, query, call.signer(f"cursor {call.record.id}")).read()
    shown = [{name: row[name] for name in IncomingVersionView.model_fields} for row in page.items]
    return Page(shown, page.limit, page.page, page.total, next_cursor=page.next_cursor)


def _action(verb: str, **details: Any) -> Operation:
    return Operation(
        id=f"incoming-mappings.{verb}",
        method=details.pop("method", "POST"),
        path=f"{PATH}/{{id}}/{verb.replace('_', '-')}",
        permission=details.pop("permission", "integration:write"),
        find=lambda call: mappings.find(call),
        sample_path={"id": 1},
        **details,
    )


ACTIONS = (
    _action(
        "check",
        summary="Check a definition",
        outcome="Definition checked",
        description="Tells everything in a definition that cannot work with the mapping's target, and saves nothing.",
        handle=_check,
        body=Definition,
        returns=IncomingFaults,
        sample=samples.VENDOR_CREATION,
    ),
    _action(
        "run",
        summary="Run a mapping on a sample",
        outcome="Sample run",
        description="Does with a payload what a call would do, and takes it back: the answers, a verdict on each row, "
        "and what would have changed.",
        handle=_run,
        body=IncomingRunBody,
        returns=IncomingRunView,
        codes=("conflict",),
        locks_alone=True,
        sample={"payload": samples.PAYLOADS["vendor-creation"], "version": "live"},
    ),
    _action(
        "versions",
        method="GET",
        permission="integration:read",
        summary="List the versions of a mapping",
        outcome="One page of versions",
        handle=_list_versions,
        query=query_schema(
            "IncomingVersionQuery", {}, ("-number", "created_at"), searches=False, keeps_deletions=False
        ),
        returns=IncomingVersionView,
        is_list=True,
    ),
    _action(
        "draft",
        summary="Make an older version the draft",
        outcome="Draft saved",
        description="What the version says becomes the draft; a draft that is there already is overwritten.",
        handle=_make_draft,
        body=IncomingDraftBody,
        returns=IncomingMappingView,
        codes=("conflict",),
        sample={"version": 1},
    ),
    _action(
        "replay",
        summary="Try the draft on past payloads",
        outcome="Payloads replayed",
        description="Tries the draft on the last payloads that really came in, and holds it against the live version, "
        "tried at the same moment; where nothing is live, against what was answered then. Nothing of it is kept.",
        handle=_replay,
        body=IncomingReplayBody,
        returns=IncomingReplayView,
        codes=("conflict",),
        locks_alone=True,
        sample={"last": 20},
    ),
    _action(
        "publish",
        summary="Publish a mapping's draft",
        outcome="Mapping published",
        description="The draft becomes live from the next call on; what was live is retired and can be made "
        "draft again.",
        handle=_publish,
        returns=IncomingMappingView,
        codes=("conflict",),
    ),
)

mappings: Resource = Resource(
    name="incoming-mappings",
    singular="incoming mapping",
    module="integration",
    path=PATH,
    description="How an external system's JSON becomes records: rows from parameters to fields, each with "
    "transformations, a type and checks, in this order; a rule for duplicates; what is answered. A mapping is saved as "
    "a draft and receives once it is published. A reset keeps mappings.",
    model=IncomingMapping,
    shows=IncomingMappingView,
    accepts=IncomingMappingBody,
    verbs=("list", "create", "read", "replace", "delete"),
    filters={"target": equals(IncomingMapping.target, TargetName)},
    sorts=("id", "slug", "name", "created_at", "updated_at"),
    searches=(IncomingMapping.slug, IncomingMapping.name),
    computed=_COMPUTED,
    unique=(Unique(IncomingMapping.slug, "Another mapping has this slug"),),
    create=_create,
    change=_replace,
    remove=remove_versions,
    enrich=_add_versions,
    actions=ACTIONS,
    codes={"create": ("conflict",), "replace": ("conflict",)},
    sample={
        "slug": "partner-lead",
        "name": "Partner lead",
        "target": "lead",
        "is_default": False,
        **samples.WEBSITE_LEAD,
    },
    replacement={
        "slug": "vendor-creation",
        "name": "Vendor master",
        "target": "vendor",
        "is_default": True,
        **samples.VENDOR_CREATION,
    },
    removed_id=2,
)
