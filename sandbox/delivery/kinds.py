"""What tells webhooks and sends apart: how a message becomes a request, and what an answer means."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from portal.core.masking import MASK
from portal.core.outgoing import OutgoingAnswer, OutgoingRequest
from portal.core.session import TenantSession
from sandbox.delivery.models import Closed, Delivery, Endpoint


@dataclass(frozen=True)
class Parcel:
    """A request ready to go. `hidden` names the headers, in small letters, that no log may show.

    `secrets` are texts that no log may show wherever they stand, escaped or not: a receiver may send back what it got.
    """

    request: OutgoingRequest
    hidden: frozenset[str] = field(default_factory=frozenset)
    secrets: tuple[str, ...] = ()

    def hide(self, text: str) -> str:
        """The text without the secrets."""
        for secret in self.secrets:
            text = text.replace(secret, MASK).replace(json.dumps(secret)[1:-1], MASK)
        return text


@dataclass(frozen=True)
class Verdict:
    """What an answer means: delivered, or why not and whether to try again.

    `is_gone` asks to send nothing more, `is_overwhelmed` to go slower. `reference` is what the partner calls the
    record.
    """

    is_delivered: bool
    reason: str | None = None
    is_retryable: bool = True
    is_gone: bool = False
    is_overwhelmed: bool = False
    reference: str | None = None


Compose = Callable[[TenantSession, list[Delivery]], Mapping[int, Parcel]]
Judge = Callable[[TenantSession, Delivery, OutgoingAnswer], Verdict]
Closing = Callable[[TenantSession, Endpoint, Closed], None]
Objection = Callable[[TenantSession, Delivery], str | None]


@dataclass(frozen=True)
class KindOfDelivery:
    """A kind. `compose` makes parcels, by delivery id, and leaves out what can no longer be sent; the session reads
    only. `judge` reads an answer. `tell_closed` lets the owner know that the engine closed an endpoint.
    `why_not_again` tells what speaks against another try of an ended one; None where nothing does.
    """

    compose: Compose
    judge: Judge
    tell_closed: Closing
    why_not_again: Objection = lambda session, delivery: None


KINDS: dict[str, KindOfDelivery] = {}


def delivers(name: str, kind: KindOfDelivery) -> None:
    """Let the workers deliver what is posted to endpoints of the kind `name`."""
    KINDS[name] = kind
