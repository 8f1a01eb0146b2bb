"""Earlier files of a mapping: none vanishes from the list, whatever other mappings bring (attack 37)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from sqlalchemy import func, select

from portal.core.clock import system_now
from portal.core.config import Settings
from portal.core.database import Database
from portal.core.ownership import table_of
from portal.tenancy.models import Tenant
from sandbox.integration.incoming.importing import forget_old_imports
from sandbox.integration.incoming.models import IncomingImport, IncomingOutcome
from tests.sandbox.console.conftest import Visitor
from tests.sandbox.integration.incoming.forms import mapping_path
from tests.sandbox.integration.incoming.test_import_pages import FILE, send_file, start_file, write_all


def multiply(database: Database, visitor: Visitor, mapping: str, count: int) -> None:
    """Copy the sandbox's one file, `count` times, for a mapping."""
    columns = [column.key for column in IncomingImport.__table__.columns if column.key not in {"id", "public_id"}]  # type: ignore[attr-defined]
    with database.transaction() as session:
        session.bind_tenant(session.scalars(select(Tenant.id).where(Tenant.public_id == visitor.tenant)).one())
        first = session.scalars(select(IncomingImport).order_by(IncomingImport.id)).first()
        assert first is not None
        for number in range(count):
            values = {name: getattr(first, name) for name in columns}
            session.add(IncomingImport(**values | {"mapping": mapping, "file_name": f"{mapping}-{number:03}.csv"}))


def test_the_hundred_and_first_file_is_reached_whatever_other_mappings_bring(
    new_visitor: Callable[[], Visitor], database: Database
) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    path = f"{mapping_path(alice, 'Vendor creation')}/imports"
    send_file(alice, path, FILE, name="the-first.csv")
    with database.transaction(write=False) as session:
        session.bind_tenant(session.scalars(select(Tenant.id).where(Tenant.public_id == alice.tenant)).one())
        slug = session.scalars(select(IncomingImport.mapping)).one()
    multiply(database, alice, "another", 60)
    assert "the-first.csv" in alice.get(path).text
    multiply(database, alice, slug, 100)
    page, pages = alice.get(path), 1
    while onward := page.find_all("a", rel="next"):
        page, pages = alice.get(onward[0].get("href", "")), pages + 1
    assert pages == 3
    assert "the-first.csv" in page.text
    assert "another-" not in page.text


def age_files(database: Database, visitor: Visitor, age: dt.timedelta) -> None:
    """Make the sandbox's files older."""
    moment = system_now() - age
    with database.transaction() as session:
        session.bind_tenant(session.scalars(select(Tenant.id).where(Tenant.public_id == visitor.tenant)).one())
        for found in session.scalars(select(IncomingImport)):
            found.created_at = moment
            if found.finished_at:
                found.finished_at = moment


def test_files_that_nobody_starts_go_after_a_day_and_finished_ones_when_settings_say(
    new_visitor: Callable[[], Visitor], database: Database, settings: Settings
) -> None:
    alice = new_visitor()
    alice.open_sandbox()
    path = f"{mapping_path(alice, 'Vendor creation')}/imports"
    start_file(alice, path, FILE, name="finished.csv")
    write_all(database)
    send_file(alice, path, FILE, name="unstarted.csv")
    forget_old_imports(database, settings)
    assert all(name in alice.get(path).text for name in ("finished.csv", "unstarted.csv"))
    age_files(database, alice, dt.timedelta(days=2))
    forget_old_imports(database, settings)
    page = alice.get(path).text
    assert "finished.csv" in page
    assert "unstarted.csv" not in page
    forget_old_imports(database, settings.model_copy(update={"import_days": 1}))
    assert "finished.csv" not in alice.get(path).text
    with database.transaction(write=False) as session:
        assert session.connection().scalar(select(func.count()).select_from(table_of(IncomingOutcome))) == 0
