"""Invariants that only the composed application can show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Blueprint, Flask
from openapi_spec_validator import validate
from sqlalchemy import select

from portal.app import mount
from portal.core.config import Settings
from portal.core.database import Base, Database
from portal.core.errors import CODES
from portal.core.jobs import HANDLERS, Registration, enqueue, run_due_jobs
from portal.core.migrations import differences
from portal.core.ownership import table_of, tenant_models
from portal.core.prepared import UnscopedStatement, scoped
from portal.core.session import ForeignTenant, TenantNotBound
from portal.docs.service import current_docs
from portal.tenancy.models import Tenant
from sandbox.resources.customers import Customer
from tests.conftest import SandboxMaker

ROOT = Path(__file__).resolve().parents[2]
GUARDS = {"public", "public_api", "guest", "member", "staff", "api_key"}
ABOUT_TENANTS = {"counters", "delivery_lanes", "delivery_queue", "jobs", "sandbox_owners"}
GLOBAL_INDEXES = {"public_id", "key_id", "token_hash", "token"}


def test_every_blueprint_has_exactly_one_guard(app: Flask) -> None:
    for name, blueprint in app.blueprints.items():
        guards = [check.__name__ for check in blueprint.before_request_funcs.get(None, []) if check.__name__ in GUARDS]
        assert len(guards) == 1, f"{name} has {guards}"


def test_an_unguarded_blueprint_would_be_seen() -> None:
    bare = Blueprint("bare", __name__)
    assert not [check for check in bare.before_request_funcs.get(None, []) if check.__name__ in GUARDS]
    mount(Flask(__name__), bare, public_guard)
    assert bare.before_request_funcs[None] == [public_guard]


def public_guard() -> None:
    return None


def test_models_and_migrations_agree(database: Database) -> None:
    assert differences(database) == []


def test_every_tenant_table_is_keyed_by_tenant_first() -> None:
    for model in tenant_models():
        table = table_of(model)
        assert [column.name for column in table.primary_key.columns] == ["tenant_id", "id"], table.name
        for index in table.indexes:
            first = next(iter(index.columns)).name
            assert first == "tenant_id" or first in GLOBAL_INDEXES, f"{index.name} begins with {first}"


def test_every_table_with_a_tenant_is_registered() -> None:
    owned = {table_of(model).name for model in tenant_models()} | ABOUT_TENANTS
    for table in Base.metadata.tables.values():
        if "tenant_id" in table.columns:
            assert table.name in owned, f"{table.name} is not tenant-owned"


def test_a_session_without_a_tenant_reads_nothing_of_tenants(database: Database) -> None:
    with database.transaction(write=False) as session, pytest.raises(TenantNotBound):
        session.scalars(select(Customer)).all()


def test_a_session_sees_its_own_tenant_only(database: Database, new_sandbox: SandboxMaker) -> None:
    alices, mallorys = new_sandbox("Alice's").tenant, new_sandbox("Mallory's").tenant
    with database.transaction(write=False) as session:
        session.bind_tenant(alices.id)
        assert {row.tenant_id for row in session.scalars(select(Customer))} == {alices.id}
        assert session.get(Customer, (mallorys.id, 1)) is None


def test_a_session_refuses_a_second_tenant_and_a_foreign_row(database: Database, new_sandbox: SandboxMaker) -> None:
    alices, mallorys = new_sandbox("Alice's").tenant, new_sandbox("Mallory's").tenant
    with pytest.raises(ForeignTenant), database.transaction() as session:
        session.bind_tenant(alices.id)
        session.bind_tenant(mallorys.id)
    with pytest.raises(ForeignTenant), database.transaction() as session:
        session.bind_tenant(alices.id)
        session.add(Customer(tenant_id=mallorys.id, account="Smuggled"))
        session.flush()


def test_a_prepared_statement_on_a_global_table_is_refused() -> None:
    with pytest.raises(UnscopedStatement):
        scoped(select(Base.metadata.tables["tenants"]))


def test_a_job_that_needs_a_tenant_refuses_to_be_queued_without(database: Database) -> None:
    HANDLERS["test.tenant"] = Registration(lambda task: None, needs_tenant=True)
    with pytest.raises(TenantNotBound), database.transaction() as session:
        enqueue(session, "test.tenant", {})
    del HANDLERS["test.tenant"]


def test_a_job_is_done_once_and_a_failing_one_is_tried_again(database: Database) -> None:
    seen: list[str] = []

    def perform(task: object) -> None:
        seen.append("tried")
        raise ValueError("not yet")

    HANDLERS["test.failing"] = Registration(perform, needs_tenant=False)
    with database.transaction() as session:
        job = enqueue(session, "test.failing", {})
        session.flush()
        job_id = job.id
    run_due_jobs(database)
    run_due_jobs(database)
    del HANDLERS["test.failing"]
    with database.transaction() as session:
        kept = session.get(type(job), job_id)
        assert kept is not None
        assert (seen, kept.attempts, kept.status) == (["tried"], 1, "due")
        assert "not yet" in (kept.last_error or "")
        session.delete(kept)


def test_every_code_has_a_page_and_every_page_a_code(app: Flask) -> None:
    with app.app_context():
        assert {entry.code for entry in current_docs().library.errors} == set(CODES)


def test_every_setting_is_documented() -> None:
    readme = (ROOT / "README.md").read_text()
    missing = [name.upper() for name in Settings.model_fields if f"`{name.upper()}`" not in readme]
    assert missing == []


def test_the_api_document_is_valid(app: Flask) -> None:
    with app.app_context():
        validate(current_docs().document)  # type: ignore[arg-type]


def test_no_template_holds_inline_style_or_script() -> None:
    inline = re.compile(r"\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|<style|<script(?![^>]*\ssrc=)")
    assert inline.search('<p style="color: red">')
    for file in [*ROOT.glob("portal/**/*.html"), *ROOT.glob("sandbox/**/*.html")]:
        assert not inline.search(file.read_text()), file


def test_the_house_is_never_deleted_by_the_sweep(database: Database) -> None:
    with database.transaction(write=False) as session:
        assert session.scalar(select(Tenant.expires_at).where(Tenant.mode == "house")) is None
