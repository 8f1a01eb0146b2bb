"""Events as their pages show them: what the document's webhooks say, and a message as it is sent."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
from dataclasses import dataclass

from portal.docs.exact_json import compact
from portal.docs.reference import Body

SECRET = "whsec_c2xpcHdheS1leGFtcGxlLXNlY3JldC0x"  # noqa: S105 — the secret of the examples, and of nothing else
MESSAGE_ID = "evt_0c7b5f3e91a84d62c0b7f15e"


@dataclass(frozen=True, eq=False)
class Event:
    """One event: its name, what happened in a sentence, and what its message carries."""

    name: str
    summary: str
    body: Body

    @property
    def url(self) -> str:
        return f"/events/{self.name}"

    @property
    def family(self) -> str:
        """What stands for this event and its kin in a subscription: `customer.*`."""
        return f"{self.name.partition('.')[0]}.*"

    @property
    def payload(self) -> str:
        """The example as it is sent: one line, which is what the signature is about."""
        return compact(self.body.examples[0].value)

    @property
    def headers(self) -> dict[str, str]:
        """The three headers of the example, signed with SECRET (Standard Webhooks specification)."""
        at = dt.datetime.fromisoformat(self.body.examples[0].value["timestamp"])
        stamp = str(int(at.timestamp()))
        signed = f"{MESSAGE_ID}.{stamp}.{self.payload}".encode()
        digest = hmac.digest(base64.b64decode(SECRET.removeprefix("whsec_")), signed, "sha256")
        signature = f"v1,{base64.b64encode(digest).decode()}"
        return {"webhook-id": MESSAGE_ID, "webhook-timestamp": stamp, "webhook-signature": signature}
