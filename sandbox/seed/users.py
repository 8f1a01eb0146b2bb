"""The people who may sign in to the ERP: some of those who work for the company."""

from __future__ import annotations

from sandbox.seed.reference import stamped
from sandbox.seed.words import Row

ROLES = {
    "Managing director": "administrator",
    "Bookkeeper": "accountant",
    "Sales executive": "sales",
    "Support engineer": "support",
    "Storekeeper": "viewer",
    "Personnel officer": "manager",
    "Web developer": "administrator",
}
"""By designation."""
UNUSABLE = "!"
"""No password has this hash: nobody signs in with a seeded one."""


def user_rows(employees: list[Row]) -> list[Row]:
    """Users in the order in which they joined the company."""
    people = [row for row in employees if row["designation"] in ROLES]
    return [_user(id_, employee) for id_, employee in enumerate(people, 1)]


def _user(id_: int, employee: Row) -> Row:
    fields = {
        "id": id_,
        "name": employee["name"],
        "email": employee["email"],
        "role": ROLES[employee["designation"]],
        "password_hash": UNUSABLE,
    }
    return stamped(fields, employee["created_at"])
