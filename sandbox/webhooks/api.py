"""Webhooks as operations: the resource, and what is done with one (contract sections 5 and 7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from portal.api.operation import Call, Done, Handler, Operation
from portal.api.registrar import declare
from portal.api.resource import Resource
from portal.core.errors import ValidationFailed
from portal.core.session import TenantSession
from sandbox.delivery.states import COMPUTED, add_states
from sandbox.integration.destinations import with_destination_checked
from sandbox.webhooks.deliveries import DeliveryView, show_delivery
from sandbox.webhooks.examples import CHANGE, EXAMPLES, REPLACEMENT, SAMPLE
from sandbox.webhooks.models import Webhook
from sandbox.webhooks.schemas import ResendBody, ResentView, WebhookBody, WebhookView, WebhookWithSecret
from sandbox.webhooks.service import (
    MOST_EARLIER,
    MOST_RESENT,
    MOST_WEBHOOKS,
    add_webhook,
    change_webhook,
    remove_webhook,
    rotate_secret,
    send_again_since,
    send_test,
)

PATH = "/api/v2/webhooks"


def present_webhook(session: TenantSession, webhook: Webhook) -> dict[str, Any]:
    """One webhook as an answer shows it."""
    session.flush()
    return webhooks.present(session, webhook)


def _create(call: Call) -> Done:
    webhook = add_webhook(call.session, call.body.model_dump())
    data = _with_secret(present_webhook(call.session, webhook), webhook.secret)
    return Done(data, {"Location": f"{PATH}/{webhook.id}"})


def _rotate(call: Call) -> Done:
    secret = rotate_secret(call.session, call.record)
    return Done(_with_secret(present_webhook(call.session, call.record), secret))


def _test(call: Call) -> Done:
    delivery = send_test(call.session, call.record)
    call.session.flush()
    call.subject = call.record.public_id
    data = show_delivery(call.session, delivery)
    return Done(data, {"Location": f"/api/v2/deliveries/{delivery.public_id}"})


def _resend(call: Call) -> Done:
    body: ResendBody = call.body
    if body.since and body.until and body.until < body.since:
        raise ValidationFailed({"to": "To must not be before from"})
    if not any((body.since, body.until, body.status, body.after)):
        raise ValidationFailed({"body": "Name from and to, or status, or after, or several of them"})
    call.subject = call.record.public_id
    again = send_again_since(
        call.session,
        call.record,
        since=body.since,
        until=body.until,
        after=body.after,
        only_failed=body.status is not None,
    )
    return Done(vars(again))


def _delete(call: Call) -> Done:
    data = {"id": call.record.id, "public_id": call.record.public_id}
    remove_webhook(call.session, call.record)
    return Done(data)


def _with_secret(shown: dict[str, Any], secret: str) -> dict[str, Any]:
    known = shown | {"secret": secret}
    return {name: known[name] for name in WebhookWithSecret.model_fields}


def _action(verb: str, path: str, handle: Handler, **details: Any) -> Operation:
    return Operation(
        id=f"webhooks.{verb}",
        method="POST",
        path=f"{PATH}/{{id}}/{path}",
        permission="integration:write",
        find=lambda call: webhooks.find(call),
        handle=handle,
        sample_path={"id": 1},
        **details,
    )


CREATE = Operation(
    id="webhooks.create",
    method="POST",
    path=PATH,
    summary="Create a webhook",
    outcome="Webhook created",
    description="Registers an address that is told of events. The answer shows the signing secret, here and never "
    "again. The address must be public, or be listed by the operator. If its name does not resolve, the webhook is "
    f"saved with a warning, and its status is `unverified` until the address responds. Maximum {MOST_WEBHOOKS}.",
    permission="integration:write",
    handle=_create,
    body=WebhookBody,
    returns=WebhookWithSecret,
    status=201,
    codes=("conflict",),
    sample=SAMPLE,
)
ACTIONS = (
    _action(
        "test",
        "test",
        _test,
        summary="Send a test event",
        outcome="Test event posted",
        description="Posts a message of the type `webhook.test` to this webhook, whatever it subscribes to, and "
        "answers with the delivery. Where the webhook is not active the message is held like any other.",
        returns=DeliveryView,
        status=201,
    ),
    _action(
        "resend",
        "resend",
        _resend,
        summary="Send messages again",
        outcome="Messages sent again",
        description="Puts messages that were delivered, failed or discarded back into the queue, oldest first, under "
        f"the ids they had. What is still under way is left alone. {MOST_RESENT:,} at most in one call; where there "
        "are more, `next_after` is what the next call gives as `after`.",
        body=ResendBody,
        returns=ResentView,
        sample={"status": "failed"},
    ),
    _action(
        "rotate_secret",
        "rotate-secret",
        _rotate,
        summary="Rotate the secret",
        outcome="Secret rotated",
        description="Gives the webhook a new signing secret, returned only here. For 24 hours of the sandbox's clock, "
        "messages also carry a signature by the old secret, so a receiver can change over without losing one. A "
        f"further rotation ends no earlier secret; {MOST_EARLIER} of them sign at most.",
        returns=WebhookWithSecret,
        codes=("conflict",),
    ),
)

webhooks = Resource(
    name="webhooks",
    singular="webhook",
    module="integration",
    description="Addresses of yours that are told of events as they happen. Messages are signed by the Standard "
    "Webhooks specification and tried again for three days. A reset leaves webhooks and their secrets alone.",
    model=Webhook,
    shows=WebhookView,
    accepts=WebhookBody,
    verbs=("list", "read", "replace", "update", "delete"),
    computed=COMPUTED,
    change=change_webhook,
    enrich=lambda session, rows: add_states(session, Webhook, rows),
    sample=SAMPLE,
    replacement=REPLACEMENT,
    removed_id=1,
    actions=ACTIONS,
)


def _operations() -> list[Operation]:
    """In an order in which the samples work, one after the other: the deletion comes last."""
    listing, read, whole, part, deletion, *actions = declare(webhooks)
    create, whole, part = [with_destination_checked(one, webhooks) for one in (CREATE, whole, part)]
    part = replace(part, sample=CHANGE)
    deletion = replace(
        deletion,
        handle=_delete,
        codes=(),
        description="Takes the webhook away. Its deliveries stay in the log; what was not delivered yet is discarded.",
    )
    return [listing, create, *actions, read, whole, part, deletion]


OPERATIONS = tuple(replace(operation, example=EXAMPLES[operation.id]) for operation in _operations())
