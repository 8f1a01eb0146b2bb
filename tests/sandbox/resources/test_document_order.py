"""Numbers of documents sort by year and count, not as text (contract section 4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from portal.core.database import Database
from portal.core.ownership import TenantRecord, table_of
from sandbox.resources.invoice_records import Invoice
from sandbox.resources.quote_records import Quote
from sandbox.resources.receipts import GoodsReceipt
from sandbox.resources.sale_records import Sale
from sandbox.resources.series import document_order
from sandbox.resources.vendors import Vendor
from sandbox.tenants import NewSandbox
from tests.conftest import Integration

LISTS: dict[str, tuple[type[TenantRecord], str, str]] = {
    "/api/v2/invoices": (Invoice, "invoice_number", "INV-2026-"),
    "/api/v2/quotes": (Quote, "quote_number", "QUO-2026-"),
    "/api/v2/procurement/receipts": (GoodsReceipt, "receipt_number", "GRN-2026-"),
    "/api/v2/pos/sales": (Sale, "receipt_number", "REC-2026-"),
    "/api/v2/procurement/vendors": (Vendor, "vendor_code", "VEND-"),
}
Renumber = Callable[[str], list[str]]


@pytest.fixture
def renumber(database: Database, alices_sandbox: NewSandbox) -> Renumber:
    """Give the last three records of a list numbers below and above ten thousand; returns them in order."""

    def change(path: str) -> list[str]:
        model, column, prefix = LISTS[path]
        numbers = [f"{prefix}{count}" for count in (9_999, 10_000, 100_000)]
        with database.transaction() as session:
            session.bind_tenant(alices_sandbox.tenant.id)
            rows = session.scalars(select(model).order_by(model.id.desc()).limit(3)).all()
            for row, number in zip(rows, numbers, strict=True):
                setattr(row, column, number)
        return numbers

    return change


@pytest.mark.parametrize("path", LISTS)
def test_a_longer_number_comes_after_a_shorter_one(alice: Integration, renumber: Renumber, path: str) -> None:
    expected, (_, column, _) = renumber(path), LISTS[path]
    newest_first = alice.get(f"{path}?sort=-{column}&limit=3").json["data"]
    assert [row[column] for row in newest_first] == expected[::-1]


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_walks_the_same_order(alice: Integration, renumber: Renumber, path: str) -> None:
    expected, (_, column, _) = renumber(path), LISTS[path]
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        answer = alice.get(f"{path}?sort={column}&limit=100&cursor={cursor}").json
        seen += [row[column] for row in answer["data"]]
        cursor = answer["meta"].get("next_cursor")
    assert seen[-3:] == expected
    assert [document_order(number) for number in seen] == sorted(map(document_order, seen))
    assert len(seen) == len(set(seen)) == alice.get(f"{path}?limit=1").json["meta"]["total_records"]


@pytest.mark.parametrize("path", LISTS)
def test_every_number_of_the_seed_has_its_place(
    alice: Integration, database: Database, alices_sandbox: NewSandbox, path: str
) -> None:
    model, column, _ = LISTS[path]
    table = table_of(model)
    mine = table.c.tenant_id == alices_sandbox.tenant.id
    with database.transaction(write=False) as session:
        rows = session.connection().execute(select(table.c[column], table.c[f"{column}_order"]).where(mine)).all()
    assert rows
    assert all(order == document_order(number) > 0 for number, order in rows)


def test_a_number_that_is_none_sorts_first() -> None:
    assert document_order("") == document_order("INV") == document_order("INV-2026-x") == 0
    assert document_order("INV-2025-99999") < document_order("INV-2026-1")
