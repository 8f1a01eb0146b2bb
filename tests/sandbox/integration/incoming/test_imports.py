"""Files of records: written in the background, chunk by chunk, never a row twice."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import delete, func, select

from portal.core import jobs
from portal.core.database import Database
from portal.core.errors import ValidationFailed
from portal.core.jobs import Job, run_due_jobs
from sandbox.integration.incoming import csv_files, importing
from sandbox.integration.incoming.models import IncomingImport, IncomingMapping, IncomingOutcome
from sandbox.integration.incoming.service import choose
from sandbox.resources.vendors import Vendor
from sandbox.tenants import NewSandbox
from tests.conftest import Integration

HEADING = "vendorName,gstNumber,contactPerson,mobile,email,city"
Act = Callable[..., Any]


@pytest.fixture
def act(database: Database, alices_sandbox: NewSandbox) -> Act:
    """Do something in a transaction of alice's tenant. No other job is due: `limit=1` then claims the test's own."""
    with database.transaction() as session:
        session.execute(delete(Job))

    def run(work: Callable[..., Any], *values: Any) -> Any:
        with database.transaction() as session:
            session.bind_tenant(alices_sandbox.tenant.id)
            return work(session, *values)

    return run


def upload(session: Any, text: str, slug: str = "vendor-creation") -> str:
    mapping = session.scalars(select(IncomingMapping).where(IncomingMapping.slug == slug)).one()
    found = importing.upload(session, choose(session, mapping, "live"), "vendors.csv", text.encode())
    importing.start_import(session, found)
    return found.public_id


def progress(session: Any, public_id: str) -> tuple[Any, ...]:
    found = importing.find_import(session, public_id)
    return found.status, found.done, found.total, found.succeeded, found.failed, found.duplicate


def count(session: Any, model: Any) -> int:
    return int(session.scalar(select(func.count(model.id))) or 0)


def vendors(number: int, start: int = 0) -> str:
    rows = (f"Vendor {n},27ABCDE{n:04d}F1Z5,,,,Mumbai" for n in range(start, start + number))
    return "\r\n".join((HEADING, *rows))


def test_a_file_is_written_in_chunks_and_its_result_can_be_sent_again(act: Act, database: Database) -> None:
    text = vendors(60) + '\r\n"=1+1",bad,,,,Mumbai\r\n\r\n"Vendor ""0""",27ABCDE0000F1Z5,-5,,,Pune\r\n'
    public_id = act(upload, text)
    assert act(progress, public_id) == ("queued", 0, 62, 0, 0, 0)
    run_due_jobs(database, limit=1)
    assert act(progress, public_id) == ("running", 50, 62, 50, 0, 0)
    run_due_jobs(database)
    assert act(progress, public_id) == ("done", 62, 62, 60, 1, 1)
    sheet = act(lambda session: importing.result_of(session, importing.find_import(session, public_id)))
    heading, *rows = csv.reader(io.StringIO(sheet))
    assert heading == [*HEADING.split(","), "outcome", "record_id", "error_code", "message"]
    assert rows[0][6:9] == ["SUCCESS", "VEND-1023", ""]
    assert rows[60][0] == "'=1+1"
    assert rows[60][6:] == ["FAILED", "", "INVALID_GST", "GST number is invalid"]
    assert rows[61][2] == "-5"
    assert rows[61][6:9] == ["DUPLICATE", "VEND-1023", "DUPLICATE"]


def test_a_worker_that_is_killed_leaves_whole_chunks_and_the_next_goes_on(act: Act, database: Database) -> None:
    public_id = act(upload, vendors(120))
    run_due_jobs(database, limit=1)
    with patch.object(importing, "enqueue", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        run_due_jobs(database, limit=1)
    assert act(progress, public_id)[:2] == ("running", 50)
    assert act(count, Vendor) == 72
    with database.transaction() as session:
        for job in session.scalars(select(Job).where(Job.kind == importing.JOB, Job.status == "due")):
            job.leased_until = None
    run_due_jobs(database)
    assert act(progress, public_id) == ("done", 120, 120, 120, 0, 0)
    assert act(count, Vendor) == 142
    assert act(count, IncomingOutcome) == 120


def test_a_stopped_file_and_a_lowered_plan_write_no_more(
    act: Act, database: Database, alices_sandbox: NewSandbox
) -> None:
    stopped, starved = act(upload, vendors(60)), act(upload, vendors(60, 100))
    run_due_jobs(database, limit=1)
    act(lambda session: importing.stop_import(session, importing.find_import(session, stopped)))
    with database.transaction() as session:
        session.merge(alices_sandbox.tenant).plan = "growth"
    run_due_jobs(database)
    assert act(progress, stopped)[:2] == ("stopped", 50)
    assert act(progress, starved)[:2] == ("stopped", 0)
    assert act(lambda session: importing.find_import(session, starved).reason) == (
        "The plan no longer includes integration"
    )


def test_a_file_that_cannot_be_written_on_ends_and_says_so(
    act: Act, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BACKOFF", (dt.timedelta(),) * 2)
    public_id = act(upload, vendors(60))
    run_due_jobs(database, limit=1)
    with patch.object(importing, "receive_records", side_effect=RuntimeError("broken")):
        run_due_jobs(database)
    assert act(progress, public_id)[:2] == ("stopped", 50)
    found = act(lambda session: importing.find_import(session, public_id))
    assert found.reason == "An error on our side kept the next rows from being written"
    assert found.finished_at is not None
    assert "dead" in act(lambda session: set(session.scalars(select(Job.status))))


@pytest.mark.one_store
def test_what_is_no_table_of_records_is_refused(act: Act, alice: Integration) -> None:
    wrong = {
        "": "The first line must name the columns",
        HEADING: "The file must have 1 to 50000 rows",
        f"{HEADING}, City\n1,2": "Two columns, city and City, name the parameter city",
        f"{HEADING}\n1,2,3,4,5,6,7": "Line 2 has a value in column 7, which has no heading",
        f'{HEADING}\n"open': "is not CSV",
        f"{HEADING}\n\x00": "The file is not a text",
    }
    for text, told in wrong.items():
        with pytest.raises(ValidationFailed) as refused:
            act(upload, text)
        assert told in refused.value.errors["file"], text
    with pytest.raises(ValidationFailed), patch.object(csv_files, "LARGEST", 10):
        act(upload, vendors(1))
    assert act(count, IncomingImport) == 0
