"""The editor's state: what its form holds, what is wrong with it, and the definition it reads as."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from portal.api.schema import ApiModel, Name, validate
from portal.core.errors import ValidationFailed
from portal.core.session import TenantSession
from sandbox.console.drafts import printable
from sandbox.integration.incoming.definition import Definition, stored
from sandbox.integration.incoming.faults import find_faults
from sandbox.integration.incoming.models import IncomingMapping
from sandbox.integration.incoming.targets.target import Target
from sandbox.integration.incoming.texts import Slug
from sandbox.integration.incoming.typed import document_of, read_rows, show_definition
from sandbox.integration.transformations.typed import Document, Typed, nest

_LIST = re.compile(r"(.*\.(?:sources|table|fields))\..*")
_UNFIT = "does not have the expected format"
_REMEDIES = {
    "slug": "A slug has small letters, digits and hyphens, 2 to 40 of them, and begins with a letter",
    "code": "An errorCode has capitals, digits and _, such as INVALID_GST",
}
_API_WORDS = (("The source ", "Parameter or JSON path "), ("A source is", "A parameter or JSON path is"))
_NEEDED = frozenset({"kind", "field", "type"})


class Names(ApiModel):
    """What a mapping is known by."""

    name: Name
    slug: Slug
    is_default: bool = False


@dataclass
class Editor:
    """What was typed. `seen` is the mapping's version the form was shown for; `errors` are by dotted place."""

    names: Typed
    rows: list[Typed]
    duplicate_fields: list[str] = field(default_factory=list)
    duplicate_action: str = "refuse"
    seen: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def document(self) -> tuple[Document, dict[str, str]]:
        """The definition's document but for its answers, and what of the texts cannot be read."""
        rows, faults = document_of(self.rows)
        rule = {"fields": self.duplicate_fields, "action": self.duplicate_action}
        return {"rows": rows, **({"duplicates": rule} if self.duplicate_fields else {})}, faults


def edit_mapping(mapping: IncomingMapping, definition: Definition) -> Editor:
    """The form filled with a mapping as it is saved."""
    rule = definition.duplicates
    return Editor(
        {"name": mapping.name, "slug": mapping.slug, "is_default": "yes" if mapping.is_default else ""},
        show_definition(definition),
        list(rule.fields) if rule else [],
        rule.action if rule else "refuse",
        str(mapping.version),
    )


def read_editor(form: MultiDict[str, str]) -> Editor:
    """What came back with the form."""
    pairs = [(name, printable(text)) for name, text in form.items()]
    texts = {name: text for name, text in pairs if "." not in name}
    return Editor(
        {name: texts.get(name, "") for name in ("name", "slug", "is_default")},
        read_rows(nest(pairs).get("rows")),
        [printable(text) for text in form.getlist("duplicate_fields")][:20],
        texts.get("duplicate_action", "refuse"),
        texts.get("seen", ""),
    )


def read_names(session: TenantSession, typed: Mapping[str, str], mapping: IncomingMapping | None) -> dict[str, Any]:
    """Name, slug and whether it is the default. Raises ValidationFailed, also for a slug another mapping has."""
    given = {name: typed[name].strip() for name in ("name", "slug") if typed[name].strip()}
    names = validate(Names, {**given, "is_default": bool(typed.get("is_default"))})
    holder = session.scalar(select(IncomingMapping).where(IncomingMapping.slug == names.slug))
    if holder is not None and holder is not mapping:
        raise ValidationFailed({"slug": "Another mapping has this slug"})
    return names.model_dump()


def judge(session: TenantSession, target: Target, editor: Editor, answers: Document | None = None) -> Definition | None:
    """The definition that was typed, with `answers` kept; None once everything wrong with it stands in the errors."""
    document, faults = editor.document
    document |= {"answers": answers} if answers else {}
    definition, found = _read(document)
    faults = {**found, **faults}
    judged = definition or _read(_without(document, found))[0]
    if judged is not None:
        faults = {**find_faults(session, target, judged), **faults}
    complain(editor.errors, faults)
    return None if faults else definition


def complain(errors: dict[str, str], faults: Mapping[str, str]) -> None:
    """Put each sentence at its field, the first of several, with the remedy where the sentence has none."""
    for place, sentence in reversed([*faults.items()]):
        name = place.rpartition(".")[2]
        for api, label in _API_WORDS:
            sentence = sentence.replace(api, label)
        errors[_place_of(place)] = _REMEDIES.get(name, sentence) if sentence.endswith(_UNFIT) else sentence


def base_of(definition: Definition | None) -> Document | None:
    """The answers that go on with a new draft: they have a page of their own."""
    return stored(definition).get("answers") if definition else None


def _read(document: Document) -> tuple[Definition | None, dict[str, str]]:
    try:
        return validate(Definition, document), {}
    except ValidationFailed as refused:
        return None, refused.errors


def _without(document: Document, faults: Mapping[str, str]) -> Document:
    """The document without what is wrong in itself, so that the rest can be judged in the same go."""
    rest = copy.deepcopy(document)
    for place in faults:
        holder: Any = rest
        *above, last = _place_of(place).split(".")
        for part in above:
            holder = holder[int(part)] if isinstance(holder, list) else holder.get(part, {})
        if isinstance(holder, dict) and last not in _NEEDED:
            holder.pop(last, None)
    return rest


def _place_of(place: str) -> str:
    """The form's field: a list or a table is typed in one."""
    inside = _LIST.fullmatch(place)
    return inside.group(1) if inside else place
