"""What is called before a sample, for operations about what a fresh sandbox does not have yet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from portal.api.operation import Operation
from portal.core.clock import system_now
from portal.core.database import Database
from portal.core.outgoing import OutgoingAnswer, OutgoingClient, OutgoingRequest
from sandbox.delivery.worker import Courier
from sandbox.inbox.examples import MESSAGE, PLAN, WHOLE
from sandbox.integration.incoming.mappings_api import mappings
from sandbox.integration.incoming.receive_api import SAMPLE as INCOMING_SAMPLE
from sandbox.integration.outgoing.examples import MAPPING_SAMPLE
from sandbox.rehearsal.requests_api import SAMPLE_ID as SAMPLE_REQUEST
from sandbox.rehearsal.scenarios_api import SAMPLE as SAMPLE_SCENARIO
from sandbox.webhooks.examples import ATTEMPT
from sandbox.webhooks.examples import SAMPLE as SAMPLE_WEBHOOK
from sandbox.webhooks.signing import sign
from tests.conftest import Integration

OUTGOING = "/api/v2/integration"
INCOMING = "/api/v1/integration/incoming"
INBOX = "/api/v2/sandbox/inbox"
OF_A_MESSAGE = {"sandbox.list_inbox", "sandbox.read_inbox_message", "sandbox.clear_inbox"}
BEFOREHAND: dict[str, tuple[str, str, Any]] = {
    "sandbox.list_snapshots": ("POST", "/api/v2/sandbox/snapshots", {"name": "Before the import"}),
    "sandbox.restore_snapshot": ("POST", "/api/v2/sandbox/snapshots", {"name": "Before the import"}),
    "sandbox.delete_snapshot": ("POST", "/api/v2/sandbox/snapshots", {"name": "Before the import"}),
    "sandbox.list_scenarios": ("POST", "/api/v2/sandbox/scenarios", SAMPLE_SCENARIO),
    "sandbox.disarm_scenario": ("POST", "/api/v2/sandbox/scenarios", SAMPLE_SCENARIO),
    "sandbox.list_requests": ("GET", "/api/v2/customers/999999", None),
    "sandbox.read_request": ("GET", "/api/v2/customers/999999", None),
    "outgoing-logs.list": ("POST", "/api/v2/invoices/1/send", None),
    "outgoing-logs.read": ("POST", "/api/v2/invoices/1/send", None),
    **dict.fromkeys(("incoming-logs.list", "incoming-logs.read"), ("POST", INCOMING, INCOMING_SAMPLE)),
    **dict.fromkeys(
        ("incoming-mappings.replay", "incoming-mappings.publish"),
        ("PUT", f"{OUTGOING}/incoming-mappings/1", dict(mappings.replacement or {})),
    ),
    **dict.fromkeys(
        ("outgoing-mappings.replay", "outgoing-mappings.publish"),
        ("POST", f"{OUTGOING}/outgoing-mappings/1/draft", {"version": 1}),
    ),
    "traces.read": ("POST", "/api/v2/invoices/1/approve", None),
    "sandbox.list_inbox_answers": ("POST", f"{INBOX}/answers", PLAN),
    "sandbox.take_back_inbox_answer": ("POST", f"{INBOX}/answers", PLAN),
    **{
        f"webhooks.{verb}": ("POST", "/api/v2/webhooks", SAMPLE_WEBHOOK)
        for verb in ("list", "read", "replace", "update", "rotate_secret", "test", "resend", "delete")
    },
}


class ReceiverAsShown(OutgoingClient):
    """A receiver that answers as the example of an attempt shows it."""

    def send(self, request: OutgoingRequest) -> OutgoingAnswer:
        headers = [(header["name"], header["value"]) for header in ATTEMPT["answer_headers"]]
        return OutgoingAnswer(ATTEMPT["answer_status"], headers, ATTEMPT["answer_body"].encode(), False, 0.08, "")


def receive(caller: Integration) -> str:
    """Let the message of the inbox's example arrive, from a webhook that is known. Gives its public id."""
    url = caller.get(f"{INBOX}/addresses").json["data"][0]["url"]
    secret = caller.post("/api/v2/webhooks", SAMPLE_WEBHOOK | {"url": url}).json["data"]["secret"]
    caller.post(f"{INBOX}/answers", PLAN)
    message_id, body = MESSAGE["webhook_id"], WHOLE["body"]
    headers = sign(message_id, system_now(), body, [secret])
    answer = caller.client.post(urlsplit(url).path, data=body, headers=headers)
    return str(answer.get_json()["id"])


def fail_a_send(caller: Integration) -> str:
    """A send in the Failed Queue: of a customer without the e-mail that the mapping of the sample requires."""
    caller.post(f"{OUTGOING}/outgoing-mappings", MAPPING_SAMPLE)
    caller.post("/api/v2/customers", {"account": "Jane Smith"})
    return str(caller.get(f"{OUTGOING}/failed").json["data"][0]["public_id"])


def prepare(caller: Integration, operation: Operation, database: Database) -> Operation:
    """The operation, once what its sample is about is there; with the id of that where no sample can know it."""
    if operation.id in BEFOREHAND:
        caller.call(*BEFOREHAND[operation.id], headers={"X-Request-Id": SAMPLE_REQUEST})
    if operation.id == "incoming-mappings.replay":
        caller.post(INCOMING, INCOMING_SAMPLE, headers={"X-Request-Id": SAMPLE_REQUEST})
    if operation.id in {"failed.list", "failed.update"}:
        failed = fail_a_send(caller)
        return replace(operation, sample_path={"id": failed}) if operation.sample_path else operation
    if operation.id == "outgoing-logs.read":
        (sent,) = caller.get(f"{OUTGOING}/outgoing-logs").json["data"]
        return replace(operation, sample_path={"id": sent["public_id"]})
    if operation.id in OF_A_MESSAGE:
        message = receive(caller)
        return replace(operation, sample_path={"id": message}) if operation.sample_path else operation
    if operation.group != "deliveries":
        return operation
    caller.post("/api/v2/webhooks", SAMPLE_WEBHOOK)
    delivery = caller.post("/api/v2/webhooks/1/test").json["data"]["public_id"]
    if not operation.writes:
        Courier(database, ReceiverAsShown(allow=[])).deliver_due()
    if operation.id == "deliveries.resend":
        caller.post(f"/api/v2/deliveries/{delivery}/discard")
    return replace(operation, sample_path={"id": delivery}) if operation.sample_path else operation
