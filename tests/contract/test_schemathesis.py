"""Schemathesis over the whole API document: what the application answers is what the document says.

Each chapter of the reference runs in a sandbox of its own, as its administrator (`door.py`), with all that
Schemathesis generates: the document's examples, every boundary of every schema, and at random, right and wrong on
purpose. References are made to name records that exist in three of four requests (`fitting.py`).

The seed is fixed, so a run is the same wherever it runs; SLIPWAY_EXAMPLES says how many random requests each
operation gets. It goes on after a failure, since one fault would hide the next.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from flask import Flask
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.core.failures import Failure
from schemathesis.engine import events, from_schema
from schemathesis.generation.meta import CoveragePhaseData, CoverageScenario

from portal.core.database import Database
from sandbox.groups import GROUPS
from sandbox.tenants import NewSandbox
from tests.conftest import SandboxMaker, runtime_of
from tests.contract.described import describe, document_of
from tests.contract.door import Door
from tests.contract.fitting import Fitter

EXAMPLES = int(os.environ.get("SLIPWAY_EXAMPLES", "15"))
LEFT_OUT = {
    # Its probe hands settings of the network to an application called in process, which refuses them;
    # test_document.py asks every operation without and with wrong credentials instead.
    "ignored_auth": {"enabled": False},
    # It needs several people who sign in; test_strangers.py asks every operation for a stranger's records instead.
    "object_level_authorization": {"enabled": False},
    # It takes every refusal for a fault; `taken_or_explained` below lets pass what the document says in words.
    "positive_data_acceptance": {"enabled": False},
}
SETTINGS: dict[str, Any] = {
    "seed": 20260101,
    "continue-on-failure": True,
    "generation": {
        "max-examples": EXAMPLES,
        "deterministic": True,
        "no-shrink": True,
        "database": "none",
        "with-security-parameters": False,
    },
    "checks": LEFT_OUT,
    # Sequences of calls are driven by the model of tests/sandbox/test_business_truth.py, which knows their sums.
    "phases": {"stateful": {"enabled": False}},
}
# Right by the schema, yet refused: unknown, in conflict with what is there, changed meanwhile, a key used before.
STATES = {404, 409, 412, 422}


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    if isinstance(case.operation.app, Subject):
        case.operation.app.fitter.fit(case)


@schemathesis.check
def taken_or_explained(context: CheckContext, response: Response, case: Case) -> None:
    """What is right by the schema is taken, or refused for a rule that the document states in words (`x-rule`)."""
    app = case.operation.app
    if not isinstance(app, Subject) or case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if response.status_code < 400 or response.status_code in STATES or is_of_another_method(case):
        return
    errors = response.json().get("errors", {}) if response.status_code == 400 else {}
    unexplained = [name for name in errors if not app.operations[case.operation.label].has_rule(name)]
    if unexplained or not (errors or "error" in response.json()):
        raise Failure(operation=case.operation.label, title="Right, yet refused", message=response.text[:300])


@schemathesis.check
def only_listed_codes(context: CheckContext, response: Response, case: Case) -> None:
    """A refusal's code is one that the document lists for the operation."""
    app = case.operation.app
    if not isinstance(app, Subject) or response.status_code < 400 or is_of_another_method(case):
        return
    code = response.json().get("code")
    if code is not None and code not in app.operations[case.operation.label].says["x-errors"]:
        raise Failure(operation=case.operation.label, title="Code not listed", message=f"{code} is not in x-errors")


def is_of_another_method(case: Case) -> bool:
    """True for a request with a method that the path does not have."""
    phase = case.meta.phase.data if case.meta else None
    return isinstance(phase, CoveragePhaseData) and phase.scenario == CoverageScenario.UNSPECIFIED_HTTP_METHOD


class Subject(Door):
    """The application under test, and what the document says of it."""

    def __init__(self, app: Flask, new: NewSandbox) -> None:
        super().__init__(app, new)
        self.fitter = Fitter(self)
        self.operations = {f"{one.method} {one.path}": one for one in describe(app)}


def faults_of(schema: Any) -> Iterator[str]:
    """Everything that Schemathesis finds wrong, and whatever keeps it from looking."""
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            yield str(event)
        if isinstance(event, events.ScenarioFinished):
            yield from faults_in(event.recorder)


def faults_in(recorder: Any) -> Iterator[str]:
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                failure, response = check.failure_info.failure, recorder.interactions[case_id].response
                answer = f"{response.status_code} {response.text[:300]}" if response else "no answer"
                request = check.failure_info.code_sample
                yield f"{recorder.label}: {failure.title}\n{failure.message}\n{request}\n{answer}"


def settings_on(database: Database) -> dict[str, Any]:
    """What is wrong by the schema is refused before the store is asked: it is sent on one store, the rest on each."""
    mode = "all" if database.is_sqlite else "positive"
    return {**SETTINGS, "generation": {**SETTINGS["generation"], "mode": mode}}


@pytest.mark.one_store
def test_every_operation_is_in_a_chapter(app: Flask) -> None:
    assert {tag for one in describe(app) for tag in one.says["tags"]} == {group.name for group in GROUPS}


@pytest.mark.parametrize("chapter", [group.name for group in GROUPS])
def test_the_application_does_what_the_document_says(app: Flask, new_sandbox: SandboxMaker, chapter: str) -> None:
    config = schemathesis.Config.from_dict(settings_on(runtime_of(app).database))
    schema = schemathesis.openapi.from_dict(document_of(app), config=config)
    schema.app = Subject(app, new_sandbox("Subject"))
    faults = list(faults_of(schema.include(tag=chapter)))
    assert not faults, f"{len(faults)} faults\n\n" + "\n\n".join(faults[:20])
