"""Files of records: rows of a CSV through a mapping, in the background, a chunk in each transaction.

The place in the file moves in the very transaction that writes the rows before it: a worker that is killed leaves
whole chunks behind, and the next one goes on where they end.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import undefer

from portal.api.records import find_record
from portal.core.errors import Conflict, ValidationFailed
from portal.core.jobs import Task, enqueue, handles
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from portal.tenancy.audit import record_act
from portal.tenancy.models import Tenant
from portal.tenancy.plans import is_entitled
from portal.tenancy.service import lock_tenant
from sandbox.integration.incoming.answering import answer_record, record_id_of
from sandbox.integration.incoming.definition import Definition, read_definition, stored
from sandbox.integration.incoming.models import UNFINISHED, IncomingImport, IncomingOutcome
from sandbox.integration.incoming.receiving import Plan, Result, receive_records
from sandbox.integration.incoming.service import Chosen
from sandbox.integration.incoming.targets import TARGETS
from sandbox.reports.sheet import Cell, write_csv

JOB = "incoming.import"
ACTOR = "import"
CHUNK = 50
"""Rows of one transaction: on SQLite nobody else writes meanwhile."""
LARGEST = 5 * 1024 * 1024
MOST_ROWS = 50_000
MOST_COLUMNS = 200
MOST_WAITING = 5
MOST_NAMED = 20
_SEPARATORS = ",;\t|"
_ADDED = ("outcome", "record_id", "error_code", "message")


def upload(session: TenantSession, chosen: Chosen, file_name: str, content: bytes) -> IncomingImport:
    """Take a file of records in: text in UTF-8 with a heading of parameter names. It is written in the background.

    Raises ValidationFailed where it cannot be read or no column is a parameter of the mapping, Conflict while as many
    as may wait are waiting.
    """
    text, separator = _decode(content)
    total = _count_rows(text, separator)
    _refuse_strangers(next(csv.reader(io.StringIO(text), delimiter=separator)), chosen.plan.definition)
    waiting = select(IncomingImport.id).where(IncomingImport.status.in_(UNFINISHED))
    if len(list(session.scalars(waiting))) >= MOST_WAITING:
        remedy = Remedy("state", f"{MOST_WAITING} files", f"fewer than {MOST_WAITING}")
        raise Conflict(f"{MOST_WAITING} files are being written already. Wait until one is done.", remedy=remedy)
    found = IncomingImport(
        mapping=chosen.mapping.slug,
        version_number=chosen.version.number,
        target=chosen.mapping.target,
        definition=stored(chosen.plan.definition),
        file_name=_clean_name(file_name),
        text=text,
        separator=separator,
        status="queued",
        position=0,
        total=total,
        **dict.fromkeys(("done", "succeeded", "failed", "duplicate"), 0),
        author=session.author[:80],
    )
    session.add(found)
    session.flush()
    enqueue(session, JOB, {"import": found.id})
    return found


def list_imports(session: TenantSession, *, limit: int = 50) -> list[IncomingImport]:
    """The latest files, newest first, without their text."""
    return list(session.scalars(select(IncomingImport).order_by(IncomingImport.id.desc()).limit(limit)))


def find_import(session: TenantSession, reference: str) -> IncomingImport:
    """The file with this id or public id. Raises NotFound."""
    return find_record(session, IncomingImport, reference)


def list_refused(session: TenantSession, found: IncomingImport, *, limit: int) -> list[IncomingOutcome]:
    """The first rows of a file that were not written, in the file's order."""
    own = (IncomingOutcome.import_id == found.id, IncomingOutcome.outcome != "SUCCESS")
    return list(session.scalars(select(IncomingOutcome).where(*own).order_by(IncomingOutcome.line).limit(limit)))


def stop_import(session: TenantSession, found: IncomingImport) -> None:
    """Write no more of the file; what is written stays. Raises Conflict for one that has ended."""
    if found.status not in UNFINISHED:
        raise Conflict("This file has ended already.", remedy=Remedy("state", found.status, "running"))
    _end(session, found, "stopped", "Stopped by hand")


def result_of(session: TenantSession, found: IncomingImport) -> str:
    """The rows so far as CSV, each with what became of it: to be corrected and sent again."""
    outcomes = select(IncomingOutcome).where(IncomingOutcome.import_id == found.id).order_by(IncomingOutcome.line)
    reader = csv.reader(io.StringIO(_text_of(session, found)), delimiter=found.separator)
    heading = next(reader)
    rows = (row for row in reader if any(row))
    return write_csv((*heading, *_ADDED), _beside(rows, session.scalars(outcomes), len(heading)))


def _give_up(task: Task) -> None:
    """End a file whose next rows fail time and again: it holds the place of another."""
    _, found = _take_up(task)
    if found is not None:
        _end(task.session, found, "stopped", "An error on our side kept the next rows from being written")


@handles(JOB, on_death=_give_up)
def _write_chunk(task: Task) -> None:
    """Write the next rows of a file, and queue the chunk after them in the same transaction."""
    session = task.session
    tenant, found = _take_up(task)
    if found is None:
        return
    session.author, session.trace = found.author, found.public_id
    if not is_entitled(tenant.plan, "integration"):
        _end(session, found, "stopped", "The plan no longer includes integration")
        return
    found.status = "running"
    if _write_rows(session, found):
        enqueue(session, JOB, task.payload)
    else:
        _end(session, found, "done", None)


def _take_up(task: Task) -> tuple[Tenant, IncomingImport | None]:
    """The tenant, where nobody else writes now, and its file; None for a file that has ended."""
    session = task.session
    tenant = session.get_one(Tenant, session.owner_id)
    session.bind_tenant(tenant.id, tenant.clock)
    lock_tenant(session, alone=True)
    named = select(IncomingImport).where(
        IncomingImport.id == task.payload["import"], IncomingImport.status.in_(UNFINISHED)
    )
    return tenant, session.scalar(named.options(undefer(IncomingImport.text)).with_for_update())


def _write_rows(session: TenantSession, found: IncomingImport) -> bool:
    """Write one chunk. False once there is no more."""
    plan = Plan(TARGETS[found.target], read_definition(found.definition))
    records, position, has_more = _next_records(found)
    results = receive_records(session, plan, records)
    for line, result in enumerate(results, found.done + 1):
        session.add(_outcome(plan, found.id, line, result))
    counts = Counter(result.outcome for result in results)
    found.succeeded += counts["SUCCESS"]
    found.failed += counts["FAILED"]
    found.duplicate += counts["DUPLICATE"]
    found.done, found.position = found.done + len(records), position
    if any(result.has_written for result in results):
        record_act(session, actor=found.author or ACTOR, action=JOB, subject=found.public_id)
    session.flush()
    return has_more


def _next_records(found: IncomingImport) -> tuple[list[dict[str, str]], int, bool]:
    """The next chunk as records, where it ends, and whether more follows."""
    stream = io.StringIO(found.text)
    heading = next(csv.reader(iter(stream.readline, ""), delimiter=found.separator))
    stream.seek(max(found.position, stream.tell()))
    reader = csv.reader(iter(stream.readline, ""), delimiter=found.separator)
    records: list[dict[str, str]] = []
    for row in reader:
        if any(row):
            records.append(dict(zip(heading, row, strict=False)))
        if len(records) == CHUNK:
            return records, stream.tell(), True
    return records, stream.tell(), False


def _outcome(plan: Plan, import_id: int, line: int, result: Result) -> IncomingOutcome:
    answer, _ = answer_record(plan, result)
    record_id = record_id_of(plan, result)
    return IncomingOutcome(
        import_id=import_id,
        line=line,
        outcome=result.outcome,
        code=answer.get("errorCode"),
        message=answer["message"][:500],
        record_id=record_id[:254] if record_id else None,
    )


def _end(session: TenantSession, found: IncomingImport, status: str, reason: str | None) -> None:
    found.status, found.reason, found.finished_at = status, reason, session.clock.now()
    session.flush()


def _beside(rows: Iterator[list[str]], outcomes: Any, width: int) -> Iterator[tuple[Cell, ...]]:
    for row, outcome in zip(rows, outcomes, strict=False):
        cells = (row + [""] * width)[:width]
        yield (*cells, outcome.outcome, outcome.record_id, outcome.code, outcome.message)


def _text_of(session: TenantSession, found: IncomingImport) -> str:
    return session.scalars(select(IncomingImport.text).where(IncomingImport.id == found.id)).one()


def _decode(content: bytes) -> tuple[str, str]:
    if len(content) > LARGEST:
        raise ValidationFailed({"file": f"The file may have {LARGEST} bytes at most"})
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValidationFailed({"file": "The file is not UTF-8; save it as CSV UTF-8"}) from None
    if "\x00" in text:
        raise ValidationFailed({"file": "The file is not a text"})
    first = text.partition("\n")[0]
    return text, max(_SEPARATORS, key=first.count)


def _count_rows(text: str, separator: str) -> int:
    """How many rows there are below the heading. Raises ValidationFailed for what is no table of records."""
    try:
        reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
        heading = next(reader, [])
        _refuse_heading(heading)
        total = 0
        for row in reader:
            if len(row) > len(heading) and any(row[len(heading) :]):
                raise ValidationFailed({"file": f"Line {reader.line_num} has more cells than the heading"})
            total += any(row)
    except csv.Error as fault:
        raise ValidationFailed({"file": f"Line {reader.line_num} is not CSV: {fault}"}) from None
    if not 1 <= total <= MOST_ROWS:
        raise ValidationFailed({"file": f"The file must have 1 to {MOST_ROWS} rows below its heading"})
    return total


def _refuse_heading(heading: list[str]) -> None:
    if not all(heading) or not 1 <= len(heading) <= MOST_COLUMNS or len(set(heading)) != len(heading):
        words = f"The first line must name each column, once, {MOST_COLUMNS} at most"
        raise ValidationFailed({"file": words})


def columns_of(definition: Definition) -> list[str]:
    """The parameters that a column can carry: each row's but those of lists."""
    return list(dict.fromkeys(row.source for row in definition.rows if row.source and row.type != "list"))


def _refuse_strangers(heading: list[str], definition: Definition) -> None:
    """Raises ValidationFailed for a file of which no row could fill anything."""
    expected = columns_of(definition)
    joined = {name for row in definition.rows for step in row.transformations for name in step.sources or ()}
    if expected and not {*expected, *joined} & set(heading):
        found, wanted = (", ".join(names[:MOST_NAMED]) for names in (heading, expected))
        raise ValidationFailed({"file": f"No column is a parameter of the mapping: expected {wanted}; found {found}"})


def _clean_name(name: str) -> str:
    kept = "".join(character for character in name if character.isprintable() and character not in '/\\"<>')
    return kept[-120:] or "records.csv"
