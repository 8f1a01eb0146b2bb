"""A visitor at the console: a browser of its own, in front of a server that really answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update

from portal.core.clock import system_now
from portal.core.database import Database
from portal.tenancy.models import Tenant
from tests.conftest import runtime_of
from tests.lint import Page, read_page

SECRET_KEY = re.compile(r"sk_test_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}")


def code_in(page: Page) -> str:
    """What the page's panels and text fields hold, letter by letter."""
    nodes = [*page.root.iter("pre"), *page.root.iter("textarea")]
    return "\n".join("".join(node.itertext()) for node in nodes)


@dataclass
class Visitor:
    """A person with a browser."""

    client: FlaskClient
    database: Database
    keys: dict[str, str] = field(default_factory=dict)
    tenant: str = ""

    def get(self, path: str, status: int = 200) -> Page:
        response = self.client.get(path)
        assert response.status_code == status, f"{path}: {response.status_code}"
        return read_page(path, response)

    def post(self, path: str, data: dict[str, Any] | None = None, status: int = 200, **details: Any) -> Page:
        """Send a form of the console with the token its pages carry; follow to the page behind a redirect."""
        token = self.get("/sandbox").field("csrf_token")
        response = self.client.post(path, data={"csrf_token": token, **(data or {})}, **details)
        if response.status_code == 303:
            return self.get(response.location)
        assert response.status_code == status, f"{path}: {response.status_code}"
        return read_page(path, response)

    def open_sandbox(self, plan: str = "enterprise") -> Page:
        page = self.post("/sandbox", {"plan": plan})
        panels = {node.get("aria-label", ""): "".join(node.itertext()) for node in page.find_all("div", role="region")}
        self.keys = {
            label.removeprefix("Key for "): text.strip() for label, text in panels.items() if label.startswith("Key f")
        }
        self.tenant = panels["Tenant"].strip()
        return page

    def send(self, operation: str, status: int = 200, **fields: str) -> Page:
        """Fire a request; fields are named as in the form, a dot written as two underscores."""
        typed = {name.replace("__", "."): value for name, value in fields.items()}
        data = {"operation": operation, "role": "administrator", **typed}
        return self.post("/sandbox/requests", data, status)

    def expire(self) -> None:
        with self.database.transaction() as session:
            session.execute(update(Tenant).where(Tenant.public_id == self.tenant).values(expires_at=system_now()))


@pytest.fixture
def new_visitor(app: Flask, new_client: Callable[[], FlaskClient], live_server: str) -> Iterator[Callable[[], Visitor]]:
    """Visitors whose sandboxes are gone after the test."""
    met: list[Visitor] = []

    def meet() -> Visitor:
        visitor = Visitor(new_client(), runtime_of(app).database)
        met.append(visitor)
        return visitor

    yield meet
    with runtime_of(app).database.transaction() as session:
        mine = select(Tenant.id).where(Tenant.public_id.in_([visitor.tenant for visitor in met]))
        session.execute(delete(Tenant).where(Tenant.id.in_(mine)))


@pytest.fixture
def visitor(new_visitor: Callable[[], Visitor]) -> Visitor:
    """Somebody who has no sandbox yet."""
    return new_visitor()


@pytest.fixture
def alice(new_visitor: Callable[[], Visitor]) -> Visitor:
    """Somebody with a sandbox."""
    alice = new_visitor()
    alice.open_sandbox()
    return alice


@pytest.fixture
def mallory(new_visitor: Callable[[], Visitor]) -> Visitor:
    """Somebody else, with another sandbox."""
    mallory = new_visitor()
    mallory.open_sandbox()
    return mallory


@pytest.fixture
def unreachable(app: Flask, live_server: str) -> Iterator[str]:
    """The address of nobody, in place of the server's own."""
    parts = runtime_of(app)
    nobody = "http://127.0.0.1:9"
    app.extensions["slipway"] = replace(parts, settings=parts.settings.model_copy(update={"self_url": nobody}))
    yield nobody
    app.extensions["slipway"] = parts
