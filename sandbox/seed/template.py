"""The template tenant: the seed, built once for a deployment, from which every sandbox is filled."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from portal.core.clock import system_now
from portal.core.database import Base
from portal.core.ownership import TenantOwned, table_of
from portal.core.session import TenantSession
from portal.tenancy.copying import derive_public_id, models_that
from portal.tenancy.models import Tenant
from sandbox.seed.company import build_company
from sandbox.seed.words import Row, load_words

_LOCK = 7302
_SOURCES = Path(__file__).parent


@cache
def seed_version(folder: Path) -> str:
    """A hash of everything the seed is made from: the generators and the words in `folder`."""
    digest = sha256()
    for file in [*sorted(_SOURCES.glob("*.py")), *sorted(folder.glob("*.yaml"))]:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def find_template(session: TenantSession, version: str | None = None) -> Tenant | None:
    """The template of this version, or the latest; it stays as long as the session's transaction does."""
    statement = select(Tenant).where(Tenant.mode == "template").order_by(Tenant.id.desc()).limit(1)
    if version is not None:
        statement = statement.where(Tenant.seed_version == version)
    return session.scalar(statement.with_for_update(read=True, key_share=True))


def ensure_template(session: TenantSession, folder: Path) -> Tenant:
    """The template of the seed in `folder`, built in this very transaction when missing."""
    version = seed_version(folder)
    found = find_template(session, version)
    if found is None:
        _wait_for_other_builders(session)
        found = find_template(session, version) or _build(session, folder, version)
    return found


def drop_outdated(session: TenantSession, folder: Path) -> int:
    """Delete the templates of earlier seeds. Returns how many."""
    outdated = (Tenant.mode == "template", Tenant.seed_version != seed_version(folder))
    ids = list(session.scalars(select(Tenant.id).where(*outdated)))
    session.execute(delete(Tenant).where(Tenant.id.in_(ids)))
    return len(ids)


def _wait_for_other_builders(session: TenantSession) -> None:
    """One process builds, the others find it built. SQLite has one writer at a time anyway."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _build(session: TenantSession, folder: Path, version: str) -> Tenant:
    template = Tenant(
        public_id=f"ten_{version[:24]}",
        name="Seed",
        mode="template",
        plan="enterprise",
        clock_offset=0,
        salt=version[:32],
        seed_version=version,
        created_at=system_now().replace(microsecond=0),
    )
    session.add(template)
    session.flush()
    company = build_company(load_words(folder))
    counters = dict(company.series)
    for model in models_that("restore"):
        if rows := company.rows.get(model):
            _insert(session.connection(), template, model, rows)
            counters[model.__tablename__] = len(rows)
    values = [{"tenant_id": template.id, "name": name, "value": value} for name, value in counters.items()]
    session.connection().execute(insert(Base.metadata.tables["counters"]), values)
    return template


def _insert(connection: Connection, template: Tenant, model: type[TenantOwned], rows: list[Row]) -> None:
    table = table_of(model)
    has_public_id = "public_id" in table.columns

    def complete(row: Row) -> dict[str, Any]:
        own: dict[str, Any] = {"tenant_id": template.id}
        if has_public_id:
            own["public_id"] = derive_public_id(template.salt, model.public_prefix, table.name, row["id"])
        return own | row

    connection.execute(insert(table), [complete(row) for row in rows])
