"""What the incoming pages share: whose mapping it is, who writes, what is written down, how a mapping is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from portal.api.records import find_record
from portal.core.runtime import current_session
from portal.docs.calls import Call
from portal.docs.exact_json import pretty
from portal.docs.samples import samples_of
from portal.tenancy.audit import record_act
from portal.tenancy.service import lock_tenant
from sandbox.console.showing import paint
from sandbox.console.visitor import visitor_actor
from sandbox.integration.incoming.definition import Definition, read_definition
from sandbox.integration.incoming.models import IncomingMapping
from sandbox.integration.incoming.service import find_version
from sandbox.integration.incoming.starting import build_sample, start_definition
from sandbox.integration.incoming.targets import TARGETS

AUTHOR = "Console"
OUTCOMES = {"SUCCESS": "success", "FAILED": "failure", "DUPLICATE": "warning", "MIXED": "neutral"}
"""Return statuses with the kind of notice that shows each."""


def begin_writing() -> None:
    """Let no reset and no other writer come between, so that a slug that is free stays so; and name who writes."""
    session = current_session()
    lock_tenant(session, alone=True)
    session.author = AUTHOR


def own_mapping(reference: str, *, lock: bool = False) -> IncomingMapping:
    """The sandbox's mapping. Raises NotFound."""
    return find_record(current_session(), IncomingMapping, reference, lock=lock)


def note(verb: str, mapping: IncomingMapping) -> None:
    """Write the visitor's act into the audit trail."""
    session = current_session()
    session.flush()
    record_act(session, actor=visitor_actor(), action=f"incoming-mappings.{verb}", subject=mapping.public_id)


def back_to(mapping: IncomingMapping) -> ResponseReturnValue:
    """The editor again, after something was done."""
    return redirect(url_for("incoming.show_mapping", reference=mapping.public_id), 303)


def current_definition(mapping: IncomingMapping) -> tuple[str, Definition]:
    """What is edited and tried first: the draft, else the live version. Gives its status with it."""
    session = current_session()
    version = find_version(session, mapping, "draft") or find_version(session, mapping, "live")
    if version is None:
        return "draft", start_definition(TARGETS[mapping.target])
    return version.status, read_definition(version.definition)


@dataclass(frozen=True)
class Calling:
    """A call of a mapping with its sample: in every language of the documentation, and as a link to the console."""

    samples: list[tuple[str, str, Any]]
    console: str


def show_calling(mapping: IncomingMapping) -> Calling | None:
    """How the live version is called; None while there is none."""
    live = find_version(current_session(), mapping, "live")
    if live is None:
        return None
    sample = build_sample(TARGETS[mapping.target], mapping.slug, read_definition(live.definition))
    call = Call(
        method="POST",
        path="/api/v1/integration/incoming",
        query=(("mapping", mapping.slug),),
        body=sample,
        media_type="application/json",
        credential="x-api-key",
    )
    given: dict[str, Any] = {"operation": "incoming.receive", "query.mapping": mapping.slug, "body": pretty(sample)}
    return Calling(
        [(each.language.slug, each.language.label, paint(each.text, each.language.lexer)) for each in samples_of(call)],
        url_for("console.show_console", **given),
    )
