"""Files of records: rows of a CSV through a mapping, in the background, a chunk in each transaction.

A file is uploaded, previewed, and then started. The place in the file moves in the very transaction that writes the
rows before it: a worker that is killed leaves whole chunks behind, and the next one goes on where they end.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import undefer

from portal.api.records import find_record
from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Database
from portal.core.errors import Conflict, ValidationFailed
from portal.core.jobs import Task, enqueue, handles
from portal.core.ownership import table_of
from portal.core.paging import Paged, read_page
from portal.core.remedies import Remedy
from portal.core.retention import delete_in_steps
from portal.core.session import TenantSession
from portal.tenancy.audit import record_act
from portal.tenancy.models import Tenant
from portal.tenancy.plans import is_entitled
from portal.tenancy.service import lock_tenant
from sandbox.integration.incoming.answering import answer_record, record_id_of
from sandbox.integration.incoming.columns import Column, find_obstacle, list_parameters, match_columns, name_added
from sandbox.integration.incoming.csv_files import (
    CsvFile,
    count_rows,
    is_blank,
    read_file,
    read_rows,
    restore_line_ends,
    take_rows,
)
from sandbox.integration.incoming.definition import read_definition, stored
from sandbox.integration.incoming.models import OPEN, UNFINISHED, IncomingImport, IncomingOutcome
from sandbox.integration.incoming.receiving import Plan, Result, receive_records
from sandbox.integration.incoming.service import Chosen
from sandbox.integration.incoming.targets import TARGETS
from sandbox.reports.sheet import Cell, write_csv

JOB = "incoming.import"
ACTOR = "import"
CHUNK = 50
"""Rows of one transaction: on SQLite nobody else writes meanwhile."""
MOST_WAITING = 5
MOST_PREVIEWS = 5
"""Files of a tenant that were uploaded and not started; an older one makes room for the next."""
PREVIEW_LIFETIME = dt.timedelta(days=1)


def upload(session: TenantSession, chosen: Chosen, file_name: str, content: bytes) -> IncomingImport:
    """Take a file of records in, to be previewed and started.

    Raises ValidationFailed if it cannot be read, no column is a parameter of the mapping, or no row could be written.
    """
    definition = chosen.plan.definition
    obstacle = find_obstacle(chosen.plan.target, definition)
    if obstacle:
        raise ValidationFailed({"file": f"{obstacle}. Send the records as JSON"})
    file = read_file(content, list(list_parameters(definition)))
    total = count_rows(file)
    match_columns(file.heading, definition)
    _make_room(session)
    found = IncomingImport(
        mapping=chosen.mapping.slug,
        version_number=chosen.version.number,
        target=chosen.mapping.target,
        definition=stored(definition),
        file_name=_clean_name(file_name),
        **vars(file),
        status="preview",
        position=0,
        total=total,
        **dict.fromkeys(("done", "succeeded", "failed", "duplicate"), 0),
        author=session.author[:80],
    )
    session.add(found)
    session.flush()
    return found


def start_import(session: TenantSession, found: IncomingImport) -> None:
    """Have the file written in the background. Raises Conflict for one that was started, or while too many wait."""
    if found.status != "preview":
        raise Conflict("This file was started already.", remedy=Remedy("state", found.status, "preview"))
    waiting = select(IncomingImport.id).where(IncomingImport.status.in_(UNFINISHED))
    if len(list(session.scalars(waiting))) >= MOST_WAITING:
        remedy = Remedy("state", f"{MOST_WAITING} files", f"fewer than {MOST_WAITING}")
        raise Conflict(f"{MOST_WAITING} files are being written already. Wait until one is done.", remedy=remedy)
    found.status, found.author = "queued", session.author[:80]
    session.flush()
    enqueue(session, JOB, {"import": found.id})


def list_imports(session: TenantSession, mapping: str, page: int = 1) -> Paged[IncomingImport]:
    """Return a page of the files of one mapping, named by its slug, newest first, without their text."""
    return read_page(session, IncomingImport, [IncomingImport.mapping == mapping], [IncomingImport.id.desc()], page)


def find_import(session: TenantSession, reference: str) -> IncomingImport:
    """The file with this id or public id. Raises NotFound."""
    return find_record(session, IncomingImport, reference)


def list_refused(session: TenantSession, found: IncomingImport, *, limit: int) -> list[IncomingOutcome]:
    """The first rows of a file that were not written, in the file's order."""
    own = (IncomingOutcome.import_id == found.id, IncomingOutcome.outcome != "SUCCESS")
    return list(session.scalars(select(IncomingOutcome).where(*own).order_by(IncomingOutcome.line).limit(limit)))


def stop_import(session: TenantSession, found: IncomingImport) -> None:
    """Write no more of the file; what is written stays. Raises Conflict for one that has ended."""
    if found.status not in OPEN:
        raise Conflict("This file has ended already.", remedy=Remedy("state", found.status, "running"))
    _end(session, found, "stopped", "Stopped by hand")


def discard_import(session: TenantSession, found: IncomingImport) -> None:
    """Forget a file that was not started. Raises Conflict for one that was."""
    if found.status != "preview":
        raise Conflict("This file was started already.", remedy=Remedy("state", found.status, "preview"))
    session.delete(found)
    session.flush()


def file_of(session: TenantSession, found: IncomingImport) -> CsvFile:
    """The file as it was uploaded."""
    text = session.scalars(select(IncomingImport.text).where(IncomingImport.id == found.id)).one()
    return CsvFile(text, found.separator, found.encoding, found.line_end, found.has_separator_line)


def result_of(session: TenantSession, found: IncomingImport, *, only_failed: bool = False) -> str:
    """The file with what became of each row, to be corrected and uploaded again: the columns of an earlier result are
    replaced. Rows that were not written yet have no outcome.
    """
    file, definition = file_of(session, found), read_definition(found.definition)
    kept = [column for column in match_columns(file.heading, definition) if not column.is_ours]
    headings = [column.heading for column in kept]
    outcomes = select(IncomingOutcome).where(IncomingOutcome.import_id == found.id).order_by(IncomingOutcome.line)
    rows = (row for row in read_rows(file.text, file.separator) if not is_blank(row))
    next(rows)
    judged = zip_longest(rows, session.scalars(outcomes))
    wanted = (
        (row, outcome)
        for row, outcome in judged
        if row is not None and (not only_failed or (outcome and outcome.outcome == "FAILED"))
    )
    table = write_csv((*headings, *name_added(headings, definition)), _beside(wanted, kept), file.separator)
    return restore_line_ends(table, file)


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
    records, position, has_more = _next_records(found, plan)
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


def _next_records(found: IncomingImport, plan: Plan) -> tuple[list[dict[str, str]], int, bool]:
    """The next chunk as records, where it ends, and whether more follows."""
    heading = next(read_rows(found.text, found.separator))
    columns = match_columns(heading, plan.definition)
    rows, position, has_more = take_rows(found.text, found.separator, found.position, CHUNK)
    return [record_of(row, columns) for row in rows], position, has_more


def record_of(row: list[str], columns: list[Column]) -> dict[str, str]:
    """A row as the record that a caller would have sent."""
    return {column.parameter: row[column.place] for column in columns if column.parameter and column.place < len(row)}


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


def _beside(judged: Iterator[tuple[list[str], Any]], columns: list[Column]) -> Iterator[tuple[Cell, ...]]:
    for row, outcome in judged:
        cells = [row[column.place] if column.place < len(row) else "" for column in columns]
        said = (outcome.outcome, outcome.record_id, outcome.code, outcome.message) if outcome else ("",) * 4
        yield (*cells, *said)


def forget_old_imports(database: Database, settings: Settings) -> None:
    """Delete files that nobody started within a day, and finished ones with their results after `import_days`."""
    table, now = table_of(IncomingImport), system_now()
    delete_in_steps(database, table, table.c.status == "preview", table.c.created_at < now - PREVIEW_LIFETIME, step=1)
    if settings.import_days:
        oldest_kept = now - dt.timedelta(days=settings.import_days)
        delete_in_steps(database, table, table.c.finished_at < oldest_kept, step=1)


def _make_room(session: TenantSession) -> None:
    """Forget the oldest files that nobody started."""
    unstarted = select(IncomingImport.id).where(IncomingImport.status == "preview").order_by(IncomingImport.id.desc())
    old = list(session.scalars(unstarted.offset(MOST_PREVIEWS - 1)))
    session.execute(delete(IncomingImport).where(IncomingImport.id.in_(old)))


def _clean_name(name: str) -> str:
    name = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(character for character in name if character.isprintable() and character not in '"<>')
    return kept[-120:] or "records.csv"
