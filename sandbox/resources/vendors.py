"""Vendors: whom the company buys from."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic import WithJsonSchema as JsonSchema
from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.api.lists import equals
from portal.api.records import Unique
from portal.api.resource import Resource
from portal.api.schema import (
    ApiModel,
    Email,
    Identity,
    Name,
    Phone,
    ShortName,
    Stamps,
    TelephoneView,
    refuse,
    typed_line,
)
from portal.core.counters import take_number
from portal.core.database import Base
from portal.core.derived import comparison_key, derived_column, order_key
from portal.core.ownership import TenantRecord
from portal.core.phones import e164_of
from portal.core.session import TenantSession
from sandbox.resources.series import document_order

CODES = "vendors:code"
"""The series of vendor codes; the first is VEND-1001."""
_GSTIN = re.compile(r"^[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]Z[0-9A-Z]$")


def _e164(phone: str | None) -> str | None:
    """The E.164 form of a vendor's telephone number: who has a GST number is in India."""
    return e164_of(phone, "IN")


class Vendor(TenantRecord, Base):
    """A supplier. `gst_no` and `vendor_code` are unique within a tenant."""

    __tablename__ = "vendors"
    __table_args__ = (
        Index("uq_vendors_vendor_code", "tenant_id", "vendor_code", unique=True),
        Index(None, "tenant_id", "vendor_code_order", "id"),
        Index("uq_vendors_gst_no", "tenant_id", "gst_no", unique=True),
        Index(None, "tenant_id", "city"),
    )
    public_prefix = "ven"

    vendor_code: Mapped[str] = mapped_column(String(20))
    vendor_code_order: Mapped[int | None] = order_key("vendor_code", document_order)
    name: Mapped[str] = mapped_column(String(120))
    gst_no: Mapped[str] = mapped_column(String(15))
    contact_person: Mapped[str | None] = mapped_column(String(120))
    phone: Mapped[str | None] = mapped_column(String(32))
    phone_e164: Mapped[str | None] = derived_column(String(16), ("phone",), _e164)
    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = comparison_key("email")
    city: Mapped[str | None] = mapped_column(String(80))


def _parse_gst_no(value: str) -> str:
    if not _GSTIN.fullmatch(value):
        raise refuse("GST number must have 15 characters as in 27ABCDE1234F1Z5, letters in capitals")
    return value


GstNumber = Annotated[
    str,
    BeforeValidator(typed_line),
    AfterValidator(_parse_gst_no),
    JsonSchema({"type": "string", "pattern": _GSTIN.pattern, "examples": ["27ABCDE1234F1Z5"]}),
]


class VendorBody(ApiModel):
    """What a caller may say of a vendor."""

    read_only = ApiModel.read_only | {"vendor_code", "phone_e164"}

    name: Name
    gst_no: GstNumber = Field(description="The GSTIN: state, PAN, entity, Z, check character")
    contact_person: Name | None = None
    phone: Phone | None = None
    email: Email | None = None
    city: ShortName | None = None


class VendorCode(ApiModel):
    """What people call a vendor by."""

    vendor_code: str = Field(description="Such as VEND-1023")


class VendorView(Stamps, TelephoneView, VendorBody, VendorCode, Identity):
    """A vendor as the API shows it."""


def create_vendor(session: TenantSession, data: VendorBody) -> Vendor:
    """Add a vendor under the next code. `create_record(vendors, …)` also minds the GST number and announces it."""
    vendor = Vendor(vendor_code=f"VEND-{1000 + take_number(session, CODES)}", **data.model_dump())
    session.add(vendor)
    return vendor


vendors = Resource(
    name="vendors",
    singular="vendor",
    module="procurement",
    path="/api/v2/procurement/vendors",
    description="Whom the company buys from. Each has a code such as `VEND-1023`, given once and never again, "
    "and a GST number that no other vendor has.",
    model=Vendor,
    shows=VendorView,
    accepts=VendorBody,
    filters={"city": equals(Vendor.city, ShortName)},
    sorts=("id", "name", "vendor_code", "city", "created_at", "updated_at"),
    searches=(Vendor.name, Vendor.vendor_code, Vendor.gst_no, Vendor.contact_person, Vendor.email, Vendor.city),
    unique=(Unique(Vendor.gst_no, "Another vendor has this GST number"),),
    create=create_vendor,
    announces={"vendor.created": "A vendor was created"},
    sample={
        "name": "Coastline Paper Traders",
        "gst_no": "27CPTXC4417J1Z2",
        "contact_person": "Meera Joshi",
        "phone": "+91 22 0055 0143",
        "email": "orders@coastline-paper.example",
        "city": "Mumbai",
    },
    removed_id=8,
    replacement={
        "name": "Coromandel Paper Mart",
        "gst_no": "33XHEXC0964X1ZG",
        "contact_person": "Leela Subramani",
        "phone": "+91 44 0055 0199",
        "email": "orders@coromandel-paper-mart.example",
        "city": "Chennai",
    },
)
