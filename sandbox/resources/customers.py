"""Customers: whom the company sells to."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index, String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.api.records import find_holder, unique_among
from portal.api.resource import Resource, set_fields
from portal.api.schema import ApiModel, Code, Country, Email, Identity, Line, Name, Phone, ShortName, Stamps
from portal.core.database import Base
from portal.core.errors import Conflict, Duplicate
from portal.core.ownership import TenantRecord
from portal.core.session import TenantSession


class Customer(TenantRecord, Base):
    """A person or company that buys. `email` is unique within a tenant, whatever its case."""

    __tablename__ = "customers"
    public_prefix = "cus"

    account: Mapped[str] = mapped_column(String(120))
    email: Mapped[str | None] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(String(32))
    address: Mapped[str | None] = mapped_column(String(200))
    city: Mapped[str | None] = mapped_column(String(80))
    state: Mapped[str | None] = mapped_column(String(80))
    zip: Mapped[str | None] = mapped_column(String(40))
    country: Mapped[str | None] = mapped_column(String(2))


Index("uq_customers_email", Customer.tenant_id, func.lower(Customer.email), unique=True)
_BY_EMAIL = unique_among(Customer.email, ignoring_case=True)


class CustomerBody(ApiModel):
    """What a caller may say of a customer."""

    account: Name
    email: Email | None = None
    phone: Phone | None = None
    address: Line | None = None
    city: ShortName | None = None
    state: ShortName | None = None
    zip: Code | None = None
    country: Country | None = None


class CustomerView(Stamps, CustomerBody, Identity):
    """A customer as the API shows it."""


def refuse_taken_email(session: TenantSession, email: str | None, but: Customer | None = None) -> None:
    """Raises Duplicate when another customer of the tenant has this address."""
    holder = find_holder(session, _BY_EMAIL, email)
    if holder is not None and (but is None or holder != but.id):
        raise Duplicate({"email": "Another customer has this email"}, existing_id=holder)


def create_customer(session: TenantSession, data: CustomerBody) -> Customer:
    """Add a customer. Raises Duplicate."""
    refuse_taken_email(session, data.email)
    customer = Customer(**data.model_dump())
    session.add(customer)
    return customer


def change_customer(session: TenantSession, customer: Customer, fields: dict[str, Any]) -> None:
    """Change the named fields. Raises Duplicate."""
    refuse_taken_email(session, fields.get("email"), but=customer)
    set_fields(customer, fields)


def remove_customer(session: TenantSession, customer: Customer) -> None:
    """Delete a customer to whom nothing refers. Raises Conflict naming what does."""
    from sandbox.resources.invoices import Invoice

    invoices = session.scalar(select(func.count()).select_from(Invoice).where(Invoice.customer_id == customer.id))
    if invoices:
        raise Conflict(f"{invoices} {'invoice refers' if invoices == 1 else 'invoices refer'} to this customer.")
    session.delete(customer)


customers = Resource(
    name="customers",
    singular="customer",
    module="crm",
    description="Whom the company sells to. An email belongs to one customer at most.",
    model=Customer,
    shows=CustomerView,
    accepts=CustomerBody,
    sorts=("id", "account", "email", "city", "created_at", "updated_at"),
    searches=(Customer.account, Customer.email, Customer.phone, Customer.city),
    create=create_customer,
    change=change_customer,
    remove=remove_customer,
    codes={"create": ("duplicate",), "replace": ("duplicate",), "update": ("duplicate",), "delete": ("conflict",)},
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
)
