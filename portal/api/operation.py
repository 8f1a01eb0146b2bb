"""How one HTTP operation is declared. Routes, checks, the API document and its pages all come from this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from itsdangerous import URLSafeSerializer

from portal.api.body import BODY_LIMIT
from portal.api.events import EventType
from portal.api.schema import ApiModel
from portal.core.config import Settings
from portal.core.session import TenantSession
from portal.tenancy.credentials import Caller


@dataclass
class Call:
    """One request on its way through an operation: what a handler may know of it.

    `crosses` says that the platform owner acts on another tenant, `is_audited` that the call is written into the
    audit trail. A handler may set `subject`, the public id acted on, where the changed records do not tell it, and
    `is_dry` where whatever it did is to be taken back. It sets `has_changed` to False if the record was left as it was:
    only an act of the platform owner on another tenant is then audited.
    """

    operation: Operation
    session: TenantSession
    settings: Settings
    path: dict[str, str]
    caller: Caller | None = None
    query: Any = None
    body: Any = None
    record: Any = None
    subject: str | None = None
    crosses: bool = False
    is_audited: bool = False
    is_dry: bool = False
    has_changed: bool = True

    def signer(self, purpose: str) -> URLSafeSerializer:
        """Signs what the caller is to bring back to this operation, in this tenant."""
        salt = f"{purpose} {self.operation.id} {self.session.owner_id}"
        return URLSafeSerializer(self.settings.secret_key, salt=salt)

    @property
    def known_caller(self) -> Caller:
        """The caller of a protected operation."""
        assert self.caller is not None
        return self.caller


@dataclass(frozen=True)
class Page:
    """One page of a list, and how many records there are in all; or one step of a walk, which has no `page`.

    `deleted` names what was deleted since the instant asked for, `next_cursor` where the walk goes on.
    """

    items: list[dict[str, Any]]
    limit: int
    page: int | None = None
    total: int = 0
    deleted: list[dict[str, Any]] | None = None
    total_deleted: int = 0
    next_cursor: str | None = None

    @property
    def pages(self) -> int:
        return -(-max(self.total, self.total_deleted) // self.limit)

    @property
    def meta(self) -> dict[str, Any]:
        """Where the page stands, as an answer tells it."""
        if self.page is None:
            return {"next_cursor": self.next_cursor}
        meta = {"current_page": self.page, "total_pages": self.pages, "total_records": self.total}
        return meta if self.deleted is None else {**meta, "total_deleted": self.total_deleted}


@dataclass(frozen=True)
class Done:
    """The answer to an action: the data, and further response headers. The operation's outcome is its message.

    A `remark` is what a person should know although the action succeeded: with it the notice is a warning.
    """

    data: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""


@dataclass(frozen=True)
class Bare:
    """An answer sent as it is, without the envelope, under a status of its own where it has one."""

    content: Any
    status: int | None = None


@dataclass(frozen=True)
class Shape:
    """The form of an operation that keeps another convention than the envelope; its handler returns a `Bare`.

    The body is any JSON value, which the handler reads itself: `takes` is its JSON Schema. `gives` and `refuses` are
    the schemas of a success (a list of them with `gives_list`) and of a failure; `refusal` puts the envelope
    of a failure into that form, of a guard's too.
    """

    takes: Mapping[str, Any]
    gives: type[ApiModel]
    refuses: type[ApiModel]
    refusal: Callable[[Mapping[str, Any]], dict[str, Any]]
    gives_list: bool = False


Answer = dict[str, Any] | Page | Done | Bare | Any
Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Operation:
    """One operation of the API.

    `permission` is `module:read|write`, or None for a public operation; `modules` are further ones that the plan must
    include, whatever the role may do in them. `find` loads the record named in
    the path before the body is looked at, so that a missing one is a 404 first. `returns` is the schema of
    `data`. `sample` is a request body that works on a fresh sandbox; `sample_path` and `sample_query` go with it.
    `example` is what `handle` may return. `outcome` says what a success is: an action's message, a reading's caption.
    `codes` are the refusals special to it; the usual ones are derived. `wraps` are named limits around the view.
    A body may have `body_limit` bytes.
    With `shows_record` the answer is the record itself and carries its entity tag; `represent` gives the record as
    such an answer would show it, for `If-Match`.
    With `locks_alone` no other write of the tenant runs beside it. With `tenant_in_path` the path's `id` names the
    tenant: the caller's own, or any for the platform owner. A reading is audited as an export when the query has
    what `exports_when` says.
    `hides` names the fields of its body whose values the log never shows.
    `is_kept`: the list may be answered from memory. `shape` is the form of its answers where that is not the envelope.
    """

    id: str
    method: str
    path: str
    summary: str
    handle: Handler
    returns: type[ApiModel] | None = None
    family: str = "business"
    description: str = ""
    permission: str | None = None
    modules: tuple[str, ...] = ()
    find: Handler | None = None
    query: type[ApiModel] | None = None
    body: type[ApiModel] | None = None
    body_limit: int = BODY_LIMIT
    is_list: bool = False
    shows_record: bool = False
    represent: Handler | None = None
    status: int = 200
    codes: tuple[str, ...] = ()
    sample: Mapping[str, Any] | None = None
    sample_path: Mapping[str, Any] = field(default_factory=dict)
    sample_query: Mapping[str, Any] = field(default_factory=dict)
    example: Answer = None
    outcome: str = ""
    wraps: tuple[Callable[[Any], Any], ...] = ()
    also_answers: tuple[str, ...] = ()
    takes_guest_token: bool = False
    is_counted: bool = True
    is_form: bool = False
    locks_alone: bool = False
    tenant_in_path: bool = False
    exports_when: Mapping[str, str] = field(default_factory=dict)
    hides: tuple[str, ...] = ()
    is_kept: bool = False
    shape: Shape | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def group(self) -> str:
        """The reference group: the first part of the id."""
        return self.id.partition(".")[0]

    @property
    def is_public(self) -> bool:
        return self.permission is None and self.family in {"public", "tokens"}

    @property
    def takes_key(self) -> bool:
        """True where an idempotency key is minded (contract section 4)."""
        return self.method == "POST" and self.family != "tokens"

    @property
    def needs_body(self) -> bool:
        """False where there is none, or an action goes without as well."""
        if self.body is None:
            return self.shape is not None
        says = self.body.model_config.get("json_schema_extra")
        needs_some = isinstance(says, dict) and "minProperties" in says
        is_required = any(field.is_required() for field in self.body.model_fields.values())
        return self.method != "POST" or needs_some or is_required

    @property
    def takes_json(self) -> bool:
        """True where a body of JSON is read."""
        return not self.is_form and (self.body is not None or self.shape is not None)

    @property
    def writes(self) -> bool:
        return self.method not in {"GET", "HEAD"}


@dataclass(frozen=True)
class Group:
    """Operations that belong together, their place on the map of the API and their heading in the reference.

    `description` is a line, `about` what a reader of the chapter has to know besides.
    """

    name: str
    title: str
    description: str
    area: str
    chapter: str
    about: str = ""


@dataclass(frozen=True)
class Api:
    """All operations a deployment offers, the chapters they stand in, and the events it announces."""

    operations: tuple[Operation, ...]
    groups: tuple[Group, ...]
    events: tuple[EventType, ...] = ()

    def of_family(self, *families: str) -> list[Operation]:
        return [operation for operation in self.operations if operation.family in families]
