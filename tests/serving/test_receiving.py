"""A request is received whole before a thread of the application is taken (attacks 21, 22)."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from flask import Flask

from portal.serving.bodies import LARGEST_BODY
from tests.conftest import Integration, SandboxMaker, runtime_of
from tests.portal.people import new_email
from tests.serving.processes import Served, hear

pytestmark = pytest.mark.one_store
CHAT = "/api/v1/support/guest"
LEADS = "/api/public/leads"
LIST = "/api/v2/customers"
PAGE = "/docs/quickstart"


def post(path: str, *headers: str) -> bytes:
    """The head of a request."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def lead() -> bytes:
    return json.dumps({"source": "Website", "name": "Jane Roe", "email": new_email(), "message": "Hello"}).encode()


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


def status_of(raw: bytes) -> int:
    """The status of the last response in the bytes."""
    return int(raw[raw.rindex(b"HTTP/1.1 ") :].split(b" ")[1])


@contextmanager
def holding(served: Served, count: int, head: bytes) -> Iterator[list[socket.socket]]:
    """So many connections that have begun a request and go no further."""
    with ExitStack() as stack:
        lines = [stack.enter_context(served.connect()) for _ in range(count)]
        for line in lines:
            line.sendall(head)
        yield lines


@pytest.mark.parametrize("count", [16, 200])
@pytest.mark.parametrize(
    "head",
    [
        post(CHAT, "Content-Length: 900") + b"{",
        post("/contact", "Content-Length: 900") + b"x",
        post(LEADS, "Transfer-Encoding: chunked") + b"1\r\n{\r\n",
        post(LEADS, "Content-Length: 900", "Expect: 100-continue"),
        b"GET /healthz HTTP/1.1\r\nHost: local",
        b"",
    ],
    ids=["body", "form", "chunks", "expecting", "headers", "silence"],
)
def test_connections_that_send_nothing_more_keep_nobody_waiting(
    patient: Served, alice: Integration, count: int, head: bytes
) -> None:
    with holding(patient, count, head) as lines:
        assert patient.get("/healthz").status == 200
        assert patient.get(PAGE).status == 200
        assert patient.get("/contact").status == 200
        assert patient.get(LIST, x_api_key=alice.key).status == 200
        assert (
            patient.call(
                "POST", LIST, b'{"account": "Jane"}', x_api_key=alice.key, Content_Type="application/json"
            ).status
            == 201
        )
        assert all(is_silent(line) for line in lines)


def is_silent(line: socket.socket) -> bool:
    """Whether nothing, or the leave to go on, has come from the server, and the connection is open."""
    line.setblocking(False)
    try:
        return line.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
    except BlockingIOError:
        return True


def test_a_body_that_dawdles_is_refused_at_its_deadline(hasty: Served) -> None:
    raw = hasty.exchange(post(CHAT, "Content-Length: 900") + b"{")
    head, _, body = raw.partition(b"\r\n\r\n")
    told = json.loads(body)
    assert status_of(raw) == 408
    assert b"connection: close" in head
    assert b"retry-after: 2" in head.lower()
    assert (told["code"], told["message"]) == ("service_unavailable", "The request did not arrive within 0.5 seconds.")


def test_a_form_that_dawdles_is_refused_with_a_page(hasty: Served) -> None:
    raw = hasty.exchange(post("/contact", "Content-Length: 900") + b"x")
    assert status_of(raw) == 408
    assert b"text/html" in raw.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize("head", [b"", b"GET /healthz HTTP/1.1\r\nHost: local"])
def test_a_connection_without_a_request_is_closed_at_the_deadline(hasty: Served, head: bytes) -> None:
    assert hasty.exchange(head) == b""


def test_an_idle_connection_is_closed_at_the_deadline(hasty: Served) -> None:
    raw = hasty.exchange(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert raw.count(b"HTTP/1.1 ") == 1


def test_a_body_in_pieces_arrives_whole(patient: Served) -> None:
    body = lead()
    with patient.connect() as line:
        line.sendall(post(LEADS, f"Content-Length: {len(body)}", "Connection: close"))
        for byte in body:
            line.sendall(bytes([byte]))
        assert status_of(hear(line)) == 201
    raw = post(LEADS, "Transfer-Encoding: chunked", "Connection: close") + chunked(body[:9], body[9:])
    assert status_of(patient.exchange(raw)) == 201


def test_a_client_that_waits_for_leave_to_send_gets_it(patient: Served) -> None:
    body = lead()
    head = post(LEADS, f"Content-Length: {len(body)}", "Connection: close", "Expect: 100-continue")
    with patient.connect() as line:
        line.sendall(head)
        assert line.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        line.sendall(body)
        assert status_of(hear(line)) == 201


@pytest.mark.parametrize("length", [1_100_000, LARGEST_BODY + 1, 10**12])
def test_a_body_that_is_announced_too_large_is_refused(patient: Served, length: int) -> None:
    sent = b"x" * length if length < LARGEST_BODY else b"x"
    raw = patient.exchange(post(LEADS, f"Content-Length: {length}", "Connection: close") + sent)
    assert (status_of(raw), json.loads(raw.partition(b"\r\n\r\n")[2])["code"]) == (413, "payload_too_large")


def test_nobody_gets_leave_to_send_what_is_too_large(patient: Served) -> None:
    raw = patient.exchange(post(LEADS, f"Content-Length: {10**9}", "Expect: 100-continue"))
    assert raw.startswith(b"HTTP/1.1 413")


def test_an_endless_body_is_refused_as_soon_as_it_is_too_large(patient: Served) -> None:
    piece = b"x" * 100_000
    with patient.connect() as line:
        line.sendall(post(LEADS, "Transfer-Encoding: chunked"))
        with pytest.raises(OSError):
            for _ in range(LARGEST_BODY):
                line.sendall(chunked(piece, end=b""))


@pytest.mark.parametrize(
    "raw",
    [
        post(LEADS, "Content-Length: 900") + lead(),
        post(LEADS, "Transfer-Encoding: chunked") + chunked(lead(), end=b""),
        post(LEADS, "Transfer-Encoding: chunked") + b"zz\r\n{}",
    ],
    ids=["shorter than announced", "no last chunk", "no chunk"],
)
def test_a_body_that_breaks_off_is_not_carried_out(patient: Served, raw: bytes) -> None:
    assert status_of(patient.exchange(raw, ends=True)) == 400


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 3", "Content-Length: 4"),
        ("Content-Length: -3",),
        ("Content-Length: +3",),
        ("Content-Length: 3, 4",),
        ("Content-Length: 0x3",),
        ("X-Folded: a", " b", "Content-Length: 3"),
        ("X-Space : a", "Content-Length: 3"),
    ],
)
def test_a_head_that_could_be_read_in_two_ways_is_refused(patient: Served, headers: tuple[str, ...]) -> None:
    assert status_of(patient.exchange(post(LEADS, *headers) + b"{} {}")) == 400


def test_what_follows_a_body_is_the_next_request(patient: Served) -> None:
    body = lead()
    health = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    raw = patient.exchange(post(LEADS, f"Content-Length: {len(body)}") + body + health)
    assert raw.count(b"HTTP/1.1 201") == 1
    assert raw.endswith(b'{"status":"ok"}\n')


def test_nothing_after_a_body_that_was_refused_is_taken_for_a_request(hasty: Served) -> None:
    hidden = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    raw = hasty.exchange(post(LEADS, "Content-Length: 900") + hidden)
    assert raw.count(b"HTTP/1.1 ") == 1
    raw = hasty.exchange(post(LEADS, f"Content-Length: {10**9}") + hidden)
    assert raw.count(b"HTTP/1.1 ") == 1


def test_two_tenants_bodies_are_never_mixed_up(patient: Served, app: Flask, new_sandbox: SandboxMaker) -> None:
    assert runtime_of(app).settings.secret_key == patient.settings.secret_key
    keys = [new_sandbox(name).keys["administrator"] for name in ("Alice's", "Mallory's")]
    with ExitStack() as stack:
        lines = [stack.enter_context(patient.connect()) for _ in range(20)]
        bodies = [json.dumps({"account": f"Number {number}"}).encode() for number in range(20)]
        for number, line in enumerate(lines):
            key, body = keys[number % 2], bodies[number]
            line.sendall(
                post(LIST, f"Content-Length: {len(body)}", f"x-api-key: {key}", "Connection: close") + body[:9]
            )
        for number in reversed(range(20)):
            lines[number].sendall(bodies[number][9:])
        for number, line in enumerate(lines):
            assert json.loads(hear(line).partition(b"\r\n\r\n")[2])["data"]["account"] == f"Number {number}"
