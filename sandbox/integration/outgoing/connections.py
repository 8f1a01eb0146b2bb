"""Connections: partners' addresses, the credentials they issued, and how to read their answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic import WithJsonSchema as JsonSchema
from sqlalchemy import select

from portal.api.records import refuse_referred
from portal.api.resource import set_fields
from portal.api.schema import ApiModel, Identity, Instant, Line, Name, Stamps, rule, typed_line
from portal.core.errors import Conflict, ValidationFailed
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from sandbox.delivery.models import Endpoint
from sandbox.delivery.service import close_endpoint, find_endpoint, open_endpoint, remove_endpoint, reopen_endpoint
from sandbox.delivery.states import ABOUT_STATUS, COMPUTED, Status
from sandbox.integration.outgoing.headers import (
    ConnectionHeader,
    ConnectionHeaderView,
    Headers,
    check_all,
    kept_secrets,
    read_secrets,
    shown_headers,
)
from sandbox.integration.outgoing.models import Connection
from sandbox.integration.outgoing.paths import PATH_PATTERN
from sandbox.integration.outgoing.versions_sent import forget_claims

MOST_CONNECTIONS = 50
LONGEST_TIMEOUT = 15
Method = Literal["POST", "PUT", "PATCH"]
Url = Annotated[
    str,
    BeforeValidator(typed_line),
    StringConstraints(min_length=1, max_length=2000, strip_whitespace=True),
    JsonSchema(
        {"type": "string", "format": "uri", "minLength": 1, "maxLength": 2000, **rule("leads to a public address")}
    ),
]
JsonPath = Annotated[
    str,
    BeforeValidator(typed_line),
    StringConstraints(pattern=PATH_PATTERN, max_length=200),
    JsonSchema({"type": "string", "pattern": PATH_PATTERN, "maxLength": 200, "examples": ["data.id", "items[0].ref"]}),
]
Statuses = Annotated[list[Annotated[int, Field(ge=200, le=599)]], Field(max_length=20)]
_BOTH = rule("status_path and status_equals go together")


class ConnectionBody(ApiModel):
    """What a caller may say of a connection."""

    read_only = ApiModel.read_only | frozenset(COMPUTED)

    name: Name
    url: Url = Field(description="Where to send; checked when it is saved, and again on each connection")
    method: Method = "POST"
    headers: Headers = Field([], description="Header configuration: the credentials that the partner issued")
    success_statuses: Statuses = Field([], description="Answers that are a success; any 2xx when empty")
    reference_path: JsonPath | None = Field(None, description="Where the answer's JSON names the partner's reference")
    status_path: JsonPath | None = Field(
        None, description="Where the answer's JSON tells success from failure", json_schema_extra=_BOTH
    )
    status_equals: Line | None = Field(
        None, description="What stands there in case of success", json_schema_extra=_BOTH
    )
    active: bool = Field(True, description="Switched off, nothing is sent: messages are held")
    timeout: Annotated[int, Field(ge=1, le=LONGEST_TIMEOUT)] = Field(10, description="Seconds to wait for an answer")


class ConnectionFacts(ApiModel):
    """A connection, its secrets masked."""

    name: str
    url: str
    method: Method
    headers: list[ConnectionHeaderView]
    success_statuses: list[int]
    reference_path: str | None
    status_path: str | None
    status_equals: str | None
    active: bool
    timeout: int


class ConnectionState(ApiModel):
    """What becomes of a connection by itself."""

    status: Status = Field(description=ABOUT_STATUS)
    held: int = Field(description="Messages that wait until it is active again")
    closed_at: Instant | None = Field(description="Since when it gets nothing")
    failing_since: Instant | None = Field(description="The first failure after the last success")


class ConnectionView(Stamps, ConnectionState, ConnectionFacts, Identity):
    """A connection as the API shows it."""


def add_connection(session: TenantSession, data: ConnectionBody) -> Connection:
    """Add a connection whose address was checked. Raises ValidationFailed, Conflict beyond MOST_CONNECTIONS."""
    fields = data.model_dump()
    errors = _faults(fields, {})
    if errors:
        raise ValidationFailed(errors)
    if len(session.scalars(select(Connection.id)).all()) >= MOST_CONNECTIONS:
        message = f"A tenant has {MOST_CONNECTIONS} connections at most. Delete one first."
        raise Conflict(message, remedy=Remedy("limit", MOST_CONNECTIONS, "fewer connections"))
    return open_connection(session, fields)


def open_connection(session: TenantSession, fields: dict[str, Any]) -> Connection:
    """Store a connection whose fields were checked, with an endpoint behind it."""
    endpoint = open_endpoint(session, "send")
    headers = fields["headers"]
    stored = {"headers": shown_headers(headers), "secrets": kept_secrets(headers, {})}
    connection = Connection(endpoint_id=endpoint.id, **fields | stored)
    session.add(connection)
    if not connection.active:
        close_endpoint(session, endpoint, "off")
    return connection


def change_connection(session: TenantSession, connection: Connection, fields: dict[str, Any]) -> None:
    """Change what `fields` names; a new address was checked. A secret whose value is left out stays, unless the address
    is at another scheme, host or port: what one partner gave is not for another.

    Switched on, what was held is sent first. Raises ValidationFailed.
    """
    known = read_secrets(connection.secrets)
    if "headers" in fields:
        fields = fields | {"headers": [ConnectionHeader(**header).model_dump() for header in fields["headers"]]}
    names = ("headers", "status_path", "status_equals")
    has_moved = _origin_of(fields.get("url", connection.url)) != _origin_of(connection.url)
    errors = _faults({name: getattr(connection, name) for name in names} | fields, known, has_moved=has_moved)
    if errors:
        raise ValidationFailed(errors)
    if "headers" in fields:
        headers = fields["headers"]
        fields = fields | {"headers": shown_headers(headers), "secrets": kept_secrets(headers, known)}
    set_fields(connection, fields)
    endpoint = endpoint_of(session, connection)
    if not connection.active and endpoint.closed_as is None:
        close_endpoint(session, endpoint, "off")
    elif connection.active and endpoint.closed_as is not None:
        reopen_endpoint(session, endpoint)


def remove_connection(session: TenantSession, connection: Connection) -> None:
    """Delete a connection with its endpoint: what waits is discarded, the log stays. Raises Conflict while in use."""
    refuse_referred(session, connection)
    endpoint = endpoint_of(session, connection)
    session.delete(connection)
    forget_claims(session, endpoint_id=endpoint.id)
    session.flush()
    remove_endpoint(session, endpoint)


def endpoint_of(session: TenantSession, connection: Connection) -> Endpoint:
    """The endpoint behind a connection."""
    endpoint = find_endpoint(session, connection.endpoint_id)
    assert endpoint is not None
    return endpoint


def _origin_of(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _faults(fields: dict[str, Any], secrets: dict[str, str], *, has_moved: bool = False) -> dict[str, str]:
    errors = check_all(fields["headers"], secrets, has_moved=has_moved)
    if (fields["status_path"] is None) != (fields["status_equals"] is None):
        missing = "status_equals" if fields["status_equals"] is None else "status_path"
        errors[missing] = "A rule takes both: where to look, and what must stand there"
    return errors
