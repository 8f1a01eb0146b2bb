"""The editor's state: what its form holds, what is wrong with it, and the mapping it reads as."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from werkzeug.datastructures import MultiDict

from portal.api.schema import validate
from portal.core.errors import Duplicate, ValidationFailed
from portal.core.session import TenantSession
from sandbox.console.drafts import printable
from sandbox.integration.incoming.row_words import STEP_WORDS, Form, Offer
from sandbox.integration.outgoing.mappings import OutgoingMappingBody, check_mapping
from sandbox.integration.outgoing.models import OutgoingMapping
from sandbox.integration.outgoing.sources import SOURCES
from sandbox.integration.outgoing.values import FITTING, LIST
from sandbox.integration.transformations.rearranging import Additions
from sandbox.integration.transformations.typed import (
    STEPS,
    Document,
    Typed,
    entries_of,
    item_document,
    nest,
    read_item,
    show_item,
    text_of,
)

TEXTS = ("name", "slug", "connection_id", "source", "schedule", "manual", "active")
ROW_TEXTS = ("parameter", "field", "constant", "type", "format", "required", "new_step")
_LIST = re.compile(r"(.*\.(?:sources|table))\..*")
_FOLDED = re.compile(r"(rows\.\d+(?:\.rows\.\d+)?)\.(?:transformations|code)")
_STEP_WORDS = STEP_WORDS | {"date_format": "write as a date", "number_format": "write as a number"}
_UNFIT = "does not have the expected format"
_REMEDIES = {
    "slug": "A slug has small letters, digits and hyphens, and begins and ends with none of these",
    "parameter": "Give a name such as customer.name, with letters, digits and _ @ $ : - only. "
    "For an array, give the row the type List",
}


@dataclass
class Editor:
    """What was typed. `seen` is the mapping's version that the form was shown for; `errors` are by dotted place."""

    texts: Typed
    events: list[str]
    rows: list[Typed]
    seen: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> tuple[Document, dict[str, str]]:
        """The mapping as the API takes it, and what of the texts cannot be read."""
        faults: dict[str, str] = {}
        said = {name: text for name in ("name", "slug", "source") if (text := self.texts[name].strip())}
        flags = {name: bool(self.texts[name]) for name in ("manual", "active")}
        rows = [_row_document(row, f"rows.{number}", faults) for number, row in enumerate(self.rows)]
        place = _whole(self.texts["connection_id"])
        schedule = self.texts["schedule"].strip() or None
        rest = {"connection_id": place, "schedule": schedule, "events": self.events, "rows": rows}
        return {**said, **flags, **rest}, faults


def new_editor(source: str) -> Editor:
    """The form of a mapping that is yet to be made."""
    texts = dict.fromkeys(TEXTS, "") | {"source": source, "manual": "yes", "active": "yes"}
    return Editor(texts, [], [blank_row()])


def edit_mapping(mapping: OutgoingMapping, rows: Iterable[Document]) -> Editor:
    """The form filled with a mapping as it is saved."""
    texts = {name: str(getattr(mapping, name) or "") for name in TEXTS}
    flags = {name: "yes" if getattr(mapping, name) else "" for name in ("manual", "active")}
    return Editor(texts | flags, list(mapping.events), [_show_row(row) for row in rows], str(mapping.version))


def read_editor(form: MultiDict[str, str]) -> Editor:
    """What came back with the form."""
    pairs = [(name, printable(text)) for name, text in form.items()]
    known = dict(pairs)
    texts = {name: known.get(name, "") for name in TEXTS}
    events = [printable(text) for text in form.getlist("events")][:20]
    return Editor(texts, events, [_read_row(row) for row in entries_of(nest(pairs).get("rows"))], known.get("seen", ""))


def judge(session: TenantSession, editor: Editor, mapping: OutgoingMapping | None) -> OutgoingMappingBody | None:
    """The mapping that was typed; None once everything wrong with it stands in the errors."""
    body, faults = editor.body
    data = None
    try:
        data = validate(OutgoingMappingBody, body)
        check_mapping(session, data, mapping)
    except (ValidationFailed, Duplicate) as refused:
        faults = {**refused.extra["errors"], **faults}
    complain(editor.errors, faults)
    return None if faults else data


def complain(errors: dict[str, str], faults: Mapping[str, str]) -> None:
    """Put each sentence at its field, the first of several, with the remedy where the sentence has none."""
    for place, sentence in reversed([*faults.items()]):
        found = _LIST.fullmatch(place)
        name = place.rpartition(".")[2]
        errors[found.group(1) if found else place] = (
            _REMEDIES.get(name, sentence) if sentence.endswith(_UNFIT) else sentence
        )


def show_form(editor: Editor, action: str, at: str) -> Form:
    """The form of an editor that sends to `action`; what lies `at` a place, or is wrong, is unfolded."""
    source = SOURCES[editor.texts["source"]]
    types = [(name, name) for name in (*FITTING, LIST)]
    inner = {name: [(each, each) for each in fields] for name, fields in source.lists.items()}
    offer = Offer([(name, name) for name in (*source.fields, *source.lists)], inner, [], types)
    unfolded = {found.group(1) for place in (at, *editor.errors) if (found := _FOLDED.match(place))}
    return Form(action, editor.errors, offer, [], unfolded, _STEP_WORDS, {})


def blank_row() -> Typed:
    """A row in which nothing was typed."""
    return _read_row({"type": "String"})


def _read_row(row: Typed) -> Typed:
    return {
        **{name: text_of(row.get(name)) for name in ROW_TEXTS},
        "transformations": [read_item(step, STEPS) for step in entries_of(row.get("transformations"))],
        "checks": [],
        "rows": [_read_row(line) for line in entries_of(row.get("rows"))],
    }


def _show_row(row: Document) -> Typed:
    texts = {name: row.get(name) or "" for name in ("parameter", "field", "constant", "type", "format")}
    steps = [show_item(step) for step in row.get("transformations", ())]
    inner = [_show_row(line) for line in row.get("rows", ())]
    return _read_row({**texts, "required": "yes" if row["required"] else "", "transformations": steps, "rows": inner})


def _row_document(row: Typed, place: str, faults: dict[str, str]) -> Document:
    names = ("parameter", "field", "constant", "format")
    document: Document = {name: text for name in names if (text := row[name].strip())}
    document |= {"type": row["type"] or "String", "required": bool(row["required"])}
    steps = enumerate(row["transformations"])
    document["transformations"] = [
        item_document(step, f"{place}.transformations.{number}", faults) for number, step in steps
    ]
    if row["rows"]:
        inner = enumerate(row["rows"])
        document["rows"] = [_row_document(line, f"{place}.rows.{number}", faults) for number, line in inner]
    return document


def _whole(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text


ADDITIONS = Additions(blank_row, {"transformations": ("new_step", STEPS)})
"""What the editor's buttons may add."""
