"""Tenants and their subscription as operations (contract section 6). Browser-facing: public ids only."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic import WithJsonSchema as JsonSchema

from portal.api.body import BODY_LIMIT
from portal.api.events import EventType
from portal.api.lists import PageNumber, PageSize
from portal.api.operation import Call, Done, Operation, Page
from portal.api.registrar import all_optional
from portal.api.schema import ApiModel, Instant, Name
from portal.limits import API_KEY
from portal.tenancy.localisation import Currency, TimeZone
from portal.tenancy.models import Tenant
from portal.tenancy.plans import BATCH_ROWS, modules_of
from portal.tenancy.service import change_plan, change_settings, find_own, list_tenants

Plan = Literal["starter", "growth", "enterprise"]
Mode = Literal["sandbox", "house"]
Hour = Annotated[int, Field(ge=0, le=23), JsonSchema({"type": "integer", "minimum": 0, "maximum": 23, "examples": [3]})]
PATH = "/api/tenants/{id}"
SAMPLE_ID = "ten_5f2c81d09a3b47e6c1d8f02a"


class TenantView(ApiModel):
    """A tenant and its settings."""

    public_id: str
    name: str
    mode: Mode = Field(description="`sandbox` can be reset; `house` is the company's own")
    plan: Plan
    currency: str = Field(description="ISO 4217")
    time_zone: str = Field(description="IANA time zone")
    daily_reset_hour: int | None = Field(description="Hour of the tenant's time zone; null when it is off")
    publishable_key: str | None = Field(description="Good for the public operations alone")
    created_at: Instant
    last_reset_at: Instant | None
    expires_at: Instant | None = Field(description="When the tenant ends, for sandboxes of guests")


class TenantSettings(ApiModel):
    """The settings of a tenant."""

    read_only = ApiModel.read_only | set(TenantView.model_fields) - {
        "name",
        "currency",
        "time_zone",
        "daily_reset_hour",
    }

    name: Name
    currency: Currency
    time_zone: TimeZone
    daily_reset_hour: Hour | None = Field(description="0 to 23; null turns it off. Sandboxes only")


class TenantQuery(ApiModel):
    """Which tenants, in which order."""

    page: PageNumber = 1
    limit: PageSize = 20
    sort: Literal["created_at", "-created_at", "name", "-name"] = Field(
        "-created_at", description="Field to sort by; a leading - turns the order round"
    )
    mode: Mode | None = None
    plan: Plan | None = None


class SubscriptionLimits(ApiModel):
    """What one tenant may ask for."""

    requests_per_hour: int = Field(description="Calls for each API key")
    batch_rows: int = Field(description="Rows in a batch call")
    page_records: int = Field(description="Records on a page of a list")
    body_bytes: int = Field(description="Size of a request's body")


class SubscriptionView(ApiModel):
    """What the tenant's plan entitles it to."""

    tenant: str = Field(description="The tenant's public id")
    plan: Plan
    modules: list[str] = Field(description="Modules whose operations the plan includes")
    limits: SubscriptionLimits


class SubscriptionBody(ApiModel):
    """The plan to go to."""

    read_only = ApiModel.read_only | {"modules", "limits"}

    plan: Plan


class SubscriptionChanged(ApiModel):
    """A plan that was changed."""

    tenant: str
    plan: Plan
    previous_plan: Plan
    modules: list[str]


def show_tenant(tenant: Tenant) -> dict[str, Any]:
    """A tenant as answers show it."""
    shown = {name: getattr(tenant, name) for name in TenantView.model_fields if name != "publishable_key"}
    if not tenant.is_sandbox:
        shown["daily_reset_hour"] = None
    shown["publishable_key"] = tenant.publishable_id
    return {name: shown[name] for name in TenantView.model_fields}


def show_subscription(tenant: Tenant) -> dict[str, Any]:
    """A tenant's subscription as answers show it."""
    limits = {
        "requests_per_hour": API_KEY.count,
        "batch_rows": BATCH_ROWS,
        "page_records": 100,
        "body_bytes": BODY_LIMIT,
    }
    return {"tenant": tenant.public_id, "plan": tenant.plan, "modules": modules_of(tenant.plan), "limits": limits}


def _find(call: Call) -> Tenant:
    return find_own(call.session, lock=call.operation.writes)


def _list(call: Call) -> Page:
    query = call.query
    found, total = list_tenants(call.session, **query.model_dump())
    return Page([show_tenant(tenant) for tenant in found], limit=query.limit, page=query.page, total=total)


def _change_settings(call: Call) -> Done:
    call.subject = call.record.public_id
    call.has_changed = change_settings(call.session, call.record, call.body.model_dump(exclude_unset=True))
    return Done(show_tenant(call.record))


def _change_plan(call: Call) -> Done:
    call.subject = call.record.public_id
    call.has_changed = change_plan(call.session, call.record, call.body.plan)
    return Done(show_subscription(call.record))


def _of_tenant(name: str, method: str, path: str, **details: Any) -> Operation:
    """An operation on the tenant in the path: the caller's own, or any for the platform owner."""
    return Operation(
        id=name,
        method=method,
        path=path,
        permission=f"administration:{'read' if method == 'GET' else 'write'}",
        family="platform",
        find=_find,
        shows_record=True,
        tenant_in_path=True,
        headers={"path:id": "The tenant's public id"},
        sample_path={"id": SAMPLE_ID},
        **details,
    )


TENANT = {
    "public_id": SAMPLE_ID,
    "name": "Test",
    "mode": "sandbox",
    "plan": "enterprise",
    "currency": "USD",
    "time_zone": "UTC",
    "daily_reset_hour": 3,
    "publishable_key": "pk_test_8Zk2vQ5mB7xR1cT9nW4yE6sA",
    "created_at": "2026-11-21T09:12:44Z",
    "last_reset_at": None,
    "expires_at": None,
}
SETTINGS = {"name": "Acme Trading", "currency": "INR", "time_zone": "Asia/Kolkata", "daily_reset_hour": 4}
LIMITS = {"requests_per_hour": 1000, "batch_rows": 500, "page_records": 100, "body_bytes": 1048576}

OPERATIONS = (
    Operation(
        id="tenants.list",
        method="GET",
        path="/api/tenants",
        summary="List tenants",
        outcome="One page of tenants",
        description="Every tenant that has not expired. For the platform owner alone, who calls with an "
        "administrator's key of the house tenant; the owner's own audit trail keeps it.",
        permission="platform:read",
        family="platform",
        handle=_list,
        query=TenantQuery,
        returns=TenantView,
        is_list=True,
        example=Page([TENANT], limit=20, page=1, total=1),
    ),
    _of_tenant(
        "tenants.read",
        "GET",
        PATH,
        summary="Read a tenant",
        outcome="The tenant",
        description="Your own tenant and its settings. The platform owner reads any tenant; the audit trail of that "
        "tenant tells of it.",
        handle=lambda call: show_tenant(call.record),
        returns=TenantView,
        example=TENANT,
    ),
    _of_tenant(
        "tenants.update",
        "PATCH",
        PATH,
        summary="Change a tenant's settings",
        outcome="Tenant saved",
        description="Only the fields that the body names are changed. The hour of the daily reset is that of the "
        "tenant's time zone; null turns the reset off, and a tenant that is no sandbox has none. A changed hour or "
        "time zone counts from the next day.",
        handle=_change_settings,
        represent=lambda call: show_tenant(call.record),
        body=all_optional(TenantSettings),
        returns=TenantView,
        sample=SETTINGS,
        example=Done(TENANT | SETTINGS),
    ),
    _of_tenant(
        "subscription.read",
        "GET",
        f"{PATH}/subscription",
        summary="Read the subscription",
        outcome="The subscription",
        description="The tenant's plan, the modules it includes, and the limits that hold.",
        handle=lambda call: show_subscription(call.record),
        returns=SubscriptionView,
        example={"tenant": SAMPLE_ID, "plan": "enterprise", "modules": modules_of("enterprise"), "limits": LIMITS},
    ),
    _of_tenant(
        "subscription.replace",
        "PUT",
        f"{PATH}/subscription",
        summary="Change the plan",
        outcome="Subscription changed",
        description="An upgrade or a downgrade; it takes effect on the next request, whatever the credential. Records "
        "of a module that the new plan lacks are kept and come back with the module. Announces `subscription.changed`.",
        handle=_change_plan,
        represent=lambda call: show_subscription(call.record),
        body=SubscriptionBody,
        returns=SubscriptionView,
        sample={"plan": "growth"},
        example=Done({"tenant": SAMPLE_ID, "plan": "growth", "modules": modules_of("growth"), "limits": LIMITS}),
    ),
)

EVENTS = (
    EventType(
        "subscription.changed",
        "A tenant went to another plan",
        SubscriptionChanged,
        example={
            "tenant": SAMPLE_ID,
            "plan": "growth",
            "previous_plan": "enterprise",
            "modules": modules_of("growth"),
        },
    ),
)
