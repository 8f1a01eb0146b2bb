"""Numbers no store holds and characters no store keeps, on pages: a refusal, never our fault."""

from __future__ import annotations

from collections.abc import Callable

from tests.sandbox.console.conftest import Visitor
from tests.sandbox.integration.incoming.forms import mapping_path, press

HUGE = "9" * 30
NUL = "%00"
ASKED = (
    f"/sandbox/inbox?address=-{HUGE}",
    f"/sandbox/inbox?address={HUGE}",
    f"/sandbox/integration/webhooks/deliveries?event={NUL}",
    f"/sandbox/integration/webhooks/deliveries?before={NUL}",
    f"/sandbox/integration/outgoing/logs?search={NUL}",
    f"/sandbox/integration/incoming/logs?mapping={NUL}",
    f"/sandbox/integration/webhooks/{HUGE}",
    f"/sandbox/integration/incoming/{HUGE}",
    f"/sandbox/integration/connections/{HUGE}",
)
SENT = {
    f"/sandbox/inbox/answers/{HUGE}/take-back": {},
    f"/sandbox/inbox/addresses/{HUGE}/delete": {},
    "/sandbox/integration/webhooks/deliveries": {"act": "discard", "delivery": "\0"},
    "/sandbox/integration/failed": {"act": "retry", "id": "\0"},
}


def test_no_odd_value_is_our_fault(new_visitor: Callable[[], Visitor]) -> None:
    visitor = new_visitor()
    visitor.open_sandbox()
    token = visitor.get("/sandbox").field("csrf_token")
    for path in ASKED:
        assert visitor.client.get(path).status_code in (200, 400, 404), path
    for path, data in SENT.items():
        assert visitor.client.post(path, data={"csrf_token": token, **data}).status_code in (303, 400, 404), path


def test_a_place_that_is_no_plain_number_changes_nothing(new_visitor: Callable[[], Visitor]) -> None:
    visitor = new_visitor()
    visitor.open_sandbox()
    path = mapping_path(visitor, "Vendor creation")
    page = visitor.get(path)
    for place in ("rows.²", "rows.२", f"rows.{HUGE * 200}", "rows.0.checks.²", f"rows.{HUGE * 200}.checks.0"):
        assert len(press(visitor, page, path, f"remove {place}").find_all("input", name="rows.5.source")) == 1, place
