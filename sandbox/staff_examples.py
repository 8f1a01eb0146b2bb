"""What a fresh sandbox answers about employees, attendance, vehicles and masters."""

from __future__ import annotations

from typing import Any

from portal.api.operation import Answer, Page

Record = dict[str, Any]


def _stamps(instant: str, updated_at: str = "", version: int = 1) -> Record:
    return {"created_at": instant, "updated_at": updated_at or instant, "version": version}


EMPLOYEE: Record = {
    "id": 1,
    "public_id": "emp_4e8bc0ba69fcf35362fb1986",
    "employee_code": "EMP-1001",
    "name": "Adrian Mandal",
    "email": "adrian.mandal@staff.example",
    "phone": "+91 22 0055 0224",
    "department_id": 7,
    "designation": "Managing director",
    "joined_on": "2024-01-03",
    "status": "Active",
    **_stamps("2024-01-03T09:07:00Z"),
}
PUNCH: Record = {
    "id": 1,
    "public_id": "att_ac8f23638f02e970bd54c9ac",
    "employee_code": "EMP-1005",
    "at": "2026-05-04T07:45:02Z",
    "direction": "in",
    "device": "Front door",
    **_stamps("2026-05-04T07:45:02Z"),
}
VEHICLE: Record = {
    "id": 1,
    "public_id": "veh_ae3398df4407e2b6ae5059f4",
    "plate": "MH 00 AB 4101",
    "model": "Panel van, 3.5 t",
    "year": 2022,
    "status": "Available",
    "odometer": 61480,
    **_stamps("2024-01-08T09:36:50Z", "2026-06-26T11:47:15Z", 6),
}
MASTER: Record = {
    "id": 1,
    "public_id": "mst_c6c792ff0f2385941230320a",
    "name": "cities",
    "title": "Cities",
    **_stamps("2024-01-02T09:00:00Z"),
}
CITY: Record = {
    "id": 1,
    "public_id": "mse_68a190616dd01a17c03a63b3",
    "code": "ahmedabad",
    "label": "Ahmedabad",
    "extra": {"state": "Gujarat", "country": "IN"},
    **_stamps("2024-01-02T09:00:00Z"),
}

SEEDED: dict[str, tuple[Record, int]] = {
    "employees": (EMPLOYEE, 18),
    "attendance": (PUNCH, 1187),
    "vehicles": (VEHICLE, 9),
    "masters": (MASTER, 5),
}

OTHERS: dict[str, Answer] = {
    "masters.entries": Page([CITY], limit=20, page=1, total=29),
    "masters.entry": CITY,
}
