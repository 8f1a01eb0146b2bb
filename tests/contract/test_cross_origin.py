"""Scripts of other sites reach public operations only; no cache keeps an answer (contract section 4)."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.conftest import Integration

LEADS = "/api/public/leads"
CHAT = "/api/v1/support/guest"
ORIGIN = {"Origin": "https://shop.example"}
ASKS = ORIGIN | {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type,x-publishable-key",
}


@pytest.mark.parametrize("path", [LEADS, CHAT, f"{CHAT}/cnv_000000000000000000000000/messages"])
def test_a_browser_that_asks_first_may_call_a_public_operation(client: FlaskClient, path: str) -> None:
    answer = client.options(path, headers=ASKS)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert "content-type" in allowed
    assert "x-publishable-key" in allowed
    assert ("authorization" in allowed) == path.endswith("/messages"), "only where a guest token is taken"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_script_may_read_the_answer_refusals_too(client: FlaskClient) -> None:
    wrong_key = {"X-Publishable-Key": "pk_test_nobody"}
    for answer in (
        client.post(LEADS, json={}, headers=ORIGIN),
        client.post(LEADS, data="{", content_type="text/plain", headers=ORIGIN),
        client.post(LEADS, json={}, headers=ORIGIN | wrong_key),
        client.get(f"{CHAT}/cnv_000000000000000000000000/events", headers=ORIGIN),
    ):
        assert answer.status_code >= 400
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]


def test_nothing_else_is_open_to_other_sites(alice: Integration) -> None:
    for path in ("/api/v2/customers", "/oauth/token", "/contact", "/sandbox", "/support", "/account/sign-in"):
        for method in ("OPTIONS", "GET", "POST"):
            headers = alice.call(method, path, headers=ASKS).headers
            assert not [name for name, _ in headers if name.startswith("Access-Control-")], (method, path)


def test_no_cache_keeps_an_answer_of_the_api(alice: Integration) -> None:
    for answer in (
        alice.get("/api/v2/customers"),
        alice.client.get("/api/v2/customers", headers={"x-api-key": alice.key}),
        alice.get("/api/v2/customers/999"),
        alice.client.get("/api/v2/customers"),
        alice.client.get("/api/v2/nothing"),
        alice.get(f"/api/tenants/{alice.tenant}/reports/sales?from=2026-05-01&to=2026-05-02&format=csv"),
    ):
        assert answer.headers["Cache-Control"] in {"no-store", "private, no-cache"}, answer.request.path
