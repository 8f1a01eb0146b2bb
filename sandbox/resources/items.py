"""Lines of a paper: what an invoice or a quote is the sum of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from pydantic import Field
from sqlalchemy import or_, select

from portal.api.records import find_references
from portal.api.schema import Amount, ApiModel, Line, Money, Percentage, Quantity, Reference, rule
from portal.core.errors import ValidationFailed
from portal.core.ownership import TenantOwned
from portal.core.session import TenantSession
from sandbox.resources.products import Product

Row = dict[str, Any]
LARGEST = 12
"""How many digits an amount may have before the point."""
CENT = Decimal("0.01")
UNTAXED = Decimal("0.00")
_UNNAMED: Any = None
ITEM_FIELDS = ("description", "amount", "qty", "product_id", "tax_rate", "subtotal", "tax")
"""The columns of a line, in the order in which it is shown."""
SUM = rule("come to 0.01 at least and 999999999999.99 at most")


class ItemBody(ApiModel):
    """One line as a caller sends it; `amount` is the price of one unit, before tax."""

    description: Line
    amount: Amount = Field(description="The price of one unit, before tax")
    qty: Quantity = Decimal(1)
    product_id: Reference | None = None
    tax_rate: Percentage = Field(
        _UNNAMED, description="In percent. The product's rate if left out, 0 without a product"
    )


class ItemView(ApiModel):
    """One line as the API shows it; `amount` is the price of one unit, before tax."""

    description: str
    amount: Money
    qty: Quantity
    product_id: int | None
    tax_rate: Percentage
    subtotal: Money = Field(description="The line before tax")
    tax: Money
    total: Money = Field(description="The line with tax")


class Sums(NamedTuple):
    """What lines come to. `subtotal` is before tax, `amount` with it."""

    subtotal: Decimal
    tax: Decimal

    @property
    def amount(self) -> Decimal:
        return self.subtotal + self.tax

    def fields(self) -> Row:
        """Return the columns of a document that hold them."""
        return {"subtotal": self.subtotal, "tax": self.tax, "amount": self.amount}


def round_to_cent(value: Decimal) -> Decimal:
    """Return an amount of money, rounded half up."""
    return value.quantize(CENT, ROUND_HALF_UP)


def line_sums(amount: Decimal, qty: Decimal, tax_rate: Decimal) -> Sums:
    """Return what one line comes to: its subtotal rounded half up to the cent, and the tax on that, rounded alike."""
    subtotal = round_to_cent(amount * qty)
    return Sums(subtotal, round_to_cent(subtotal * tax_rate / 100))


def sums_of(lines: Iterable[Mapping[str, Any]]) -> Sums:
    """Return what complete lines come to."""
    subtotal = tax = UNTAXED
    for line in lines:
        subtotal, tax = subtotal + line["subtotal"], tax + line["tax"]
    return Sums(subtotal, tax)


def find_items(
    session: TenantSession,
    items: list[Row],
    wanted: Mapping[str, tuple[type[TenantOwned], Any]],
    errors: Mapping[str, str],
) -> tuple[dict[str, Any], list[Row]]:
    """Find what the lines and the fields in `wanted` refer to. Return the records by field, and the lines as stored.

    Raises ValidationFailed naming all that refers to nothing, and a sum out of bounds, together with `errors`.
    """
    products = {f"items.{place}.product_id": (Product, item["product_id"]) for place, item in enumerate(items)}
    untaxed = wrong_sum(sums_of(_complete(item, None) for item in items)) if items else {}
    found = find_references(session, {**wanted, **products}, {**errors, **untaxed})
    lines = [_complete(item, found.get(field)) for field, item in zip(products, items, strict=True)]
    if lines and (wrong := wrong_sum(sums_of(lines))):
        raise ValidationFailed(wrong)
    return found, lines


def _complete(item: Row, product: Product | None) -> Row:
    """The line as it is stored. One that names no rate takes its product's."""
    rate = item["tax_rate"]
    if rate is None:
        rate = product.tax_rate if product else UNTAXED
    sums = line_sums(item["amount"], item["qty"], rate)
    known = {"product_id": product.id if product else None, "tax_rate": rate}
    return item | known | sums._asdict()


def fill_tax_rates(session: TenantSession, fields: Row) -> Row:
    """Return the fields of a change, with the product's rate in each line that names none."""
    items = fields.get("items") or []
    unknown = {item["product_id"] for item in items if item["tax_rate"] is None and item["product_id"] is not None}
    rates = _rates_of(session, unknown) if unknown else {}
    filled = [
        item | {"tax_rate": rates.get(item["product_id"], UNTAXED)} if item["tax_rate"] is None else item
        for item in items
    ]
    return fields | {"items": filled} if items else fields


def _rates_of(session: TenantSession, references: set[int | str]) -> dict[int | str, Decimal]:
    """The rates of products, by what they were named."""
    ids = [each for each in references if isinstance(each, int)]
    chosen = or_(Product.id.in_(ids), Product.public_id.in_([each for each in references if isinstance(each, str)]))
    rows = session.execute(select(Product.id, Product.public_id, Product.tax_rate).where(chosen)).all()
    return {name: rate for id_, public_id, rate in rows for name in (id_, public_id)}


def wrong_sum(sums: Sums) -> dict[str, str]:
    """What is wrong with the sum of the lines, if anything."""
    if not sums.amount:
        return {"items": "The items must come to 0.01 at least"}
    return {"items": "The items come to more than an invoice can hold"} if sums.amount.adjusted() >= LARGEST else {}


def show_item(line: Row) -> Row:
    """Return a stored line as the API shows it."""
    return line | {"total": line["subtotal"] + line["tax"]}
