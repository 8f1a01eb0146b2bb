"""Users: the people who sign in to the ERP."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic import WithJsonSchema as JsonSchema
from sqlalchemy import Index, String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.accounts.service import hash_password
from portal.api.lists import equals
from portal.api.records import Unique
from portal.api.resource import Resource, set_fields
from portal.api.schema import ApiModel, Email, Identity, Name, Stamps, refuse
from portal.core.counters import take_number
from portal.core.database import Base
from portal.core.derived import comparison_key
from portal.core.errors import LastAdministrator
from portal.core.ownership import TenantRecord
from portal.core.session import TenantSession

SHORTEST, LONGEST = 12, 128
Role = Literal["administrator", "manager", "accountant", "sales", "support", "viewer"]


def _check_password(value: str) -> str:
    if not SHORTEST <= len(value) <= LONGEST:
        raise refuse(f"{{label}} must have {SHORTEST} to {LONGEST} characters")
    return value


Password = Annotated[
    str,
    AfterValidator(_check_password),
    JsonSchema(
        {"type": "string", "format": "password", "minLength": SHORTEST, "maxLength": LONGEST, "writeOnly": True}
    ),
]


class User(TenantRecord, Base):
    """Somebody who signs in. `email` is unique within a tenant, whatever its case; of the password a hash is kept."""

    __tablename__ = "users"
    __table_args__ = (Index(None, "tenant_id", "role"),)
    public_prefix = "usr"

    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str | None] = comparison_key("email")
    role: Mapped[str] = mapped_column(String(20))
    password_hash: Mapped[str] = mapped_column(String(200))


Index("uq_users_email", User.tenant_id, User.email_key, unique=True)


class UserFacts(ApiModel):
    """A user's own fields, but for the password."""

    name: Name
    email: Email
    role: Role = "viewer"


class UserBody(UserFacts):
    """What a caller may say of a user."""

    password: Password = Field(description="Never shown again, by anything")


class UserView(Stamps, UserFacts, Identity):
    """A user as the API shows it."""


def add_user(session: TenantSession, data: UserBody) -> User:
    """Let somebody sign in."""
    user = User(**_stored(data.model_dump()))
    session.add(user)
    return user


def change_user(session: TenantSession, user: User, fields: dict[str, Any]) -> None:
    """Change a user. Raises LastAdministrator where none would be left."""
    if fields.get("role", user.role) != "administrator":
        keep_an_administrator(session, user)
    set_fields(user, _stored(fields))


def keep_an_administrator(session: TenantSession, user: User) -> None:
    """Raises LastAdministrator where the company would have none without this user.

    Whoever asks waits for whoever asked before, so that of the last two only one can go.
    """
    if user.role != "administrator":
        return
    take_number(session, "users:administrators", 0)
    others = select(func.count()).select_from(User).where(User.role == "administrator", User.id != user.id)
    if not session.scalar(others):
        raise LastAdministrator


def _stored(fields: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in fields.items() if name != "password"}
    return kept | {"password_hash": hash_password(fields["password"])} if "password" in fields else kept


users = Resource(
    name="users",
    singular="user",
    module="administration",
    description=(
        "The people who sign in to the ERP. An email belongs to one user at most, and one administrator at least "
        "stays. A password is never shown. A user who is replaced or changed without one keeps the password."
    ),
    model=User,
    shows=UserView,
    accepts=UserBody,
    filters={"role": equals(User.role, Role)},
    sorts=("id", "name", "email", "role", "created_at", "updated_at"),
    searches=(User.name, User.email),
    unique=(Unique(User.email, "Another user has this email"),),
    create=add_user,
    change=change_user,
    remove=keep_an_administrator,
    codes=dict.fromkeys(("replace", "update", "delete"), ("last_administrator",)),
    sample={
        "name": "Jane Smith",
        "email": "jane@example.com",
        "password": "correct horse battery",
        "role": "sales",
    },
    replacement={
        "name": "Adrian Mandal",
        "email": "adrian.mandal@staff.example",
        "password": "another horse battery",
        "role": "administrator",
    },
)
