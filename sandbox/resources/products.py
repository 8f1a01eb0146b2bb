"""Products: what the company sells, goods and services."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.api.lists import equals
from portal.api.records import Unique, refuse_referred
from portal.api.resource import Resource, set_fields
from portal.api.schema import ApiModel, Code, Identity, Name, Paragraph, Percentage, Price, Stamps, rule
from portal.core import types
from portal.core.database import Base
from portal.core.errors import ValidationFailed
from portal.core.ownership import TenantRecord
from portal.core.session import TenantSession
from sandbox.resources.levels import close_level, open_level

Kind = Literal["product", "service"]


class Product(TenantRecord, Base):
    """A good or a service. `sku` is unique within a tenant. One that `tracks_stock` has a stock level."""

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
    tracks_stock: bool = Field(
        False,
        description="It cannot be turned off while there is stock",
        json_schema_extra=rule("goods only: a service cannot be kept in stock"),
    )


class ProductView(Stamps, ProductBody, Identity):
    """A product as the API shows it."""


def add_product(session: TenantSession, data: ProductBody) -> Product:
    """Add a product to the catalogue; one that tracks stock begins with none. Raises ValidationFailed."""
    _refuse_counted_service(data.type, data.tracks_stock)
    product = Product(**data.model_dump())
    session.add(product)
    session.flush()
    if product.tracks_stock:
        open_level(session, product.id)
    return product


def change_product(session: TenantSession, product: Product, fields: dict[str, Any]) -> None:
    """Change what `fields` names. Raises ValidationFailed, and Conflict where stock would go uncounted."""
    tracks_stock = fields.get("tracks_stock", product.tracks_stock)
    _refuse_counted_service(fields.get("type", product.type), tracks_stock)
    if tracks_stock and not product.tracks_stock:
        open_level(session, product.id)
    if product.tracks_stock and not tracks_stock:
        close_level(session, product.id)
    set_fields(product, fields)


def remove_product(session: TenantSession, product: Product) -> None:
    """Let a product's stock level go with it. Raises Conflict while records refer to the product."""
    refuse_referred(session, product)
    close_level(session, product.id)


def _refuse_counted_service(type_: str, tracks_stock: bool) -> None:
    if type_ == "service" and tracks_stock:
        raise ValidationFailed({"tracks_stock": "A service cannot be kept in stock"})


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
    create=add_product,
    change=change_product,
    remove=remove_product,
    codes={"replace": ("conflict",), "update": ("conflict",)},
    announces={
        "product.created": "A product was created",
        "product.updated": "A product was changed",
        "product.deleted": "A product was deleted",
    },
    sample={
        "name": "Label printer",
        "type": "product",
        "sku": "PRN-LBL-01",
        "tracks_stock": True,
        "description": "Prints shipping labels up to 108 mm wide",
        "tax_rate": Decimal("18.00"),
        "price": Decimal("249.00"),
    },
    removed_id=41,
    replacement={
        "name": "Web Development",
        "type": "service",
        "sku": "SVC-WEB",
        "description": "Design and build of a web site",
        "tax_rate": Decimal("18.00"),
        "price": Decimal("1600.00"),
    },
)
