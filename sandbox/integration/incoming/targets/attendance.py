"""Punches of clocks and biometric devices, which know people by their employee code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from portal.core.session import TenantSession
from sandbox.integration.incoming.targets.target import target_of
from sandbox.resources.attendance import Punch, PunchBody
from sandbox.resources.attendance import attendance as punches
from sandbox.resources.employees import Employee


def _find(session: TenantSession, body: PunchBody, names: Sequence[str]) -> Any:
    """The employee's punch at the same instant."""
    found = select(Punch).where(
        Employee.employee_code == body.employee_code, Punch.employee_id == Employee.id, Punch.at == body.at
    )
    return session.scalar(found)


attendance = target_of(
    punches,
    {
        "name": "attendance",
        "title": "Attendance",
        "description": "A punch of an employee, named by the employee's code. One at an instant.",
        "record_ids": ("public_id", "employee_code"),
        "known_by": ("employee_code", "at"),
        "find": _find,
    },
)
