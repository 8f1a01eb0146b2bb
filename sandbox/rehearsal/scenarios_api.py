"""Scenarios as operations: arming one for the calls to come, seeing what waits, disarming it."""

from __future__ import annotations

from typing import Annotated, Any

from flask import current_app
from pydantic import Field, StringConstraints
from pydantic import WithJsonSchema as JsonSchema
from sqlalchemy import exists, select

from portal.api.lists import query_schema
from portal.api.operation import Call, Done, Operation, Page
from portal.api.paging import ListPlan, Reader
from portal.api.records import find_record
from portal.api.resource import Deleted
from portal.api.schema import ApiModel, Identity, Stamps, rule
from portal.core.errors import ValidationFailed
from portal.tenancy.models import ApiKey
from sandbox.rehearsal.arming import arm
from sandbox.rehearsal.models import ArmedScenario
from sandbox.rehearsal.operations import hold_tenant, sandbox_operation
from sandbox.rehearsal.scenarios import LONGEST_MS, LONGEST_RETRY, MOST_TIMES, Name, options_of


def _number(most: int, example: int) -> Any:
    return JsonSchema({"type": "integer", "minimum": 1, "maximum": most, "examples": [example]})


OperationName = Annotated[str, StringConstraints(pattern="^[a-z0-9_.-]{1,60}$")]
KeyName = Annotated[str, StringConstraints(pattern="^[0-9A-Za-z]{1,24}$")]
Times = Annotated[int, Field(ge=1, le=MOST_TIMES), _number(MOST_TIMES, 2)]
Seconds = Annotated[int, Field(ge=1, le=LONGEST_RETRY), _number(LONGEST_RETRY, 2)]
Milliseconds = Annotated[int, Field(ge=1, le=max(LONGEST_MS.values())), _number(max(LONGEST_MS.values()), 1500)]


class ScenarioFacts(ApiModel):
    """An outcome, and which calls it is for."""

    read_only = ApiModel.read_only | {"used"}

    scenario: Name
    times: Times = Field(1, description="How many calls; after them, the real thing")
    operation: OperationName | None = Field(
        None,
        description="Only calls of this operation, such as customers.create",
        json_schema_extra=rule("names an operation that is not the sandbox's own"),
    )
    key_id: KeyName | None = Field(
        None,
        description="Only calls with this key: the part after sk_test_",
        json_schema_extra=rule("the id of a key of yours"),
    )
    retry_after: Seconds | None = Field(
        None, description="Seconds; 2 unless given", json_schema_extra=rule("with rate_limited only")
    )
    ms: Milliseconds | None = Field(
        None,
        description="Milliseconds to wait: for slow, up to 10000 and 1500 unless given; for timeout, up to 30000 and "
        "10000 unless given",
        json_schema_extra=rule("with slow and timeout only"),
    )


class ScenarioView(Stamps, ScenarioFacts, Identity):
    """A scenario that waits for calls."""

    used: int = Field(description="How many calls it was used for; the last takes it off the list")


PLAN = ListPlan(ArmedScenario, tuple(getattr(ArmedScenario, name) for name in ScenarioView.model_fields), {}, ())


def _show(armed: ArmedScenario) -> dict[str, Any]:
    return {name: getattr(armed, name) for name in ScenarioView.model_fields}


def _list(call: Call) -> Page:
    return Reader(call.session, PLAN, call.query, call.signer("cursor")).read()


def _arm(call: Call) -> Done:
    _refuse_misfit(call, call.body)
    armed = arm(call.session, hold_tenant(call), ArmedScenario(**call.body.model_dump(), used=0))
    return Done(_show(armed), {"Location": f"{call.operation.path}/{armed.id}"})


def _refuse_misfit(call: Call, body: ScenarioFacts) -> None:
    """Raises ValidationFailed for an option of another scenario, an operation or a key that is not there."""
    errors = {}
    for option in ("retry_after", "ms"):
        if getattr(body, option) is not None and option not in options_of(body.scenario):
            errors[option] = f"{body.scenario} has no {option}"
    if body.ms is not None and body.ms > LONGEST_MS.get(body.scenario, body.ms):
        errors["ms"] = f"Ms must be at most {LONGEST_MS[body.scenario]} for {body.scenario}"
    if body.operation is not None and body.operation not in _operations():
        errors["operation"] = "No such operation; a scenario is for any but those of the sandbox itself"
    if body.key_id is not None and not call.session.scalar(select(exists().where(ApiKey.key_id == body.key_id))):
        errors["key_id"] = "No such key"
    if errors:
        raise ValidationFailed(errors)


def _operations() -> set[str]:
    """The operations a scenario can be for."""
    views = (getattr(view, "operation", None) for view in current_app.view_functions.values())
    return {operation.id for operation in views if operation is not None and operation.family != "sandbox"}


def _find(call: Call) -> ArmedScenario:
    """The row of the tenant comes first, as for a call that uses the scenario up."""
    hold_tenant(call)
    return find_record(call.session, ArmedScenario, call.path["id"], lock=True)


def _disarm(call: Call) -> Done:
    data = {"id": call.record.id, "public_id": call.record.public_id}
    call.session.delete(call.record)
    return Done(data)


SAMPLE = {"scenario": "rate_limited", "retry_after": 2, "times": 2, "operation": "customers.create"}
EXAMPLE = {
    "id": 1,
    "public_id": "scn_3b9d61c0f27a4e85d1c06b94",
    "scenario": "rate_limited",
    "times": 2,
    "operation": "customers.create",
    "key_id": None,
    "retry_after": 2,
    "ms": None,
    "used": 0,
    "created_at": "2026-11-21T09:12:44Z",
    "updated_at": "2026-11-21T09:12:44Z",
    "version": 1,
}
OPERATIONS: tuple[Operation, ...] = (
    sandbox_operation(
        "list_scenarios",
        "GET",
        "scenarios",
        summary="List armed scenarios",
        outcome="The scenarios that wait",
        description="What waits for the calls to come, in the order in which it will be used.",
        handle=_list,
        query=query_schema("ScenarioQuery", {}, ("id", "created_at"), searches=False, keeps_deletions=True),
        returns=ScenarioView,
        is_list=True,
        example=Page([EXAMPLE], limit=20, page=1, total=1),
    ),
    sandbox_operation(
        "arm_scenario",
        "POST",
        "scenarios",
        summary="Arm a scenario",
        outcome="Scenario armed",
        description="Lets the next calls that match end as you choose, for programs that cannot send the header "
        "`X-Sandbox-Scenario` themselves. Of several, the one armed first is used first. Calls under "
        "`/api/v2/sandbox` are never matched, nor calls with a header of their own. A reset disarms everything.",
        handle=_arm,
        body=ScenarioFacts,
        returns=ScenarioView,
        status=201,
        sample=SAMPLE,
        example=Done(EXAMPLE),
    ),
    sandbox_operation(
        "disarm_scenario",
        "DELETE",
        "scenarios/{id}",
        summary="Disarm a scenario",
        outcome="Scenario disarmed",
        description="Calls that are under way with it still end as they were to.",
        find=_find,
        handle=_disarm,
        returns=Deleted,
        sample_path={"id": 1},
        example=Done({"id": 1, "public_id": EXAMPLE["public_id"]}),
    ),
)
