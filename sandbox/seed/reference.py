"""Accounts, categories, departments and products: what all else refers to."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sandbox.seed.words import Row, Words, money

SET_UP = dt.datetime(2024, 1, 2, 9, tzinfo=dt.UTC)
CATALOGUE = dt.datetime(2024, 1, 3, 9, tzinfo=dt.UTC)
LATELY = dt.datetime(2026, 6, 22, 10, 30, tzinfo=dt.UTC)
_FIELDS = ("name", "price", "description", "type", "tax_rate", "sku", "tracks_stock")


def reference_rows(words: Words, kind: str) -> list[Row]:
    """The rows of `accounts`, `categories` or `departments`."""
    return [stamped(dict(row), SET_UP) for row in words.reference[kind]]


def product_rows(words: Words) -> list[Row]:
    """The catalogue, in the order of its file, entered one after another."""
    return [
        _product_row(product, id_, CATALOGUE + dt.timedelta(minutes=7 * id_))
        for id_, product in enumerate(words.products, 1)
    ]


def newcomer_rows(words: Words) -> list[Row]:
    """What joined the catalogue lately and was never sold, so that it can still be deleted."""
    first = len(words.products) + 1
    return [_product_row(product, id_, LATELY) for id_, product in enumerate(words.newcomers, first)]


def _product_row(product: dict[str, Any], id_: int, entered_at: dt.datetime) -> Row:
    fields = {name: product[name] for name in _FIELDS}
    fields |= {"id": id_, "price": money(product["price"]), "tax_rate": money(product["tax_rate"])}
    return stamped(fields, entered_at)


def stamped(row: Row, created_at: dt.datetime, updated_at: dt.datetime | None = None, version: int = 1) -> Row:
    """The row with what every record carries."""
    return row | {"created_at": created_at, "updated_at": updated_at or created_at, "version": version}
