"""Reference data: accounts, categories, departments. Read by integrations, kept by the ERP's administrators."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from portal.api.lists import equals
from portal.api.resource import Resource
from portal.api.schema import ApiModel, Identity, ShortName, Stamps
from portal.core.database import Base
from portal.core.ownership import TenantRecord

AccountType = Literal["Bank", "Cash", "Card"]
CategoryType = Literal["Income", "Expense"]
SORTS = ("id", "name", "created_at", "updated_at")


class Account(TenantRecord, Base):
    """Where money is kept."""

    __tablename__ = "accounts"
    public_prefix = "acc"

    name: Mapped[str] = mapped_column(String(80))
    type: Mapped[str] = mapped_column(String(10))


class Category(TenantRecord, Base):
    """What money was earned by or spent on."""

    __tablename__ = "categories"
    public_prefix = "cat"

    name: Mapped[str] = mapped_column(String(80))
    type: Mapped[str] = mapped_column(String(10))


class Department(TenantRecord, Base):
    """Who answers a ticket."""

    __tablename__ = "departments"
    public_prefix = "dep"

    name: Mapped[str] = mapped_column(String(80))


class Named(ApiModel):
    """A name of its own."""

    name: ShortName


class DepartmentView(Stamps, Named, Identity):
    """A department as the API shows it."""


class AccountBody(Named):
    """An account's own fields."""

    type: AccountType


class AccountView(Stamps, AccountBody, Identity):
    """An account as the API shows it."""


class CategoryBody(Named):
    """A category's own fields."""

    type: CategoryType


class CategoryView(Stamps, CategoryBody, Identity):
    """A category as the API shows it."""


accounts = Resource(
    name="accounts",
    singular="account",
    module="accounting",
    description="Where money is kept: bank, cash and card accounts.",
    model=Account,
    shows=AccountView,
    verbs=("list", "read"),
    filters={"type": equals(Account.type, AccountType)},
    sorts=SORTS,
)
categories = Resource(
    name="categories",
    singular="category",
    module="accounting",
    description="What money was earned by or spent on.",
    model=Category,
    shows=CategoryView,
    verbs=("list", "read"),
    filters={"type": equals(Category.type, CategoryType)},
    sorts=SORTS,
)
departments = Resource(
    name="departments",
    singular="department",
    module="support",
    description="Who answers a ticket.",
    model=Department,
    shows=DepartmentView,
    verbs=("list", "read"),
    sorts=SORTS,
)
