"""Every sample of the reference, one after the other as a reader meets them, in one sandbox (contract section 5)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from flask import Flask

from sandbox.tenants import NewSandbox
from tests.contract.described import Described, describe, document_of
from tests.contract.door import Door, call


def in_order(app: Flask) -> list[Described]:
    """The operations by chapter, then as they stand in it."""
    chapters = [tag["name"] for tag in document_of(app)["tags"]]
    return sorted(describe(app), key=lambda operation: chapters.index(operation.says["tags"][0]))


def opened(door: Door, operation: Described) -> dict[str, str]:
    """Ids that no sample can know beforehand: of a conversation, of a delivery."""
    if "conversation" in operation.path_names:
        return {"conversation": door.open_chat()}
    if operation.path.startswith(("/api/v2/integration/failed/{id}", "/api/v2/integration/outgoing-logs/{id}")):
        return {"id": door.open_failed_send()}
    if operation.id == "sandbox.read_inbox_message":
        return {"id": door.open_message()}
    return {"id": door.open_delivery()} if operation.path.startswith("/api/v2/deliveries/{id}") else {}


def walk(app: Flask, door: Door) -> Iterator[str]:
    """What does not answer as documented. The reader numbers his requests by the id that the reference shows."""
    operations = in_order(app)
    number = next(one.example["request_id"] for one in operations if "request_id" in one.path_names)
    for operation in operations:
        address = operation.address(door.tenant.public_id, **opened(door, operation))
        answer = call(door, operation.method, address, operation.body, {"X-Request-Id": number})
        if answer.status_code != operation.status:
            yield f"{operation.id}: {answer.status_code} {json.dumps(answer.get_json())[:300]}"


def test_the_samples_work_from_the_first_to_the_last(app: Flask, alices_sandbox: NewSandbox) -> None:
    faults = list(walk(app, Door(app, alices_sandbox)))
    assert not faults, "\n".join(faults)
