"""Generated requests made to fit a sandbox: what they name is there, which no schema can say."""

from __future__ import annotations

from typing import Any

from schemathesis import Case
from schemathesis.core.parameters import ParameterLocation as Place

from portal.core.ids import PUBLIC_ID
from tests.contract.door import CHAT, TENANTS, Door

UNIQUE = {
    "email": "visitor{}@buyers.example",
    "sku": "SKU-{}",
    "gst_no": "27ABCDE{:04}F1Z5",
    "plate": "MH {}",
    "employee_code": "EMP-{}",
}
SMALLEST, LARGEST = 1e-40, 1e40  # What the API reads of a number is a rule of its parser, not of any schema.
CONDITIONS = {"if-match", "if-none-match"}


class Fitter:
    """Fits three of four requests, where they are meant to be right. The fourth shows what is unknown.

    A value that no two records may share is changed where it comes a second time, lest all that follows is a
    duplicate; nor may a number have more digits than any body may hold.
    """

    def __init__(self, door: Door) -> None:
        self.door, self.number, self.used = door, 0, set[str]()

    def fit(self, case: Case) -> None:
        self.number += 1
        if case.path.startswith(f"{CHAT}/"):
            self.door.open_chat()
        if case.meta is None:
            return
        is_real = self.number % 4 != 0
        if is_real and case.path_parameters and not case.meta.is_negative_at(Place.PATH):
            case.path_parameters = self._path(case)
        if is_real and case.headers and not case.meta.is_negative_at(Place.HEADER):
            for name in [name for name in case.headers if name.lower() in CONDITIONS]:
                del case.headers[name]
        if isinstance(case.query, dict) and case.query and not case.meta.is_negative_at(Place.QUERY):
            case.query = self._query(dict(case.query), is_real=is_real)
        if isinstance(case.body, dict | list) and not case.meta.is_negative_at(Place.BODY):
            case.body = self._value(case.body, "", is_real=is_real)

    def _path(self, case: Case) -> dict[str, Any]:
        known = {"conversation": self.door.conversation, "id": str(1 + self.number % 37)}
        if case.path.startswith(TENANTS):
            known["id"] = self.door.tenant.public_id
        return {name: known.get(name, value) for name, value in case.path_parameters.items()}

    def _query(self, query: dict[str, Any], *, is_real: bool) -> dict[str, Any]:
        if is_real:
            query |= {name: "" for name in query if name == "cursor"}
            query |= {name: str(1 + self.number % 5) for name in query if name.endswith("_id")}
        return {name: value for name, value in query.items() if name != "page" or "cursor" not in query}

    def _value(self, value: Any, name: str, *, is_real: bool) -> Any:
        if isinstance(value, dict):
            return {key: self._value(item, key, is_real=is_real) for key, item in value.items()}
        if isinstance(value, list):
            return [self._value(item, name, is_real=is_real) for item in value]
        if is_real and name.endswith("_id") and (isinstance(value, int) or PUBLIC_ID.match(str(value))):
            return 1 + self.number % 5
        if name in UNIQUE and isinstance(value, str):
            return self._unused(name, value)
        if isinstance(value, int | float) and value and not SMALLEST < abs(value) < LARGEST:
            return 0
        return value

    def _unused(self, name: str, value: str) -> str:
        if value not in self.used:
            self.used.add(value)
            return value
        return UNIQUE[name].format(self.number % 10_000)
