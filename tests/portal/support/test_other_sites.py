"""Scripts of other sites in the chat: with a publishable key like a server, without one not at all (contract 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from sandbox.tenants import NewSandbox
from tests.portal.people import new_email

BASE = "/api/v1/support/guest"
SEED = {"fullName": "Jane Smith", "phoneNumber": "9876543210", "message": "My call answers 401."}
FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://shop.example"},
    {"Origin": "null"},
    {"Origin": "https://shop.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
    {"Origin": "http://shop.localhost", "Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_another_sites_script_without_a_key_is_refused_before_anything_is_written(
    new_client: Callable[[], FlaskClient], sam: FlaskClient, headers: dict[str, str]
) -> None:
    email = new_email()
    for body in (SEED | {"email": email}, {"nonsense": 1}):
        refused = new_client().post(BASE, json=body, headers=headers | {"Idempotency-Key": "k-1"})
        assert (refused.status_code, refused.get_json()["code"]) == (403, "forbidden")
        assert "X-Publishable-Key" in refused.get_json()["message"]
        assert "Set-Cookie" not in refused.headers
        assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert "cnv_" not in sam.get(f"/staff?q={email}").get_data(as_text=True)


@pytest.mark.parametrize("headers", FOREIGN)
def test_another_sites_script_with_a_key_talks_as_a_server_does(
    new_client: Callable[[], FlaskClient], alices_sandbox: NewSandbox, headers: dict[str, str]
) -> None:
    client, keyed = new_client(), headers | {"X-Publishable-Key": alices_sandbox.tenant.publishable_id or ""}
    begun = client.post(BASE, json=SEED | {"email": new_email()}, headers=keyed)
    assert (begun.status_code, "Set-Cookie" in begun.headers) == (201, False)
    data = begun.get_json()["data"]
    proof = keyed | {"Authorization": f"Bearer {data['guest_token']}"}
    path = f"{BASE}/{data['public_id']}"
    said: Any = client.post(f"{path}/messages", json={"message": "Hi", "client_msg_id": "1"}, headers=proof)
    read: Any = client.get(f"{path}/events?after=1", headers=proof)
    assert (said.status_code, [line["text"] for line in read.get_json()["data"]["events"]]) == (201, ["Hi"])
    assert client.get(f"{path}/events", headers=keyed).status_code == 404


def test_the_portals_own_page_still_gets_a_cookie(new_client: Callable[[], FlaskClient]) -> None:
    for headers in ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, {"Origin": "http://localhost"}):
        begun = new_client().post(BASE, json=SEED | {"email": new_email()}, headers=headers)
        assert (begun.status_code, "Set-Cookie" in begun.headers) == (201, True)
        assert "guest_token" not in begun.get_json()["data"]
