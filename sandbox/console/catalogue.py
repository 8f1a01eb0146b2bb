"""The operations the console offers, by chapter: those of the API document."""

from __future__ import annotations

from dataclasses import dataclass

from portal.core.errors import NotFound
from portal.docs.reference import Operation
from portal.docs.service import current_docs, find_operation
from sandbox.console.drafts import can_be_sent

FIRST = "customers.list"


@dataclass(frozen=True)
class Chapter:
    """A chapter of the reference and its operations."""

    title: str
    operations: tuple[Operation, ...]


def list_chapters() -> list[Chapter]:
    """Every chapter that has something to send."""
    groups = current_docs().reference.groups
    chapters = [Chapter(group.title, tuple(filter(can_be_sent, group.operations))) for group in groups]
    return [chapter for chapter in chapters if chapter.operations]


def choose_operation(identity: str) -> Operation:
    """The operation with this id. Raises NotFound for one the console does not offer."""
    operation = find_operation(identity)
    if operation is None or not can_be_sent(operation):
        raise NotFound("The console has no such operation. It may have been renamed since the link was made.")
    return operation
