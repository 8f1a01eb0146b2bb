"""Attendance: who came and went, punch by punch."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.api.lists import Filter, from_day_of, to_day_of
from portal.api.resource import Resource, set_fields
from portal.api.schema import ApiModel, Date, Identity, Moment, ShortName, Stamps
from portal.core.database import Base
from portal.core.errors import Duplicate, ValidationFailed
from portal.core.ownership import TenantRecord
from portal.core.session import TenantSession
from portal.core.types import UtcDateTime
from sandbox.resources.employees import Employee, EmployeeCode

Direction = Literal["in", "out"]


class Punch(TenantRecord, Base):
    """One employee at one instant, coming or going. A device that sends it twice records it once."""

    __tablename__ = "attendance"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "employee_id"], ["employees.tenant_id", "employees.id"]),
        Index("uq_attendance_employee_id_at", "tenant_id", "employee_id", "at", unique=True),
        Index(None, "tenant_id", "at"),
    )
    public_prefix = "att"

    employee_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    direction: Mapped[str | None] = mapped_column(String(3))
    device: Mapped[str | None] = mapped_column(String(80))


class PunchBody(ApiModel):
    """What a caller may say of a punch."""

    employee_code: EmployeeCode
    at: Moment
    direction: Direction | None = None
    device: ShortName | None = None


class PunchView(Stamps, PunchBody, Identity):
    """A punch as the API shows it; `at` is in UTC."""


def record_punch(session: TenantSession, data: PunchBody) -> Punch:
    """Record that an employee came or went. Raises ValidationFailed for an unknown code, Duplicate for a repeat."""
    punch = Punch(**_resolved(session, data.model_dump()))
    _refuse_repeat(session, punch.employee_id, punch.at)
    session.add(punch)
    session.flush()
    return punch


def change_punch(session: TenantSession, punch: Punch, fields: dict[str, Any]) -> None:
    """Change what `fields` names. Raises as `record_punch` does."""
    values = _resolved(session, fields)
    _refuse_repeat(session, values.get("employee_id", punch.employee_id), values.get("at", punch.at), but=punch)
    set_fields(punch, values)


def add_codes(session: TenantSession, rows: list[dict[str, Any]]) -> None:
    """Put each employee's code on the punches of a page, with one query."""
    wanted = select(Punch.id, Employee.employee_code).where(
        Punch.id.in_([row["id"] for row in rows]), Employee.id == Punch.employee_id
    )
    codes = {punch.id: punch.employee_code for punch in session.execute(wanted)}
    for row in rows:
        row["employee_code"] = codes[row["id"]]


def _resolved(session: TenantSession, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields with the employee in place of the code."""
    if "employee_code" not in fields:
        return fields
    rest = {name: value for name, value in fields.items() if name != "employee_code"}
    return rest | {"employee_id": _find_employee_id(session, fields["employee_code"])}


def _find_employee_id(session: TenantSession, code: str) -> int:
    id_ = session.scalar(select(Employee.id).where(Employee.employee_code == code))
    if id_ is None:
        raise ValidationFailed({"employee_code": "No such employee"})
    return id_


def _refuse_repeat(session: TenantSession, employee_id: int, at: dt.datetime, but: Punch | None = None) -> None:
    wanted = select(Punch.id).where(Punch.employee_id == employee_id, Punch.at == at)
    existing_id = session.scalar(wanted)
    if existing_id is not None and (but is None or existing_id != but.id):
        raise Duplicate({"at": "This employee's punch at this instant is recorded already"}, existing_id=existing_id)


attendance = Resource(
    name="attendance",
    singular="punch",
    module="hr",
    path="/api/v2/hr/attendance",
    description="Who came and went, punch by punch. A time may carry any offset and a fraction of a second of any "
    "length; it is kept to the microsecond and shown in UTC. An employee has one punch at an instant: when a device "
    "sends it again, the answer is duplicate with the id of the first.",
    model=Punch,
    shows=PunchView,
    accepts=PunchBody,
    filters={
        "employee_code": Filter(
            EmployeeCode, Punch.employee_id, resolve=_find_employee_id, description="The employee's code"
        ),
        "date_from": from_day_of(Punch.at, Date),
        "date_to": to_day_of(Punch.at, Date),
    },
    sorts=("id", "at", "created_at", "updated_at"),
    computed=("employee_code",),
    create=record_punch,
    change=change_punch,
    enrich=add_codes,
    codes=dict.fromkeys(("create", "replace", "update"), ("duplicate",)),
    sample={
        "employee_code": "EMP-1002",
        "at": "2026-07-01T09:02:11Z",
        "direction": "in",
        "device": "Side door",
    },
    replacement={
        "employee_code": "EMP-1005",
        "at": "2026-05-04T07:44:30Z",
        "direction": "in",
        "device": "Front door",
    },
)
