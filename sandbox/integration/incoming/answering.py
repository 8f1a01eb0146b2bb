"""What is answered to a record: the shape that external systems expect, by the mapping's return-status rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from portal.api.schema import ApiModel
from sandbox.integration.incoming.definition import AnswerRule, AnswerRules
from sandbox.integration.incoming.receiving import Plan, Result

Words = tuple[int, str, str]
USUAL: dict[str, Words] = {
    "created": (200, "success", "Record saved successfully"),
    "updated": (200, "success", "Record updated successfully"),
    "skipped": (200, "success", "Record exists already and was left as it is"),
    "duplicate": (409, "error", "The record exists already"),
    "failed": (400, "error", "The record is not valid"),
    "error": (500, "error", "Something went wrong on our side"),
}
"""HTTP status, status word and message of each happening, where the mapping has no rule of its own."""
REFUSALS = {"not_found": "MAPPING_NOT_FOUND"}
_ENVELOPE = {"success", "message", "notice", "request_id"}


class FieldVerdict(ApiModel):
    """What became of one row of the mapping."""

    row: str = Field(description="The row's place in the mapping, such as rows.3")
    source: str
    field: str
    value: Any = Field(None, description="The value as it was read")
    verdict: Literal["ok", "failed"]
    errorCode: str | SkipJsonSchema[None] = None
    message: str | SkipJsonSchema[None] = None


class EffectsView(ApiModel):
    """What would change."""

    records: list[dict[str, Any]] = Field(description="Created or changed, each field before and after")
    numbers: dict[str, list[int]] = Field(description="The first and the last number used of each series")
    events: list[str] = Field(description="The events that would be announced, in order")


class Answered(ApiModel):
    """What became of one record."""

    status: str = Field(description="The status word: success, or error for one record of several; a mapping's own too")
    errorCode: str | SkipJsonSchema[None] = None
    message: str
    recordId: str | SkipJsonSchema[None] = Field(None, description="What the ERP knows the record by, as VEND-1023")
    outcome: Literal["SUCCESS", "FAILED", "DUPLICATE"]
    errors: dict[str, str] | SkipJsonSchema[None] = Field(None, description="What is wrong with which parameter")
    requestId: str | SkipJsonSchema[None] = None
    dryRun: bool | SkipJsonSchema[None] = Field(None, description="True where nothing was written")
    values: dict[str, Any] | SkipJsonSchema[None] = Field(None, description="Of a dry run: the ERP's fields")
    fields: list[FieldVerdict] | SkipJsonSchema[None] = Field(None, description="Of a dry run: a verdict on each row")
    effects: EffectsView | SkipJsonSchema[None] = Field(None, description="Of a dry run: what would change")


class Refused(ApiModel):
    """Why nothing was written; with further members, such as the permission that was missing."""

    model_config = ConfigDict(extra="allow")

    status: str
    errorCode: str = Field(description="A check's own code, or the code of the refusal in capitals")
    message: str
    outcome: Literal["FAILED", "DUPLICATE"]
    recordId: str | SkipJsonSchema[None] = Field(None, description="The record that is there already")
    errors: dict[str, str] | SkipJsonSchema[None] = Field(None, description="What is wrong with which parameter")
    requestId: str | SkipJsonSchema[None] = None


def answer_record(plan: Plan, result: Result, *, is_dry: bool = False) -> tuple[dict[str, Any], int]:
    """The answer to one record, and its HTTP status."""
    rules = plan.definition.answers
    status, word, message = _words(rules, result)
    own: AnswerRule | None = getattr(rules, result.happening, None)
    answer: dict[str, Any] = {"status": word}
    if result.fault is not None:
        answer["errorCode"] = own.error_code if own and own.error_code else result.fault.code
    answer["message"] = message
    record_id = record_id_of(plan, result)
    if record_id is not None:
        answer["recordId"] = record_id
    answer["outcome"] = result.outcome
    if result.reading.faulty:
        answer["errors"] = {verdict.source: verdict.fault.message for verdict in result.reading.faulty if verdict.fault}
    return (answer | describe_dry(result) if is_dry else answer), status


def record_id_of(plan: Plan, result: Result) -> str | None:
    """What the ERP knows the record by, as the mapping wants it named."""
    if result.data is None:
        return None
    name = plan.definition.answers.record_id or plan.target.record_ids[0]
    return str(result.data[name])


def describe_dry(result: Result) -> dict[str, Any]:
    """What a dry run tells besides: the values as they were read, a verdict on each row, what would change."""
    fields = [
        {
            "row": verdict.place,
            "source": verdict.source,
            "field": verdict.field,
            "value": shown(verdict.value),
            "verdict": "failed" if verdict.fault else "ok",
            **({"errorCode": verdict.fault.code, "message": verdict.fault.message} if verdict.fault else {}),
        }
        for verdict in result.reading.verdicts
    ]
    effects = vars(result.effects) if result.effects else {"records": [], "numbers": {}, "events": []}
    return {"dryRun": True, "values": shown(result.reading.values), "fields": fields, "effects": effects}


def refuse(told: Mapping[str, Any]) -> dict[str, Any]:
    """A refusal of a guard, or of the call as a whole, in the same shape; `told` is what the envelope would say."""
    code = told["code"]
    head = {"status": "error", "errorCode": REFUSALS.get(code, code.upper()), "message": told["message"]}
    rest = {name: value for name, value in told.items() if name not in _ENVELOPE}
    return {**head, "outcome": "FAILED", "requestId": told["request_id"], **rest}


def overall(results: Sequence[Result]) -> str:
    """The outcome of a call: that of its records, or MIXED where they differ."""
    outcomes = {result.outcome for result in results}
    return outcomes.pop() if len(outcomes) == 1 else "MIXED"


def shown(value: Any) -> Any:
    """A value that was sent, fit for an answer: half a character cannot be written."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [shown(item) for item in value]
    return {name: shown(item) for name, item in value.items()} if isinstance(value, dict) else value


def _words(rules: AnswerRules, result: Result) -> Words:
    status, word, message = USUAL[result.happening]
    message = result.fault.message if result.fault is not None else message
    own: AnswerRule | None = getattr(rules, result.happening, None)
    if own is None:
        return status, word, message
    return own.http_status or status, own.status or word, own.message or message
