"""Hebrew in the sandbox's pages: names in lists, results, bodies that arrived."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from tests.conftest import Integration
from tests.direction import misdirected
from tests.sandbox.console.conftest import Visitor, code_in

NAME = "דנה כהן, בע״מ"
pytestmark = pytest.mark.one_store


@pytest.fixture
def dana(new_visitor: Callable[[], Visitor]) -> Visitor:
    visitor = new_visitor()
    visitor.open_sandbox()
    return visitor


def check(visitor: Visitor, path: str) -> None:
    page = visitor.get(path)
    assert NAME in page.text or NAME in page.html.replace("&#34;", '"'), path
    assert misdirected(page) == [], path


def test_the_consoles_results_and_its_log_lay_out_hebrew_in_its_own_direction(dana: Visitor) -> None:
    answered = dana.send("tickets.create", body=f'{{"subject": "{NAME}", "message": "{NAME}", "department_id": 1}}')
    assert NAME in answered.text
    assert misdirected(answered) == []
    request = re.findall(r"/sandbox/requests/(req_\w+)", answered.html)[0]
    check(dana, f"/sandbox/requests/{request}")


def test_keys_and_the_inbox_lay_out_hebrew_in_its_own_direction(dana: Visitor) -> None:
    dana.post("/sandbox/keys", {"name": NAME, "role": "viewer"})
    check(dana, "/sandbox/keys")
    dana.post("/sandbox/inbox/addresses", {"name": NAME})
    url = [line for line in code_in(dana.get("/sandbox/inbox")).split("\n") if "/inbox/" in line][-1]
    for body in (f'{{"name": "{NAME}"}}', NAME):
        dana.client.post(urlsplit(url.strip()).path, data=body.encode(), headers={"X-Name": "x"})
    check(dana, "/sandbox/inbox")
    for link in [link for link in dana.get("/sandbox/inbox").links if "/inbox/ibm_" in link]:
        check(dana, link)


def test_integration_pages_lay_out_hebrew_in_its_own_direction(dana: Visitor) -> None:
    caller = Integration(dana.client, dana.keys["administrator"], dana.tenant)
    root = "/api/v2/integration"
    connection = caller.post(f"{root}/connections", {"name": NAME, "url": "https://partner.example.com/in"}).json[
        "data"
    ]
    mapping = {"name": NAME, "slug": "dana", "connection_id": connection["public_id"], "source": "invoice",
               "rows": [{"parameter": "n", "field": "invoice_number", "type": "String"}], "manual": True}  # fmt: skip
    outgoing = caller.post(f"{root}/outgoing-mappings", mapping)
    assert outgoing.status_code == 201, outgoing.text
    hook = {"url": "https://partner.example.com/hook", "events": ["customer.*"], "description": NAME}
    webhook = caller.post("/api/v2/webhooks", hook)
    assert webhook.status_code == 201, webhook.text
    pages = "/sandbox/integration"
    for path in (
        f"{pages}/connections",
        f"{pages}/connections/{connection['public_id']}",
        f"{pages}/outgoing",
        f"{pages}/outgoing/{outgoing.json['data']['public_id']}",
        f"{pages}/settings",
        f"{pages}/webhooks",
        f"{pages}/webhooks/{webhook.json['data']['public_id']}",
    ):
        check(dana, path)
