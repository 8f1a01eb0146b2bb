"""Trying a mapping: on its sample, on any body, on what really came in. Nothing of it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.api.body import parse_json
from portal.core.errors import MalformedJson, ValidationFailed
from portal.core.runtime import current_session
from portal.docs.exact_json import pretty
from portal.limits import CONSOLE_SENDS
from portal.tenancy.models import Tenant
from portal.tenancy.service import lock_tenant
from sandbox.console.drafts import printable
from sandbox.integration.incoming.acting import OUTCOMES, current_definition, own_mapping
from sandbox.integration.incoming.log import find_message
from sandbox.integration.incoming.models import IncomingMapping
from sandbox.integration.incoming.rehearsing import MOST_PAYLOADS, Replay, replay
from sandbox.integration.incoming.service import choose, find_version
from sandbox.integration.incoming.starting import build_sample
from sandbox.integration.incoming.targets import TARGETS
from sandbox.integration.incoming.trials import MOST_SHOWN, Trial, dry_run, preview, say
from sandbox.integration.visiting import integrated_sandbox

USUAL_REPLAY = 20
VERDICTS = {"same": "neutral", "better": "success", "worse": "failure"}


@dataclass
class Attempt:
    """What the form holds: the version to try, the body as it was typed, and what is wrong with the body."""

    version: str
    body: str
    error: str = ""


def add_routes(blueprint: Blueprint) -> None:
    """The pages of trials."""
    blueprint.add_url_rule("/incoming/<reference>/try", "show_trial", show_trial, methods=["GET"])
    blueprint.add_url_rule("/incoming/<reference>/try", "try_mapping", CONSOLE_SENDS(try_mapping), methods=["POST"])
    replays = "/incoming/<reference>/replay"
    blueprint.add_url_rule(replays, "replay_mapping", CONSOLE_SENDS(replay_mapping), methods=["POST"])


def show_trial(reference: str) -> str:
    """The form filled with the mapping's sample, or with what a message of the log brought."""
    tenant, mapping = integrated_sandbox(), own_mapping(reference)
    status, _ = current_definition(mapping)
    wanted = request.args.get("message")
    body = printable(find_message(current_session(), wanted).body) if wanted else _sample_of(mapping)
    return _render(tenant, mapping, Attempt(status, body))


def try_mapping(reference: str) -> ResponseReturnValue:
    """Preview or dry-run the body that was typed, or dry-run the mapping's sample."""
    tenant, mapping, act = integrated_sandbox(), own_mapping(reference), request.form.get("do", "run")
    attempt = _read(mapping)
    lock_tenant(current_session(), alone=True)
    plan = choose(current_session(), mapping, attempt.version).plan
    try:
        payload = parse_json((_sample_of(mapping) if act == "sample" else attempt.body).encode("utf-8", "replace"))
        trial = (preview if act == "preview" else dry_run)(current_session(), plan, payload)
    except MalformedJson as refused:
        attempt.error = refused.message
    except ValidationFailed as refused:
        attempt.error = refused.errors["body"]
    if attempt.error:
        return _render(tenant, mapping, attempt), 400
    return _render(tenant, mapping, attempt, trial=trial, act=act)


def replay_mapping(reference: str) -> ResponseReturnValue:
    """Try the draft on the last payloads that came in."""
    tenant, mapping, session = integrated_sandbox(), own_mapping(reference), current_session()
    lock_tenant(session, alone=True)
    last = min(max(request.form.get("last", USUAL_REPLAY, int), 1), MOST_PAYLOADS)
    found = replay(session, mapping, last)
    return _render(tenant, mapping, _read(mapping), found=found, last=last)


def _read(mapping: IncomingMapping) -> Attempt:
    body = printable(request.form.get("body", "")).replace("\r\n", "\n")
    version = request.form.get("version", "")
    status, _ = current_definition(mapping)
    return Attempt(version if version in {"draft", "live"} else status, body or _sample_of(mapping))


def _sample_of(mapping: IncomingMapping) -> str:
    _, definition = current_definition(mapping)
    return pretty(build_sample(TARGETS[mapping.target], mapping.slug, definition))


def _render(
    tenant: Tenant,
    mapping: IncomingMapping,
    attempt: Attempt,
    *,
    trial: Trial | None = None,
    act: str = "",
    found: Replay | None = None,
    last: int = USUAL_REPLAY,
) -> str:
    session = current_session()
    words: dict[str, Any] = {
        "outcomes": OUTCOMES,
        "verdicts": VERDICTS,
        "most": MOST_PAYLOADS,
        "most_shown": MOST_SHOWN,
    }
    return render_template(
        "incoming/show_trial.html",
        tenant=tenant,
        mapping=mapping,
        attempt=attempt,
        versions=[status for status in ("draft", "live") if find_version(session, mapping, status)],
        trial=trial,
        act=act,
        found=found,
        last=last,
        say=say,
        **words,
    )
