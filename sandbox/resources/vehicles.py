"""Vehicles: what the company drives."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.api.lists import equals
from portal.api.records import Unique
from portal.api.resource import Resource, set_fields
from portal.api.schema import ApiModel, Code, Identity, Name, Stamps, rule
from portal.core.database import Base
from portal.core.derived import comparison_key
from portal.core.errors import ValidationFailed
from portal.core.ownership import TenantRecord
from portal.core.session import TenantSession

Status = Literal["Available", "In use", "In service", "Retired"]
Odometer = Annotated[
    int,
    Field(
        ge=0, le=9_999_999, description="Kilometres driven", json_schema_extra=rule("never below what it showed before")
    ),
]
Year = Annotated[int, Field(ge=1950, le=9999, description="Model year", json_schema_extra=rule("next year's at most"))]


class Vehicle(TenantRecord, Base):
    """A car, van or truck. `plate` is unique within a tenant, whatever its case."""

    __tablename__ = "vehicles"
    __table_args__ = (Index(None, "tenant_id", "status"),)
    public_prefix = "veh"

    plate: Mapped[str] = mapped_column(String(40))
    plate_key: Mapped[str | None] = comparison_key("plate")
    model: Mapped[str | None] = mapped_column(String(120))
    year: Mapped[int | None] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(12))
    odometer: Mapped[int] = mapped_column(Integer)


Index("uq_vehicles_plate", Vehicle.tenant_id, Vehicle.plate_key, unique=True)


class VehicleBody(ApiModel):
    """What a caller may say of a vehicle."""

    plate: Code
    model: Name | None = None
    year: Year | None = None
    status: Status = "Available"
    odometer: Odometer = 0


class VehicleView(Stamps, VehicleBody, Identity):
    """A vehicle as the API shows it."""


def register_vehicle(session: TenantSession, data: VehicleBody) -> Vehicle:
    """Add a vehicle to the fleet. Raises ValidationFailed."""
    _refuse_future(session, data.year)
    vehicle = Vehicle(**data.model_dump())
    session.add(vehicle)
    return vehicle


def change_vehicle(session: TenantSession, vehicle: Vehicle, fields: dict[str, Any]) -> None:
    """Change what `fields` names. Raises ValidationFailed, for an odometer turned back too."""
    _refuse_future(session, fields.get("year"))
    if fields.get("odometer", vehicle.odometer) < vehicle.odometer:
        raise ValidationFailed({"odometer": f"Odometer must not go below the {vehicle.odometer} it showed before"})
    set_fields(vehicle, fields)


def _refuse_future(session: TenantSession, year: int | None) -> None:
    latest = session.clock.today().year + 1
    if year is not None and year > latest:
        raise ValidationFailed({"year": f"Year must be at most {latest}"})


vehicles = Resource(
    name="vehicles",
    singular="vehicle",
    module="fleet",
    path="/api/v2/fleet/vehicles",
    description="What the company drives. A plate belongs to one vehicle at most, in capitals or not. "
    "The odometer counts kilometres and never goes down: a lower figure is refused, by PUT and PATCH alike.",
    model=Vehicle,
    shows=VehicleView,
    accepts=VehicleBody,
    filters={"status": equals(Vehicle.status, Status)},
    sorts=("id", "plate", "odometer", "created_at", "updated_at"),
    searches=(Vehicle.plate, Vehicle.model),
    unique=(Unique(Vehicle.plate, "Another vehicle has this plate"),),
    create=register_vehicle,
    change=change_vehicle,
    sample={
        "plate": "MH 00 GH 1600",
        "model": "Panel van, 3.5 t",
        "year": 2023,
        "status": "Available",
        "odometer": 96500,
    },
    replacement={
        "plate": "MH 00 AB 4101",
        "model": "Panel van, 3.5 t",
        "year": 2022,
        "status": "In service",
        "odometer": 61900,
    },
)
