"""What the application is told of a request, and what of its response arrives: as under any other server."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.core.config import Settings
from portal.serving.adapter import RequestServer
from portal.serving.bodies import Receiver
from portal.serving.composing import instant_responses
from portal.serving.environ import build_environ
from tests.conftest import Integration
from tests.serving.conftest import one_process
from tests.serving.processes import Served, hear

pytestmark = pytest.mark.one_store
LIST = "/api/v2/customers"


def run_aside(work: Coroutine[Any, Any, list[int]]) -> list[int]:
    """Run on a thread of its own: a browser test of the same process leaves a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result(timeout=180)


@pytest.fixture(scope="module")
def proxied(app: Flask, settings: Settings) -> Iterator[Served]:
    """Behind one trusted proxy."""
    yield from one_process(settings, TRUSTED_PROXIES="1", METRICS_TOKEN="a-token-for-metrics")


def send(served: Served, *lines: str) -> bytes:
    return served.exchange("\r\n".join([*lines, "Host: localhost", "Connection: close", "", ""]).encode())


@pytest.mark.parametrize("path", ["/docs/quickstart", LIST, "/contact", "/healthz", "/nowhere"])
def test_head_tells_what_get_tells_without_a_body(patient: Served, alice: Integration, path: str) -> None:
    got, headed = (patient.call(method, path, x_api_key=alice.key) for method in ("GET", "HEAD"))
    assert (headed.status, headed.text) == (got.status, "")
    assert headed.headers["content-type"] == got.headers["content-type"]
    assert headed.headers["content-length"] == got.headers["content-length"]


@pytest.mark.parametrize("path", ["/docs/quickstart", LIST, "/contact", "/healthz"])
def test_every_response_has_an_id_and_the_security_headers(patient: Served, alice: Integration, path: str) -> None:
    own = patient.get(path, x_api_key=alice.key, X_Request_Id="my-own-1")
    assert own.headers["x-request-id"] == "my-own-1"
    other = patient.get(path, x_api_key=alice.key, X_Request_Id="not mine!")
    assert other.headers["x-request-id"].startswith("req_")
    assert other.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in other.headers["content-security-policy"]


def test_health_takes_get_only_and_other_methods_are_told_so(patient: Served) -> None:
    assert patient.call("POST", "/healthz", b"{}").status == 405
    assert set(patient.call("OPTIONS", "/healthz").headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_a_page_is_known_by_its_tag_and_sent_compressed(patient: Served) -> None:
    first = patient.get("/docs/quickstart")
    again = patient.get("/docs/quickstart", If_None_Match=first.headers["etag"])
    assert (again.status, again.text) == (304, "")
    assert patient.call("HEAD", "/docs/quickstart", Accept_Encoding="br").headers["content-encoding"] == "br"


def test_options_and_cors_are_answered(patient: Served) -> None:
    answer = patient.call(
        "OPTIONS", "/api/public/leads", Origin="https://shop.example", Access_Control_Request_Method="POST"
    )
    assert answer.headers["access-control-allow-origin"]
    assert "GET" in patient.call("OPTIONS", LIST).headers["allow"]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("//api//v2/customers", 404),
        ("/api/v2/customers/..%2f..%2fmetrics", 404),
        ("/api/v2/customers/../../healthz", 404),
        ("/docs/%ff%fe", 404),
        ("/docs/%00", 404),
        ("/docs/quickstart?a=%ff&b[]=%00", 200),
        ("/docs/gr%C3%BC%C3%9Fe", 404),
        ("*", 404),
        ("http://elsewhere.example/healthz", 200),
        ("/" + "a" * 60_000, 404),
    ],
)
def test_odd_targets_reach_nothing_else(patient: Served, target: str, status: int) -> None:
    raw = send(patient, f"GET {target} HTTP/1.1")
    assert int(raw.split(b" ")[1]) == status


def test_one_header_with_two_lines_and_one_with_underscores(patient: Served, alice: Integration) -> None:
    twice = send(patient, f"GET {LIST} HTTP/1.1", f"x-api-key: {alice.key}", "x-api-key: another")
    posing = send(patient, f"GET {LIST} HTTP/1.1", f"x_api_key: {alice.key}")
    both = send(patient, f"GET {LIST} HTTP/1.1", f"x-api-key: {alice.key}", "X_Api_Key: another")
    assert [int(raw.split(b" ")[1]) for raw in (twice, posing, both)] == [401, 401, 200]


def test_only_the_trusted_proxy_says_who_the_client_is(proxied: Served, patient: Served) -> None:
    """Metrics are for loopback, and for who holds the token."""
    assert patient.get("/metrics").status == 200
    assert patient.get("/metrics", X_Forwarded_For="127.0.0.1").status == 404
    assert proxied.get("/metrics", X_Forwarded_For="127.0.0.1").status == 404
    assert proxied.get("/metrics", X_Forwarded_For="203.0.113.9").status == 404
    assert (
        proxied.get("/metrics", X_Forwarded_For="203.0.113.9", Authorization="Bearer a-token-for-metrics").status == 200
    )


@pytest.mark.parametrize("scenario", ["lost_response", "timeout; ms=1"])
def test_a_response_that_is_to_be_lost_is_cut_off(patient: Served, alice: Integration, scenario: str) -> None:
    headers = {"x_api_key": alice.key, "Content_Type": "application/json", "X_Sandbox_Scenario": scenario}
    for number in range(20):
        with pytest.raises((http.client.IncompleteRead, http.client.RemoteDisconnected)):
            patient.call("POST", LIST, b'{"account": "Lost %d"}' % number, **headers)
    found = json.loads(patient.get(LIST + "?search=Lost", x_api_key=alice.key).text)
    assert found["meta"]["total_records"] == (20 if scenario == "lost_response" else 0)


def test_who_reads_slowly_holds_no_thread(patient: Served, alice: Integration) -> None:
    """Two threads, ten readers who ask for much and take nothing."""
    head = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    lines = [patient.connect() for _ in range(10)]
    try:
        for line in lines:
            line.sendall(head)
        assert patient.get(LIST, x_api_key=alice.key).status == 200
        assert hear(lines[0]).startswith(b"HTTP/1.1 200")
    finally:
        for line in lines:
            line.close()


class FakeHeaders:
    def __init__(self, lines: list[tuple[str, str]]) -> None:
        self._lines = lines

    def items(self) -> list[tuple[str, str]]:
        return self._lines

    def get(self, key: str, default: str | None = None) -> str | None:
        return dict(self._lines).get(key, default)

    def __contains__(self, key: str) -> bool:
        return key in dict(self._lines)


class FakeScope:
    http_version, server, client, scheme, method = "1.1", "[::1]:8000", "[2001:db8::7]:50000", "http", "POST"
    path, query_string, authority = "/grüße", "a=1", None
    headers = FakeHeaders(
        [
            ("host", "a.example"),
            ("cookie", "a=1"),
            ("cookie", "b=2"),
            ("accept", "x"),
            ("accept", "y"),
            ("content-type", "text/plain"),
            ("content-length", "3"),
            ("x_forwarded_for", "spoofed"),
        ]
    )


def test_the_environ_is_what_pep_3333_asks_for() -> None:
    environ = build_environ(FakeScope())  # type: ignore[arg-type]
    assert (environ["REMOTE_ADDR"], environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("2001:db8::7", "::1", "8000")
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/grüße"
    assert (environ["HTTP_COOKIE"], environ["HTTP_ACCEPT"]) == ("a=1;b=2", "x,y")
    assert (environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"]) == ("text/plain", "3")
    assert "HTTP_X_FORWARDED_FOR" not in environ
    assert not [key for key in environ if key.isupper() and key.startswith(("PATH=", "HOME"))]


class FakeExchange:
    def __init__(self) -> None:
        self.sent: list[tuple[int, list[tuple[str, str]], bytes]] = []
        self.came = threading.Event()

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.sent.append((status, headers, body))
        self.came.set()


def test_what_is_in_memory_is_answered_while_every_thread_is_held(app: Flask, client: FlaskClient) -> None:
    """One thread, which waits until a printed page and the health were told."""
    assert client.get("/docs/quickstart").status_code == 200
    told = threading.Event()

    def application(environ: dict, start_response: Callable) -> list[bytes]:  # type: ignore[type-arg]
        assert told.wait(60)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    async def run() -> list[int]:
        server = RequestServer(application, Receiver(60), 1, instant_responses(app))
        server.__rsgi_init__(asyncio.get_running_loop())
        exchanges = {path: FakeExchange() for path in ("/held", "/docs/quickstart", "/healthz")}
        async with asyncio.TaskGroup() as group:
            for path, exchange in exchanges.items():
                scope = FakeScope()
                scope.method, scope.path, scope.headers = "GET", path, FakeHeaders([("host", "a.example")])
                group.create_task(server.__rsgi__(scope, exchange))  # type: ignore[arg-type]
            while not all(exchanges[path].sent for path in ("/docs/quickstart", "/healthz")):
                await asyncio.sleep(0)
            assert not exchanges["/held"].sent
            told.set()
        return [exchange.sent[0][0] for exchange in exchanges.values()]

    assert run_aside(asyncio.wait_for(run(), 120)) == [200, 200, 200]


def test_staff_are_handed_their_own_edition_of_a_printed_page(app: Flask) -> None:
    """The Cookie header may come in several lines."""
    app.test_client().get("/docs/quickstart")
    respond, bodies = instant_responses(app), []
    for cookies in ([], ["slipway_session=x"], ["slipway_session=x", "slipway_desk=1"]):
        scope = FakeScope()
        headers = [("host", "a.example"), *(("cookie", value) for value in cookies)]
        scope.method, scope.path, scope.headers = "GET", "/docs/quickstart", FakeHeaders(headers)
        found = respond(scope)  # type: ignore[arg-type]
        assert found is not None
        bodies.append(b'href="/staff"' in found[2])
    assert bodies == [False, False, True]


@pytest.mark.parametrize("error", [RuntimeError, SystemExit, KeyboardInterrupt])
def test_no_error_ends_a_thread_of_the_application(error: type[BaseException]) -> None:
    """One thread: the second request is answered after the first has failed as badly as can be."""

    def application(environ: dict, start_response: Callable) -> list[bytes]:  # type: ignore[type-arg]
        if environ["REQUEST_METHOD"] == "POST":
            raise error
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    async def run() -> list[int]:
        server = RequestServer(application, Receiver(60), 1, lambda scope: None)
        loop = asyncio.get_running_loop()
        server.__rsgi_init__(loop)
        statuses = []
        for method in ("POST", "GET"):
            scope, exchange = FakeScope(), FakeExchange()
            scope.method, scope.headers = method, FakeHeaders([("host", "a.example")])
            await asyncio.wait_for(server.__rsgi__(scope, exchange), 60)  # type: ignore[arg-type]
            statuses.append(exchange.sent[0][0])
        server.__rsgi_del__(loop)
        return statuses

    assert run_aside(run()) == [500, 200]
