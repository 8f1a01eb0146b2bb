"""The seed as rows, and a tenant's records as they stand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from portal.core.database import Base, Database
from portal.core.ownership import table_of
from portal.tenancy.copying import models_that
from portal.tenancy.models import Tenant
from sandbox.seed.company import Company, build_company
from sandbox.seed.words import load_words

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="session")
def company(content: Path) -> Company:
    return build_company(load_words(content / "demo"))


@pytest.fixture(scope="session")
def books(company: Company) -> Rows:
    """The seed's rows by table."""
    return {model.__tablename__: rows for model, rows in company.rows.items()}


@pytest.fixture
def records_of(database: Database) -> Callable[[Tenant], Rows]:
    """Everything of a tenant that a reset restores, counters too."""

    def read(tenant: Tenant) -> Rows:
        tables = [table_of(model) for model in models_that("restore")]
        with database.reader.connect() as connection:
            found = {
                table.name: connection.execute(
                    select(*(column for column in table.columns if column.name != "tenant_id"))
                    .where(table.c.tenant_id == tenant.id)
                    .order_by(table.c.id)
                )
                for table in tables
            }
            counters = Base.metadata.tables["counters"]
            kept = [model.__tablename__ for model in models_that("keep")]
            mine = select(counters.c.name, counters.c.value).where(
                counters.c.tenant_id == tenant.id, counters.c.name.not_in(kept)
            )
            found["counters"] = connection.execute(mine.order_by(counters.c.name))
            return {name: [dict(row) for row in rows.mappings()] for name, rows in found.items()}

    return read
