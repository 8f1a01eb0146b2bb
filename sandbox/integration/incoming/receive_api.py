"""The operation that external systems call: their own JSON in, records of the ERP out (contract section 7)."""

from __future__ import annotations

import time
from collections.abc import Sequence

from flask import g, request
from pydantic import Field

from portal.api.body import read_body
from portal.api.lists import Flag
from portal.api.operation import Bare, Call, Operation, Shape
from portal.api.schema import ApiModel
from portal.core.errors import ValidationFailed
from portal.core.runtime import commit_early
from sandbox.integration.incoming.answering import Answered, Refused, answer_record, refuse
from sandbox.integration.incoming.log import Arrival, log_message
from sandbox.integration.incoming.receiving import Result, receive_records, rehearse_records
from sandbox.integration.incoming.rehearsing import MOST_RECORDS, records_of
from sandbox.integration.incoming.service import Chosen, find_live
from sandbox.integration.incoming.texts import Slug

BODY_LIMIT = 5 * 1024 * 1024
HEADER = "X-Integration-Mapping"
SAMPLE = {
    "vendorName": "ABC Traders",
    "gstNumber": "27ABCDE1234F1Z5",
    "contactPerson": "Rahul Sharma",
    "mobile": "9876543210",
    "email": "accounts@abctraders.example",
    "city": "Mumbai",
}
_REFUSAL_CODES = {"duplicate": "duplicate", "failed": "validation_failed", "error": "internal_error"}


class IncomingQuery(ApiModel):
    """Which mapping, and whether to try only."""

    mapping: Slug | None = Field(None, description="The mapping's slug; the tenant's default mapping when left out")
    dry_run: Flag = Field(False, description="Do everything, then take it back and tell what would have changed")


def _find_mapping(call: Call) -> Chosen:
    named = {request.args.get("mapping", ""), request.headers.get(HEADER, "")} - {""}
    if len(named) > 1:
        raise ValidationFailed({"mapping": f"Query and {HEADER} name different mappings"})
    return find_live(call.session, named.pop() if named else "")


def _receive(call: Call) -> Bare:
    chosen: Chosen = call.record
    records = records_of(call.body)
    if call.query.dry_run:
        call.is_dry = True
        return _answer(chosen, call, rehearse_records(call.session, chosen.plan, records))
    results = receive_records(call.session, chosen.plan, records)
    answer = _answer(chosen, call, results)
    call.is_audited = any(result.has_written for result in results)
    written = [result.data for result in results if result.has_written and result.data]
    call.subject = written[0]["public_id"] if written else chosen.mapping.public_id
    log_message(call.session, chosen, _arrival(call), results, answer.status or 200)
    if answer.status is not None and answer.status >= 400:
        commit_early()
    return answer


def _answer(chosen: Chosen, call: Call, results: Sequence[Result]) -> Bare:
    answers = [answer_record(chosen.plan, result, is_dry=call.is_dry) for result in results]
    if isinstance(call.body, list):
        return Bare([content for content, _ in answers])
    content, status = answers[0]
    if status >= 400:
        g.refusal_code = _REFUSAL_CODES[results[0].happening]
    return Bare({**content, "requestId": call.session.trace}, status)


def _arrival(call: Call) -> Arrival:
    caller = call.known_caller
    spent = int((time.perf_counter() - g.started) * 1_000_000)
    return Arrival(read_body(request), caller.key_id, spent)


_RECORD = {"type": "object", "additionalProperties": True}
_TAKES = {
    "anyOf": [_RECORD, {"type": "array", "minItems": 1, "maxItems": MOST_RECORDS, "items": {}}],
    "description": "One record in the external system's own form, or an array; each of its entries is judged alone",
    "x-rule": "is what the mapping says",
}

receive = Operation(
    id="incoming.receive",
    method="POST",
    path="/api/v1/integration/incoming",
    summary="Send records of an external system",
    outcome="The record was saved",
    description=(
        "Takes the JSON of an external system as it is; a mapping makes records of the ERP of it. One record is "
        "answered with the mapping's status: as a rule 200, 400 where it is not valid, 409 where it exists already. An "
        f"array of up to {MOST_RECORDS} records, in a body of 5 MiB at most, is always answered with 200 and a list in "
        "the order of the records: each has its own `status`, and a bad one harms no other. With `dry_run=true` the "
        "very same is done and taken back; the answer adds the values as they were read, a verdict on each row of the "
        "mapping, and what would have changed. Answers have a shape of their own: an `errorCode` is a check's own, "
        "such as `INVALID_GST`, or the code of a refusal in capitals, such as `UNAUTHORIZED`; `MAPPING_NOT_FOUND` "
        "where there is no such mapping."
    ),
    permission="integration:write",
    find=_find_mapping,
    handle=_receive,
    query=IncomingQuery,
    body_limit=BODY_LIMIT,
    shape=Shape(takes=_TAKES, gives=Answered, refuses=Refused, refusal=refuse, gives_list=True),
    headers={HEADER: "The mapping's slug, in place of the query's"},
    codes=("not_found", "duplicate"),
    sample=SAMPLE,
    sample_query={"mapping": "vendor-creation"},
    locks_alone=True,
)
