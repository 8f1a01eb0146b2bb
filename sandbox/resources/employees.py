"""Employees: who works for the company."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.api.lists import equals, refers_to
from portal.api.records import Unique, find_reference
from portal.api.resource import Resource, set_fields
from portal.api.schema import ApiModel, Code, Date, Email, Instant, Name, Phone, Reference, ShortName, rule, text_type
from portal.core.database import Base
from portal.core.derived import comparison_key, derived_column
from portal.core.ownership import TenantRecord
from portal.core.phones import e164_of
from portal.core.session import TenantSession
from sandbox.resources.reference import Department

Status = Literal["Active", "Left"]


EmployeeCode = text_type(40, **rule("the code of an employee of yours"))


class Employee(TenantRecord, Base):
    """A person on the payroll. `employee_code` is unique within a tenant; clocks and devices know people by it."""

    __tablename__ = "employees"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "department_id"], ["departments.tenant_id", "departments.id"]),
        Index("uq_employees_employee_code", "tenant_id", "employee_code", unique=True),
        Index(None, "tenant_id", "department_id"),
    )
    public_prefix = "emp"

    employee_code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = comparison_key("email")
    phone: Mapped[str | None] = mapped_column(String(32))
    phone_e164: Mapped[str | None] = derived_column(String(16), ("phone",), e164_of)
    department_id: Mapped[int | None] = mapped_column(BigInteger)
    designation: Mapped[str | None] = mapped_column(String(80))
    joined_on: Mapped[dt.date | None]
    status: Mapped[str] = mapped_column(String(10))


class EmployeeBody(ApiModel):
    """What a caller may say of an employee."""

    read_only = ApiModel.read_only | {"phone_e164"}

    employee_code: Code
    name: Name
    email: Email | None = None
    phone: Phone | None = None
    department_id: Reference | None = None
    designation: ShortName | None = None
    joined_on: Date | None = None
    status: Status = "Active"


class EmployeeView(ApiModel):
    """An employee as the API shows it."""

    id: int
    public_id: str
    employee_code: str
    name: str
    email: Email | None
    phone: Phone | None
    phone_e164: str | None = Field(None, description="The telephone number in E.164 form, if its country is known")
    department_id: int | None
    designation: str | None
    joined_on: Date | None
    status: Status
    created_at: Instant
    updated_at: Instant
    version: int


def hire(session: TenantSession, data: EmployeeBody) -> Employee:
    """Add an employee. Raises ValidationFailed."""
    employee = Employee(**_resolved(session, data.model_dump()))
    session.add(employee)
    return employee


def change_employee(session: TenantSession, employee: Employee, fields: dict[str, Any]) -> None:
    """Change what `fields` names. Raises ValidationFailed."""
    set_fields(employee, _resolved(session, fields))


def _resolved(session: TenantSession, fields: dict[str, Any]) -> dict[str, Any]:
    if fields.get("department_id") is None:
        return fields
    return fields | {"department_id": _find_department(session, fields["department_id"]).id}


def _find_department(session: TenantSession, reference: Any) -> Department:
    return find_reference(session, Department, reference, "department_id")


employees = Resource(
    name="employees",
    singular="employee",
    module="hr",
    path="/api/v2/hr/employees",
    description="Who works for the company. Attendance knows an employee by employee_code, which one employee "
    "holds at most. One who has left keeps the record, with the status Left.",
    model=Employee,
    shows=EmployeeView,
    accepts=EmployeeBody,
    filters={
        "employee_code": equals(Employee.employee_code, Code),
        "status": equals(Employee.status, Status),
        "department_id": refers_to(Employee.department_id, _find_department, "The department's id or public id"),
    },
    sorts=("id", "employee_code", "name", "created_at", "updated_at"),
    searches=(Employee.name, Employee.employee_code, Employee.email, Employee.designation),
    unique=(Unique(Employee.employee_code, "Another employee has this code"),),
    create=hire,
    change=change_employee,
    sample={
        "employee_code": "EMP-2001",
        "name": "Jane Smith",
        "email": "jane.smith@staff.example",
        "department_id": 5,
        "designation": "Storekeeper",
        "joined_on": "2026-07-01",
        "status": "Active",
        "phone": "9876543210",
    },
    removed_id=7,
    replacement={
        "employee_code": "EMP-1001",
        "name": "Adrian Mandal",
        "email": "adrian.mandal@staff.example",
        "department_id": 7,
        "designation": "Chairman",
        "joined_on": "2024-01-03",
        "status": "Active",
        "phone": "+91 22 0055 0224",
    },
)
