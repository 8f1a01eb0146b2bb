"""Sending a record by hand, `Send to API`, and seeing beforehand what would be sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic import WithJsonSchema as JsonSchema

from portal.api.operation import Call, Done, Operation
from portal.api.records import find_record, find_reference
from portal.api.resource import Resource
from portal.api.schema import ApiModel, Reference, refuse, rule
from portal.core.errors import Conflict, NotFound, ValidationFailed
from portal.core.ids import PUBLIC_ID
from portal.core.remedies import Remedy
from portal.core.session import TenantSession
from sandbox.integration.outgoing.by_hand import UNDER_WAY, find_latest, send_by_hand
from sandbox.integration.outgoing.composing import Filled
from sandbox.integration.outgoing.examples import EXAMPLES
from sandbox.integration.outgoing.mappings import Slug, list_mappings
from sandbox.integration.outgoing.models import Connection, OutgoingMapping
from sandbox.integration.outgoing.rows import article
from sandbox.integration.outgoing.sending import compose_all, outlet_of
from sandbox.integration.outgoing.shown import SendView, show_send
from sandbox.integration.outgoing.sources import SOURCES
from sandbox.integration.outgoing.versions import choose_version
from sandbox.resources.invoices import invoices
from sandbox.resources.receipts import receipts
from sandbox.resources.vendors import vendors

OWN_SOURCE = rule("a record of the mapping's source")
HAS_IT = rule("a version that the mapping has")


def _parse_record(value: Any) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53:
        return value
    if isinstance(value, str) and PUBLIC_ID.match(value):
        return value
    raise refuse("{label} must be the id or public id of a record of the mapping's source")


RecordOfSource = Annotated[
    int | str,
    BeforeValidator(_parse_record),
    JsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 2**53 - 1},
                {"type": "string", "pattern": PUBLIC_ID.pattern},
            ],
            **OWN_SOURCE,
        }
    ),
]


class SendBody(ApiModel):
    """Through which mapping a record is sent; left out, through the only one there is."""

    mapping: Slug | None = Field(
        None, description="Slug of a mapping", json_schema_extra=rule("a mapping of this kind of record")
    )
    connection_id: Reference | None = Field(None, description="Or the connection, where one mapping leads to it")


class RecordToSend(ApiModel):
    """Which record of the mapping's source."""

    record: RecordOfSource = Field(description="The record's id or its public id")


class RecordToPreview(RecordToSend):
    """Which record, and by which version."""

    version: Literal["live", "draft"] | None = Field(
        None, description="Left out, the live version, or the draft if nothing is live", json_schema_extra=HAS_IT
    )


class SendPreviewRow(ApiModel):
    """What becomes of one row."""

    parameter: str
    origin: str = Field(description="The field, or `constant`")
    value: Any = Field(description="What is sent; null where it is left out")
    is_left_out: bool
    fault: str | None = Field(description="Why the message could not be sent")


class SendPreview(ApiModel):
    """What would be sent of a record. Nothing is."""

    would_send: bool = Field(description="False where it would go to the Failed Queue instead")
    reason: str | None
    body: dict[str, Any]
    rows: list[SendPreviewRow]


def choose_mapping(session: TenantSession, source: str, body: SendBody) -> OutgoingMapping:
    """The mapping a record is sent through: the one named, or the only one that may be sent by hand.

    Raises ValidationFailed for an unknown one and where several would do, Conflict where there is none.
    """
    mappings = list_mappings(session, source)
    noun = SOURCES[source].singular
    if body.mapping is not None:
        named = [mapping for mapping in mappings if mapping.slug == body.mapping]
        if not named:
            raise ValidationFailed({"mapping": f"No outgoing mapping of {article(noun)} is called so"})
        return named[0]
    usable = [mapping for mapping in mappings if mapping.manual and mapping.active and mapping.rows]
    if body.connection_id is not None:
        connection = find_reference(session, Connection, body.connection_id, "connection_id")
        usable = [mapping for mapping in usable if mapping.connection_id == connection.id]
    if len(usable) > 1:
        slugs = ", ".join(mapping.slug for mapping in usable)
        raise ValidationFailed({"mapping": f"Several mappings could send this {noun}: name one of {slugs}"})
    if not usable:
        message = f"No outgoing mapping sends {article(noun)} by hand. Create one, or set manual on one, then repeat."
        raise Conflict(message, remedy=Remedy("state", "no mapping", f"a manual mapping of {article(noun)}"))
    return usable[0]


def find_of_source(session: TenantSession, mapping: OutgoingMapping, reference: Any) -> Any:
    """A record of the mapping's source. Raises ValidationFailed."""
    source = SOURCES[mapping.source]
    try:
        return find_record(session, source.resource.model, reference)
    except NotFound:
        raise ValidationFailed({"record": f"No such {source.singular}"}) from None


def preview(session: TenantSession, mapping: OutgoingMapping, record: Any, status: str | None) -> dict[str, Any]:
    """What would be sent of a record by a version, row by row, as SendPreview shows it. Raises Conflict without one."""
    version = choose_version(session, mapping, status or ("live" if mapping.rows else "draft"))
    composed = compose_all(session, replace(outlet_of(session, mapping), rows=version.rows), [record])[record.id]
    rows = [_show_filled(row) for row in composed.rows]
    reason = composed.reason
    return {"would_send": reason is None, "reason": reason, "body": composed.body, "rows": rows}


def answer_preview(call: Call) -> Done:
    """The preview of the record that the body names."""
    call.subject = call.record.public_id
    record = find_of_source(call.session, call.record, call.body.record)
    return Done(preview(call.session, call.record, record, call.body.version))


def answer_send(call: Call) -> Done:
    """Send the record that the body names through the mapping in the path."""
    record = find_of_source(call.session, call.record, call.body.record)
    return _send(call, call.record, record)


def _send(call: Call, mapping: OutgoingMapping, record: Any) -> Done:
    latest = find_latest(call.session, mapping, record)
    is_known = latest is not None and latest.status in UNDER_WAY
    delivery = send_by_hand(call.session, mapping, record)
    call.session.flush()
    call.subject = record.public_id
    where = f"/api/v2/integration/outgoing-logs/{delivery.public_id}"
    remark = f"Nothing was sent: {delivery.reason}." if delivery.status == "failed" else ""
    if is_known:
        remark = "This version of the record is on its way already; nothing was added."
    return Done(show_send(call.session, delivery), {"Location": where}, remark)


def _show_filled(row: Filled) -> dict[str, Any]:
    return {name: getattr(row, name) for name in SendPreviewRow.model_fields}


def _send_operation(resource: Resource, source: str, noun: str) -> Operation:
    def handle(call: Call) -> Done:
        return _send(call, choose_mapping(call.session, source, call.body), call.record)

    return Operation(
        id=f"{resource.name}.send",
        method="POST",
        path=f"{resource.base_path}/{{id}}/send",
        summary=f"Send {noun} to a partner",
        outcome="Posted to the partner",
        description="Composes the message by an outgoing mapping, posts it, and answers with its place in the log. "
        "The worker sends it. One that lacks what the mapping requires is not sent; it stands in the Failed Queue. "
        "If this version of the record is under way or failed, that send goes on under its idempotency key. If it was "
        "delivered, it is sent again under a new key.",
        permission=f"{resource.module}:write",
        modules=("integration",),
        find=resource.find,
        handle=handle,
        body=SendBody,
        returns=SendView,
        status=201,
        codes=("conflict",),
        sample_path={"id": 1},
        example=EXAMPLES[f"{resource.name}.send"],
    )


OPERATIONS = (
    _send_operation(invoices, "invoice", "an invoice"),
    _send_operation(vendors, "vendor", "a vendor"),
    _send_operation(receipts, "goods_receipt", "a goods receipt"),
)
