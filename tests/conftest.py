"""What every test may use: an application on each store, tenants of its own, personas who call it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

import sandbox
from portal.app import create_app
from portal.commands import prepare_database
from portal.core.config import Settings, load_settings
from portal.core.database import Database
from portal.core.outgoing import OutgoingClient
from portal.core.runtime import OwnPlaces, Runtime
from sandbox.tenants import NewSandbox
from tests.lint import Page, read_page
from tests.spares import Spares
from tests.stores import Store, find_stores, redis_missing

ROOT = Path(__file__).resolve().parents[1]
SECRET = "a-secret-for-tests-that-is-long-enough"


hypothesis.settings.register_profile("slipway", deadline=None)
hypothesis.settings.load_profile("slipway")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what needs an application on every store there is."""
    if "store" in metafunc.fixturenames:
        is_single = metafunc.definition.get_closest_marker("one_store")
        stores = ["sqlite"] if is_single else ["sqlite", "postgresql"]
        metafunc.parametrize("store", stores, indirect=True, scope="session")


@pytest.fixture(scope="session")
def stores() -> Iterator[dict[str, Store]]:
    with find_stores() as found:
        yield found


@pytest.fixture(scope="session")
def store(request: pytest.FixtureRequest, stores: dict[str, Store]) -> Store:
    found = stores[request.param]
    if found.reason:
        pytest.skip(found.reason)
    return found


@pytest.fixture(scope="session")
def settings(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    environ = {
        "DATABASE_URL": store.database_url,
        "REDIS_URL": store.redis_url,
        "SECRET_KEY": SECRET,
        "INSTANCE_PATH": str(tmp_path_factory.mktemp("instance")),
        "BASE_URL": "http://localhost:8000",
        "THREADS": "8",
        "STORE_TIMEOUT": "60",
    }
    return load_settings(environ)


@pytest.fixture(scope="session")
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings, sandbox.extension)
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    parts = runtime_of(app)
    outgoing = OutgoingClient(settings.outgoing_allow, OwnPlaces(app, sandbox.extension.own_places), resolve_examples)
    app.extensions["slipway"] = replace(parts, outgoing=outgoing)
    prepare_database(parts.database, settings, sandbox.extension.preparations)
    yield app
    runtime_of(app).database.close()


def resolve_examples(host: str) -> list[str]:
    """A public address for the names that documentation may use (RFC 2606); no others are known here."""
    if host == "example.com" or host.endswith((".example", ".example.com")):
        return ["93.184.215.14"]
    raise OSError(f"{host} is unknown to the tests")


def runtime_of(app: Flask) -> Runtime:
    parts = app.extensions["slipway"]
    assert isinstance(parts, Runtime)
    return parts


@pytest.fixture
def database(app: Flask) -> Database:
    return runtime_of(app).database


@pytest.fixture
def address() -> str:
    """An address of the test's own, so that limits by address never meet."""
    number = int.from_bytes(os.urandom(3), "big")
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


@pytest.fixture
def client(app: Flask, address: str) -> FlaskClient:
    """A browser."""
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = address
    return client


@pytest.fixture
def new_client(app: Flask) -> Callable[[], FlaskClient]:
    """More browsers, each at an address of its own."""

    def make() -> FlaskClient:
        client = app.test_client()
        number = int.from_bytes(os.urandom(3), "big")
        client.environ_base["REMOTE_ADDR"] = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        return client

    return make


@pytest.fixture
def visit(client: FlaskClient) -> Callable[..., Page]:
    """Read a page as a careful visitor: it must answer 200 and be sound HTML."""

    def go(path: str, *, status: int = 200, **details: Any) -> Page:
        response = client.get(path, **details)
        assert response.status_code == status, f"{path}: {response.status_code}"
        return read_page(path, response)

    return go


@dataclass(frozen=True)
class Integration:
    """Somebody's program: a client of the API with one key."""

    client: FlaskClient
    key: str
    tenant: str

    def call(self, method: str, path: str, body: Any = None, **details: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.key}", **details.pop("headers", {})}
        if body is not None:
            details |= {"data": json.dumps(body), "content_type": "application/json"}
        return self.client.open(path, method=method, headers=headers, **details)

    def get(self, path: str, **details: Any) -> TestResponse:
        return self.call("GET", path, **details)

    def post(self, path: str, body: Any = None, **details: Any) -> TestResponse:
        return self.call("POST", path, body, **details)

    def put(self, path: str, body: Any = None, **details: Any) -> TestResponse:
        return self.call("PUT", path, body, **details)

    def patch(self, path: str, body: Any = None, **details: Any) -> TestResponse:
        return self.call("PATCH", path, body, **details)

    def delete(self, path: str, **details: Any) -> TestResponse:
        return self.call("DELETE", path, **details)


SandboxMaker = Callable[..., NewSandbox]


@pytest.fixture(scope="session")
def spares(app: Flask, settings: Settings) -> Iterator[Spares]:
    found = Spares(runtime_of(app).database, settings)
    yield found
    found.check()


@pytest.fixture
def new_sandbox(spares: Spares) -> Iterator[SandboxMaker]:
    """Sandboxes that are gone after the test."""
    made: list[int] = []

    def make(name: str = "Test", plan: str = "enterprise", **details: Any) -> NewSandbox:
        new = spares.take(name, plan, **details)
        made.append(new.tenant.id)
        return new

    yield make
    for tenant_id in made:
        spares.give_back(tenant_id)


@pytest.fixture
def as_role(app: Flask, address: str) -> Callable[[NewSandbox, str], Integration]:
    """An integration of a sandbox with the key of a role."""

    def make(new: NewSandbox, role: str) -> Integration:
        client = app.test_client()
        client.environ_base["REMOTE_ADDR"] = address
        return Integration(client, new.keys[role], new.tenant.public_id)

    return make


@pytest.fixture
def alices_sandbox(new_sandbox: SandboxMaker) -> NewSandbox:
    return new_sandbox("Alice's")


@pytest.fixture
def alice(alices_sandbox: NewSandbox, as_role: Callable[[NewSandbox, str], Integration]) -> Integration:
    """Administrator of her tenant."""
    return as_role(alices_sandbox, "administrator")


@pytest.fixture
def bob(alices_sandbox: NewSandbox, as_role: Callable[[NewSandbox, str], Integration]) -> Integration:
    """Viewer in alice's tenant."""
    return as_role(alices_sandbox, "viewer")


@pytest.fixture
def mallory(new_sandbox: SandboxMaker, as_role: Callable[[NewSandbox, str], Integration]) -> Integration:
    """Administrator of another tenant."""
    return as_role(new_sandbox("Mallory's"), "administrator")


@pytest.fixture
def live_server(app: Flask) -> Iterator[str]:
    """The same application behind a real socket; yields its origin."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    origin = f"http://127.0.0.1:{server.server_port}"
    parts = runtime_of(app)
    moved = parts.settings.model_copy(update={"self_url": origin})
    app.extensions["slipway"] = replace(parts, settings=moved)
    yield origin
    app.extensions["slipway"] = parts
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def content() -> Path:
    return ROOT / "content"


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Say in the last line what passed, failed and was left out, and why."""
    terminalreporter = config.pluginmanager.get_plugin("terminalreporter")
    if terminalreporter is None or hasattr(config, "workerinput") or config.option.collectonly:
        return
    stats = terminalreporter.stats
    passed, skipped = len(stats.get("passed", [])), len(stats.get("skipped", []))
    failed = len(stats.get("failed", [])) + len(stats.get("error", []))
    reasons = {str(report.longrepr[2]) for report in stats.get("skipped", []) if report.longrepr}
    left_out = sorted({reason.removeprefix("Skipped: ") for reason in reasons} | ({redis_missing()} - {""}))
    told = f"left out: {'; '.join(left_out)}" if left_out else "nothing was left out"
    terminalreporter.write_line(f"{passed} passed, {failed} failed, {skipped} skipped; {told}")
