"""The words the seed is made of, read from `content/demo`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

Row = dict[str, Any]


@dataclass(frozen=True)
class Words:
    """Names, goods, sentences and reference data; the files say what each part means."""

    names: dict[str, Any]
    products: list[dict[str, Any]]
    newcomers: list[dict[str, Any]]
    texts: dict[str, Any]
    reference: dict[str, Any]
    employees: list[dict[str, Any]]
    vehicles: list[dict[str, Any]]
    quotes: dict[str, Any]
    tickets: dict[str, Any]
    vendors: list[dict[str, Any]]

    def product(self, sku: str) -> dict[str, Any]:
        """The product with this SKU, its 1-based position among them as `id`."""
        return next(row | {"id": place} for place, row in enumerate(self.products, 1) if row["sku"] == sku)

    def line(self, description: str) -> dict[str, Any]:
        """The invoice line with this description."""
        return next(row for row in self.texts["invoice_lines"] if row["description"] == description)

    def category(self, name: str) -> int:
        """The id of a category."""
        return next(int(row["id"]) for row in self.reference["categories"] if row["name"] == name)


def load_words(folder: Path) -> Words:
    """Read the files of `folder`."""
    return Words(
        names=_read(folder / "names.yaml"),
        products=_read(folder / "products.yaml")["products"],
        newcomers=_read(folder / "products.yaml")["newcomers"],
        texts=_read(folder / "descriptions.yaml"),
        reference=_read(folder / "reference.yaml"),
        employees=_read(folder / "employees.yaml")["employees"],
        vehicles=_read(folder / "vehicles.yaml")["vehicles"],
        quotes=_read(folder / "quotes.yaml"),
        tickets=_read(folder / "tickets.yaml"),
        vendors=_read(folder / "vendors.yaml")["vendors"],
    )


def _read(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def money(text: str) -> Decimal:
    """An amount written as text, in cents exactly."""
    return Decimal(text).quantize(Decimal("0.01"))
