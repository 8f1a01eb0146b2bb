"""Customers: whom the company sells to."""

from __future__ import annotations

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.api.lists import equals
from portal.api.records import Unique
from portal.api.resource import Resource
from portal.api.schema import (
    ApiModel,
    Code,
    Country,
    Email,
    Identity,
    Line,
    Name,
    Phone,
    ShortName,
    Stamps,
    TelephoneView,
)
from portal.core.database import Base
from portal.core.derived import comparison_key, derived_column
from portal.core.ownership import TenantRecord
from portal.core.phones import e164_of


class Customer(TenantRecord, Base):
    """A person or company that buys. `email` is unique within a tenant, whatever its case."""

    __tablename__ = "customers"
    public_prefix = "cus"

    account: Mapped[str] = mapped_column(String(120))
    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = comparison_key("email")
    phone: Mapped[str | None] = mapped_column(String(32))
    phone_e164: Mapped[str | None] = derived_column(String(16), ("phone", "country"), e164_of)
    address: Mapped[str | None] = mapped_column(String(200))
    city: Mapped[str | None] = mapped_column(String(80))
    state: Mapped[str | None] = mapped_column(String(80))
    zip: Mapped[str | None] = mapped_column(String(40))
    country: Mapped[str | None] = mapped_column(String(2))


Index("uq_customers_email", Customer.tenant_id, Customer.email_key, unique=True)


class CustomerBody(ApiModel):
    """What a caller may say of a customer."""

    read_only = ApiModel.read_only | {"phone_e164"}

    account: Name
    email: Email | None = None
    phone: Phone | None = None
    address: Line | None = None
    city: ShortName | None = None
    state: ShortName | None = None
    zip: Code | None = None
    country: Country | None = None


class CustomerView(Stamps, TelephoneView, CustomerBody, Identity):
    """A customer as the API shows it."""


customers = Resource(
    name="customers",
    singular="customer",
    module="crm",
    description="Whom the company sells to. An email belongs to one customer at most.",
    model=Customer,
    shows=CustomerView,
    accepts=CustomerBody,
    filters={"email": equals(Customer.email, Email, "The email address, whatever its case")},
    sorts=("id", "account", "email", "city", "created_at", "updated_at"),
    searches=(Customer.account, Customer.email, Customer.phone, Customer.city),
    unique=(Unique(Customer.email, "Another customer has this email"),),
    announces={
        "customer.created": "A customer was created",
        "customer.updated": "A customer was changed",
        "customer.deleted": "A customer was deleted",
    },
    sample={
        "account": "Jane Smith",
        "email": "jane@example.com",
        "phone": "9876543210",
        "address": "12 Harbour Road",
        "city": "Mumbai",
        "state": "Maharashtra",
        "zip": "400001",
        "country": "IN",
    },
    removed_id=13,
    replacement={
        "account": "John Doe",
        "email": "john@example.com",
        "phone": "1234567890",
        "address": "45 River Street",
        "city": "New York",
        "state": "NY",
        "zip": "10001",
        "country": "US",
    },
)
