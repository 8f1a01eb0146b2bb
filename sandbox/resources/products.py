"""Products: what the company sells, goods and services."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.api.lists import equals
from portal.api.records import Unique
from portal.api.resource import Resource
from portal.api.schema import ApiModel, Code, Identity, Name, Paragraph, Percentage, Price, Stamps
from portal.core import types
from portal.core.database import Base
from portal.core.ownership import TenantRecord

Kind = Literal["product", "service"]


class Product(TenantRecord, Base):
    """A good or a service. `sku` is unique within a tenant."""

    __tablename__ = "products"
    public_prefix = "prd"

    name: Mapped[str] = mapped_column(String(120))
    price: Mapped[Decimal] = mapped_column(types.Money)
    description: Mapped[str | None] = mapped_column(String(5000))
    type: Mapped[str] = mapped_column(String(10))
    tax_rate: Mapped[Decimal] = mapped_column(types.Rate)
    sku: Mapped[str | None] = mapped_column(String(40))
    tracks_stock: Mapped[bool]


Index("uq_products_sku", Product.tenant_id, Product.sku, unique=True)


class ProductBody(ApiModel):
    """What a caller may say of a product."""

    name: Name
    price: Price
    description: Paragraph | None = None
    type: Kind = "product"
    tax_rate: Percentage = Decimal("0.00")
    sku: Code | None = None
    tracks_stock: bool = False


class ProductView(Stamps, ProductBody, Identity):
    """A product as the API shows it."""


products = Resource(
    name="products",
    singular="product",
    module="catalog",
    description="What the company sells: goods, which may be counted in stock, and services.",
    model=Product,
    shows=ProductView,
    accepts=ProductBody,
    filters={"type": equals(Product.type, Kind)},
    sorts=("id", "name", "price", "sku", "created_at", "updated_at"),
    searches=(Product.name, Product.sku, Product.description),
    unique=(Unique(Product.sku, "Another product has this SKU"),),
    announces={
        "product.created": "A product was created",
        "product.updated": "A product was changed",
        "product.deleted": "A product was deleted",
    },
    sample={
        "name": "Label printer",
        "price": Decimal("249.00"),
        "description": "Prints shipping labels up to 108 mm wide",
        "type": "product",
        "tax_rate": Decimal("18.00"),
        "sku": "PRN-LBL-01",
        "tracks_stock": True,
    },
)
