"""Thirty secrets planted wherever text comes in: no store, page, export or process log holds one in clear."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from portal.core.database import Base, Database
from portal.core.types import EncryptedText
from sandbox.tenants import NewSandbox
from tests.conftest import Integration
from tests.sandbox.console.conftest import Visitor
from tests.sandbox.delivery.conftest import CourierMaker
from tests.sandbox.delivery.sink import Sink
from tests.sandbox.integration.outgoing.conftest import Connect, Map

pytestmark = pytest.mark.usefixtures("store")
CONFIGURED = {"connections": "url", "webhooks": "url"}
"""What an administrator typed as the address to call, which only they read again."""
PATHS = (
    "/api/v2/sandbox/requests?limit=100",
    "/api/v2/audit?limit=100",
    "/api/v2/events?limit=100",
    "/api/v2/integration/incoming-logs?limit=100",
    "/api/v2/integration/outgoing-logs?limit=100",
    "/api/v2/integration/outgoing-logs?format=csv",
    "/api/v2/sandbox/inbox?limit=100",
    "/api/v2/integration/connections",
)


class Planter:
    """Makes secrets no two of which are alike."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        return f"Planted{self.count:02}Zq"


@pytest.fixture
def plant() -> Planter:
    return Planter()


def stored_texts(database: Database, tenant_id: int) -> Iterator[tuple[str, str]]:
    """Every column of every row of a tenant, as text; what is encrypted stays so."""
    with database.transaction(write=False) as session:
        for mapper in Base.registry.mappers:
            table = mapper.local_table
            if "tenant_id" not in table.c:
                continue
            for row in session.connection().execute(select(table).where(table.c.tenant_id == tenant_id)):
                for column in table.c:
                    is_exempt = isinstance(column.type, EncryptedText) or CONFIGURED.get(table.name) == column.key
                    if not is_exempt:
                        yield f"{table.name}.{column.key}", str(row._mapping[column])


def call_with_secrets(alice: Integration, plant: Planter) -> None:
    """Calls of the Business API: refused, accepted, of an unknown path's record."""
    headers = {
        "X-Api-Token": plant(),
        "X-Acme-Key": plant(),
        "Proxy-Authorization": f"Basic {plant()}",
        "Cookie": f"sid={plant()}",
        "X-Client-Secret": plant(),
    }
    queries = f"token={plant()}&key={plant()}&api_key={plant()}&Access-Token={plant()}&to%6Ben={plant()}"
    body: dict[str, Any] = {
        "Password": plant(),
        "apiKey": plant(),
        "auth.token": plant(),
        "authorization": f"Bearer {plant()}",
        "auth": {"kind": "basic", "user": plant()},
        "callback": f"https://user:{plant()}@partner.example/x?sig={plant()}",
        "account": "",
    }
    refused = alice.post(f"/api/v2/customers?{queries}", body, headers=headers)
    assert refused.status_code == 400
    user = {"name": "Ann", "email": "ann@example.com", "password": f"{plant()}-long-enough"}
    assert alice.post("/api/v2/users", user).status_code == 201


def bring_records_in(alice: Integration, plant: Planter) -> None:
    """Incoming records with fields nobody maps."""
    record = {"vendorName": "A", "passwd": plant(), "credentials": [plant()], "link": f"ftp://a:{plant()}@b.example/"}
    alice.post(f"/api/v1/integration/incoming?mapping=vendor-master&access_key={plant()}", record)


def post_to_inbox(alice: Integration, plant: Planter) -> None:
    """What other programs send to a receiving address: a form, XML, JSON in JSON."""
    addresses = alice.get("/api/v2/sandbox/inbox/addresses").json["data"]
    url = addresses[0]["url"].split("localhost:8000")[-1]
    texts = (
        f"user=ann&client_secret={plant()}&x=1",
        f"<Login><UserPassword>{plant()}</UserPassword></Login>",
        '{"payload": "{\\"refreshToken\\": \\"' + plant() + '\\"}"}',
    )
    for text in texts:
        came = alice.client.post(f"{url}?code=1&token={plant()}", data=text, headers={"X-Hook-Token": plant()})
        assert came.status_code == 200


def send_to_partner(alice: Integration, connect: Connect, map_out: Map, partner: Sink, plant: Planter) -> None:
    """A connection whose address and headers hold secrets, to a partner who sends back what it should not."""
    header = plant()
    partner.says = f'{{"error": "bad X-Api-Token {header}", "access_token": "{plant()}"}}'.encode()
    answered = plant()
    partner.decide = lambda arrival: (400, {"Set-Cookie": f"session={answered}", "X-Trace-Token": answered})
    url = f"{partner.url}?apikey={plant()}&sig={plant()}"
    connection = connect(alice, url=url, headers=[{"name": "X-Api-Token", "value": header}])
    map_out(alice, connection)
    assert alice.post("/api/v2/invoices/1/send", {"mapping": "test"}).status_code == 201


def test_no_planted_secret_is_stored_shown_or_exported(
    alice: Integration,
    alices_sandbox: NewSandbox,
    connect: Connect,
    map_out: Map,
    partner: Sink,
    courier: CourierMaker,
    database: Database,
    plant: Planter,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    call_with_secrets(alice, plant)
    bring_records_in(alice, plant)
    post_to_inbox(alice, plant)
    send_to_partner(alice, connect, map_out, partner, plant)
    courier().deliver_due()
    assert partner.arrivals
    assert plant.count >= 30
    found = {place for place, text in stored_texts(database, alices_sandbox.tenant.id) if "Planted" in text}
    assert found == set()
    assert "Planted" not in caplog.text
    shown = [*PATHS, *details(alice)]
    assert [path for path in shown if "Planted" in alice.get(path).text.replace(partner.url, "")] == [
        "/api/v2/integration/connections"
    ]


def details(alice: Integration) -> list[str]:
    """Each call, message and send by itself."""
    paths = []
    for log in ("/api/v2/sandbox/requests", "/api/v2/integration/incoming-logs", "/api/v2/integration/outgoing-logs"):
        answer = alice.get(f"{log}?limit=100")
        assert answer.status_code == 200, answer.text
        paths += [f"{log}/{row.get('public_id') or row['request_id']}" for row in answer.json["data"]]
    return paths


def test_the_pages_of_the_logs_show_no_planted_secret(new_visitor: Callable[[], Visitor], plant: Planter) -> None:
    visitor = new_visitor()
    visitor.open_sandbox()
    alice = Integration(visitor.client, visitor.keys["administrator"], visitor.tenant)
    call_with_secrets(alice, plant)
    bring_records_in(alice, plant)
    post_to_inbox(alice, plant)
    hook = {"url": f"https://example.com/hook?token={plant()}", "events": ["customer.created"]}
    assert alice.post("/api/v2/webhooks", hook).status_code == 201
    alice.post("/api/v2/customers", {"account": "Causes an event"})
    starts = (
        "/sandbox/integration/webhooks",
        "/sandbox/requests",
        "/sandbox/integration/incoming/logs",
        "/sandbox/inbox",
    )
    seen = {path: visitor.get(path) for path in starts}
    links = {link for page in seen.values() for link in page.links if link.startswith(starts) and "?" not in link}
    seen |= {link: visitor.get(link) for link in links - set(starts) if not link.endswith(".csv")}
    assert len(seen) > 6
    assert [path for path, page in seen.items() if "Planted" in page.html] == []
    assert "Planted" not in visitor.client.get("/sandbox/integration/incoming/logs.csv").text


def test_a_header_that_a_client_may_set_does_not_decide_the_source(alice: Integration) -> None:
    headers = {"User-Agent": "Slipway-Console/1", "X-Slipway-Visitor": "made.up"}
    alice.get("/api/v2/customers/1", headers=headers)
    assert alice.get("/api/v2/sandbox/requests").json["data"][0]["source"] == "api"
