"""What the editor offers to choose from, in words, and which rows it shows unfolded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from sqlalchemy import select

from portal.core.session import TenantSession
from sandbox.integration.incoming.definition import RowType
from sandbox.integration.incoming.editing import Editor
from sandbox.integration.incoming.targets.target import ErpField, Target
from sandbox.integration.transformations.typed import Typed
from sandbox.resources.masters import Master

CHECK_WORDS = {
    "not_empty": "not empty",
    "pattern": "matches a pattern",
    "email": "is an e-mail address",
    "phone": "is a phone number",
    "date": "is a date",
    "range": "lies in a range",
    "unique": "is unique",
    "master": "stands in a master",
}
STEP_WORDS = {
    "trim": "trim",
    "case": "change case",
    "date_format": "read as a date",
    "number_format": "read as a number",
    "default": "default if empty",
    "constant": "constant",
    "lookup": "look up",
    "join": "join with others",
}
_ACTIONS = {"refuse": "refuse it: 409 DUPLICATE", "update": "update the first", "skip": "leave the first, and say so"}
_SINGULARS = {"rows": "row", "transformations": "transformation", "checks": "check"}
_LABELS = {"source": "parameter or JSON path", "field": "ERP field", "code": "errorCode"}
_PLACES = re.compile(r"(rows|transformations|checks)\.(\d+)\.")
_FOLDED = re.compile(r"(rows\.\d+(?:\.rows\.\d+)?)\.(?:transformations|checks|code|message|new_)")
Choices = list[tuple[str, str]]


@dataclass(frozen=True)
class Offer:
    """Choices as pairs of a value and its words; `inner` are those of a list's entries, by the list's field."""

    fields: Choices
    inner: dict[str, Choices]
    masters: Choices
    types: Choices = field(default_factory=lambda: [(name, name) for name in get_args(RowType)])

    @property
    def inner_types(self) -> Choices:
        return [choice for choice in self.types if choice[0] != "list"]


@dataclass(frozen=True)
class Form:
    """What the editor's templates show besides what was typed. `unfolded` are places of rows."""

    action: str
    errors: dict[str, str]
    offer: Offer
    actions: Choices
    unfolded: set[str]
    step_words: dict[str, str]
    check_words: dict[str, str]

    def in_words(self, row: Typed) -> str:
        """What is done with a row's value, for the line that stands for it while it is folded."""
        steps = [_step_in_words(step, self.step_words) for step in row["transformations"]]
        checks = [_check_in_words(check) for check in row["checks"]]
        return " · ".join([*steps, *checks]) or "taken as it comes"

    def title_of(self, place: str) -> str:
        """A place in words: `rows.3.checks.0.pattern` is row 4, check 1, pattern."""
        words = _PLACES.sub(lambda part: f"{_SINGULARS[part.group(1)]} {int(part.group(2)) + 1}, ", f"{place}.")
        *above, last = words.rstrip("., ").replace(".", ", ").split(", ")
        said = ", ".join([*above, _LABELS.get(last, last)]).replace("_", " ")
        return said[:1].upper() + said[1:]


def show_form(session: TenantSession, target: Target, editor: Editor, action: str, at: str) -> Form:
    """The form of an editor that sends to `action`; what lies `at` a place, or is wrong, is unfolded."""
    actions: Choices = [(name, _ACTIONS[name]) for name in target.actions]
    opened = _unfolded([at, *editor.errors])
    return Form(action, editor.errors, _offer_of(session, target), actions, opened, STEP_WORDS, CHECK_WORDS)


def _offer_of(session: TenantSession, target: Target) -> Offer:
    """What rows of this target may be chosen from."""
    masters = session.scalars(select(Master.name).order_by(Master.name))
    inner = {line.name: _named(line.fields) for line in target.fields if line.fields}
    return Offer(_named(target.fields), inner, [(name, name) for name in masters])


def _unfolded(places: Iterable[str]) -> set[str]:
    """The rows within which these places lie, where they lie in what is folded."""
    return {found.group(1) for place in places if (found := _FOLDED.match(place))}


def _named(fields: Sequence[ErpField]) -> Choices:
    return [(line.name, f"{line.name}{' *' if line.is_required else ''}") for line in fields]


def _step_in_words(step: Typed, words: dict[str, str]) -> str:
    said: Any = step.get("case") or step.get("format") or (step["kind"] != "lookup" and step.get("value")) or ""
    return f"{words.get(step['kind'], step['kind'])}{f' {said}' if said else ''}"


def _check_in_words(check: Typed) -> str:
    bounds = "–".join(check.get(name, "") for name in ("min", "max")).strip()
    said = check.get("master") or check.get("format") or (bounds if check["kind"] == "range" else "")
    code = f" ({check['code']})" if check.get("code") else ""
    return f"{CHECK_WORDS.get(check['kind'], check['kind'])}{f' {said}' if said else ''}{code}"
