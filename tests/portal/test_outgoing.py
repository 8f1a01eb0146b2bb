"""The one client for calls to other people's servers (contract section 7, attacks 20 and 21)."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from portal.core.names import resolve_within
from portal.core.outgoing import OutgoingClient, OutgoingFailed, OutgoingRequest
from tests.portal.certificates import Authority
from tests.portal.servers import Line, answering, once, serving

LOOPBACK = ("127.0.0.0/8",)
HELD_SECONDS, CUT_OFF_BY = 120, 60
"""A hostile server holds on for the first; a client that gives up in time is far below the second on any machine."""


def request(
    url: str, method: str = "POST", body: bytes = b"{}", timeout: float = 10, **headers: str
) -> OutgoingRequest:
    return OutgoingRequest(
        method, url, {name.replace("_", "-"): value for name, value in headers.items()}, body, timeout
    )


def failure(client: OutgoingClient, sent: OutgoingRequest) -> OutgoingFailed:
    with pytest.raises(OutgoingFailed) as raised:
        client.send(sent)
    return raised.value


@pytest.fixture
def client() -> Iterator[OutgoingClient]:
    """May call loopback; every name leads there."""
    client = OutgoingClient(LOOPBACK, resolve=lambda host: ["127.0.0.1"])
    yield client
    client.close()


def test_an_answer_comes_back_as_it_was_sent(client: OutgoingClient) -> None:
    with serving(answering("201 Created", b'{"id": 1}', "Retry-After: 7", "X-Two: a", "X-Two: b")) as stranger:
        answer = client.send(
            request(f"http://erp.example:{stranger.port}/in?a=%2F&b=", X_Token="t", content_type="x/y")
        )
    assert (answer.status, answer.body, answer.is_cut, answer.address) == (201, b'{"id": 1}', False, "127.0.0.1")
    assert [value for name, value in answer.headers if name == "X-Two"] == ["a", "b"]
    assert ("Retry-After", "7") in answer.headers
    assert 0 < answer.duration < 10
    head, _, body = stranger.heard[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /in?a=%2F&b= HTTP/1.1"
    assert {f"Host: erp.example:{stranger.port}", "X-Token: t", "content-type: x/y", "Content-Length: 2"} < set(lines)
    assert {"Accept-Encoding: identity", "User-Agent: Slipway/1"} < set(lines)
    assert body == b"{}"


def test_a_connection_is_kept_and_shared_by_many_threads(client: OutgoingClient) -> None:
    with serving(answering("200 OK", b"ok")) as stranger:
        sent = request(stranger.origin)
        for _ in range(3):
            assert client.send(sent).address == "127.0.0.1"
        assert stranger.connections == 1
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: client.send(sent), range(40)))
        client.close()
    assert [answer.status for answer in answers] == [200] * 40
    assert stranger.connections <= 41


def test_a_name_is_checked_each_time_it_is_resolved() -> None:
    """First public, then private: the address that was checked is the one that is connected to."""
    asked: list[str] = []

    def rebind(host: str) -> list[str]:
        asked.append(host)
        return ["93.184.215.14"] if len(asked) == 1 else ["127.0.0.1"]

    client = OutgoingClient((), resolve=rebind)
    with serving(answering("200 OK")) as stranger:
        url = f"http://erp.example:{stranger.port}/"
        client.check(url)
        assert failure(client, request(url)).kind == "forbidden"
    assert asked == ["erp.example", "erp.example"]
    assert stranger.connections == 0


def test_a_name_is_resolved_once_for_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between check and connection there is no second look that could see something else."""
    tried: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], timeout: float) -> None:
        tried.append(address)
        raise ConnectionRefusedError

    answers = iter([["93.184.215.14", "8.8.8.8"], ["127.0.0.1"]])
    client = OutgoingClient((), resolve=lambda host: next(answers))
    monkeypatch.setattr("portal.core.connections.socket.create_connection", connect)
    assert failure(client, request("https://erp.example/")).kind == "refused"
    assert tried == [("93.184.215.14", 443), ("8.8.8.8", 443)]


def test_addresses_of_our_own_machine_are_refused_however_they_are_written() -> None:
    with serving(answering("200 OK")) as stranger, OutgoingClientOf() as client:
        for host in ("127.0.0.1", "localhost", "LOCALHOST.", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0"):
            assert failure(client, request(f"http://{host}:{stranger.port}/")).kind == "forbidden", host
    assert stranger.connections == 0


def test_a_redirect_is_an_answer_and_is_not_followed(client: OutgoingClient) -> None:
    with serving(answering("200 OK")) as private:
        act = answering("307 Temporary Redirect", b"", f"Location: {private.origin}/secret")
        with serving(act) as stranger:
            answer = client.send(request(stranger.origin))
    assert answer.status == 307
    assert dict(answer.headers)["Location"].endswith("/secret")
    assert private.connections == 0


def test_no_proxy_no_cookie_and_no_netrc_is_used(
    client: OutgoingClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with serving(answering("502 Bad Gateway")) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.origin)
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        with serving(answering("200 OK", b"", "Set-Cookie: session=1; Path=/")) as stranger:
            for _ in range(2):
                assert client.send(request(stranger.origin)).status == 200
    assert proxy.connections == 0
    assert b"cookie" not in stranger.heard[1].lower()
    assert b"authorization" not in stranger.heard[1].lower()


def test_a_body_is_cut_and_an_endless_one_left_alone() -> None:
    def endless(line: Line) -> None:
        line.hear()
        line.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            line.say(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")

    with OutgoingClientOf(LOOPBACK, body_kept=1_000) as client:
        with serving(endless) as stranger:
            answer = client.send(request(stranger.origin))
        assert (len(answer.body), answer.is_cut) == (1_000, True)
        for length, is_cut in ((1_000, False), (1_001, True)):
            with serving(answering("200 OK", b"x" * length)) as stranger:
                answer = client.send(request(stranger.origin))
            assert (len(answer.body), answer.is_cut) == (1_000, is_cut)


def test_a_bomb_stays_as_small_as_it_was_sent(client: OutgoingClient) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < 65_536
    with serving(answering("200 OK", bomb, "Content-Encoding: gzip")) as stranger:
        assert client.send(request(stranger.origin)).body == bomb


@pytest.mark.parametrize(
    ("head", "dripping"),
    [
        (b"", b""),
        (b"", b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 1_000),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", b"x" * 9_000),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 9_000),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 9_000),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Trailer: 1\r\n" * 9_000),
    ],
    ids=["silence", "headers", "interim answers", "known length", "unknown length", "chunks", "trailers"],
)
def test_a_server_that_drips_is_cut_off_in_time(client: OutgoingClient, head: bytes, dripping: bytes) -> None:
    def act(line: Line) -> None:
        line.hear()
        line.say(head)
        line.drip(dripping)
        line.is_over.wait(HELD_SECONDS)

    with serving(act) as stranger:
        started = time.monotonic()
        assert failure(client, request(stranger.origin, timeout=0.4)).kind == "timeout"
        assert 0.3 < time.monotonic() - started < CUT_OFF_BY


def test_a_server_that_does_not_read_is_cut_off_in_time(client: OutgoingClient) -> None:
    def wait(line: Line) -> None:
        line.is_over.wait(HELD_SECONDS)

    with serving(wait) as stranger:
        sent = request(stranger.origin, body=b"x" * 50_000_000, timeout=0.4)
        started = time.monotonic()
        assert failure(client, sent).kind == "timeout"
        assert time.monotonic() - started < CUT_OFF_BY


def test_a_handshake_that_does_not_end_is_cut_off_in_time(client: OutgoingClient) -> None:
    def act(line: Line) -> None:
        line.drip(b"\x16\x03\x03\x40\x00" + b"\x02" * 9_000)

    with serving(act) as stranger:
        started = time.monotonic()
        assert failure(client, request(f"https://127.0.0.1:{stranger.port}/", timeout=0.4)).kind == "timeout"
        assert time.monotonic() - started < CUT_OFF_BY


def test_a_name_that_takes_too_long_is_cut_off_in_time() -> None:
    asked, over = threading.Event(), threading.Event()

    def hang(host: str) -> list[str]:
        asked.set()
        over.wait(HELD_SECONDS)
        return ["93.184.215.14"]

    with OutgoingClientOf(resolve=hang) as client:
        started = time.monotonic()
        assert failure(client, request("https://erp.example/", timeout=0.3)).kind == "timeout"
        assert time.monotonic() - started < CUT_OFF_BY
    over.set()
    assert asked.is_set()


def test_a_head_that_is_too_large_is_refused(client: OutgoingClient) -> None:
    line = b"X-Large: " + b"x" * 60_000 + b"\r\n"
    for head in (line * 5, b"X: 1\r\n" * 500, b"X" * 70_000):
        with serving(once(head=b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")) as stranger:
            assert failure(client, request(stranger.origin)).kind == "broken"


def test_kept_headers_are_few_short_and_clean(client: OutgoingClient) -> None:
    headers = ["X-Long: " + "x" * 9_000, "X-Control: a\x00b\x1b[31mc", *(f"X-{number}: 1" for number in range(80))]
    with serving(answering("200 OK", b"", *headers)) as stranger:
        answer = client.send(request(stranger.origin))
    assert len(answer.headers) == 64
    assert len(dict(answer.headers)["X-Long"]) == 2_000
    assert dict(answer.headers)["X-Control"] == "a b [31mc"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\x00\x01\x02",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab",
    ],
)
def test_half_an_answer_is_none(client: OutgoingClient, said: bytes) -> None:
    def act(line: Line) -> None:
        line.hear()
        line.say(said)

    with serving(act) as stranger:
        assert failure(client, request(stranger.origin)).kind == "broken"


def test_a_server_that_is_not_there_refuses(client: OutgoingClient) -> None:
    with serving(answering("200 OK")) as stranger:
        pass
    assert failure(client, request(stranger.origin)).kind == "refused"


def test_what_must_not_be_sent_is_refused(client: OutgoingClient) -> None:
    with serving(answering("200 OK")) as stranger:
        for name in (
            "Host",
            "content-length",
            "Transfer-Encoding",
            "Connection",
            "Proxy-Authorization",
            "X Y",
            "X\r\nY",
            "",
        ):
            assert failure(client, OutgoingRequest("POST", stranger.origin, {name: "1"}, b"")).kind == "forbidden", name
        for value in ("a\r\nX-Injected: 1", "a\nb", "a\x00b", "€", "\ud800"):
            assert failure(client, OutgoingRequest("POST", stranger.origin, {"X-A": value}, b"")).kind == "forbidden"
        for method in ("CONNECT", "TRACE", "post", "GET / HTTP/1.1\r\nX: 1", ""):
            assert failure(client, OutgoingRequest(method, stranger.origin, {}, b"")).kind == "forbidden", method
        assert stranger.connections == 0
        answer = client.send(request(stranger.origin, Accept_Encoding="gzip", user_agent="Mine/1", X_Name="Zürich"))
    assert answer.status == 200
    head = stranger.heard[0].lower()
    assert (head.count(b"accept-encoding: identity"), head.count(b"user-agent:")) == (1, 1)
    assert "X-Name: Zürich".encode("latin-1") in stranger.heard[0]


def test_our_own_places_are_reached_and_nothing_else_of_ours() -> None:
    with serving(answering("200 OK")) as ours:
        own = {"https://dev.example.com/inbox/": f"{ours.origin}/inbox/"}
        with OutgoingClientOf(own=own, resolve=lambda host: ["127.0.0.1"]) as client:
            client.check("https://dev.example.com/inbox/Abc_-9")
            assert client.send(request("https://dev.example.com/inbox/Abc_-9")).status == 200
            assert ours.heard[0].startswith(b"POST /inbox/Abc_-9 HTTP/1.1")
            for other in (
                *(
                    "inbox/",
                    "inbox",
                    "inbox/a/b",
                    "inbox/a?b",
                    "inbox/..",
                    "inbox/%2e%2e",
                    "inbox/a/../../api",
                    "inbox/a.",
                ),
                *(
                    "api/v2/customers",
                    "INBOX/abc",
                    "inbox//abc",
                    "inbox/a%2Fb",
                    "inbox/a;b",
                    "inbox/a\n",
                    "inbox/\\abc",
                ),
            ):
                assert failure(client, request(f"https://dev.example.com/{other}")).kind == "forbidden", other
            for url in (
                *(
                    "http://dev.example.com/inbox/abc",
                    "https://dev.example.com:8443/inbox/abc",
                    f"{ours.origin}/inbox/abc",
                ),
                *("https://dev.example.com.evil.example/inbox/abc", "https://dev.example.com@127.0.0.1/inbox/abc"),
                f"{ours.origin}/api/v2/customers",
            ):
                assert failure(client, request(url)).kind == "forbidden", url
    assert len(ours.heard) == 1


def test_a_kept_connection_to_our_own_place_serves_no_other_call() -> None:
    """Even where somebody names the host at which we reach ourselves."""
    with serving(answering("200 OK")) as ours:
        own = {"https://dev.example.com/inbox/": f"http://inside.example:{ours.port}/inbox/"}
        with OutgoingClientOf(own=own, resolve=lambda host: ["127.0.0.1"]) as client:
            assert client.send(request("https://dev.example.com/inbox/abc")).status == 200
            assert failure(client, request(f"http://inside.example:{ours.port}/api")).kind == "forbidden"


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """A certificate authority that this machine trusts."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return made


def test_a_certificate_is_verified_for_the_name(authority: Authority, client: OutgoingClient) -> None:
    with serving(answering("200 OK", b"safe"), authority.server("erp.example")) as stranger:
        url = f"https://ERP.example.:{stranger.port}/"
        assert [client.send(request(url)).body for _ in range(2)] == [b"safe", b"safe"]
        assert stranger.connections == 1
        refused = failure(client, request(f"https://other.example:{stranger.port}/"))
        assert refused.kind == "tls"
        assert "certificate" in refused.text
        assert failure(client, request(f"http://erp.example:{stranger.port}/")).kind == "broken"
        client.close()
    with serving(answering("200 OK"), authority.server("erp.example", days=-1)) as stranger:
        assert "expired" in failure(client, request(f"https://erp.example:{stranger.port}/")).text
    with serving(lambda line: line.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as stranger:
        assert failure(client, request(f"https://erp.example:{stranger.port}/")).kind == "tls"


def test_an_unknown_authority_is_not_trusted(client: OutgoingClient, tmp_path: Path) -> None:
    with serving(answering("200 OK"), Authority(tmp_path).server("erp.example")) as stranger:
        assert failure(client, request(f"https://erp.example:{stranger.port}/")).kind == "tls"
    assert stranger.heard == []


class OutgoingClientOf(OutgoingClient):
    """A client that is closed at the end of a block."""

    def __init__(self, allow: tuple[str, ...] = (), **details: object) -> None:
        super().__init__(allow, **details)  # type: ignore[arg-type]

    def __enter__(self) -> OutgoingClient:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def test_a_resolver_that_ends_its_thread_is_told_to_who_waits() -> None:
    def leave(host: str) -> list[str]:
        raise SystemExit

    outcome: list[BaseException] = []

    def resolve() -> None:
        try:
            resolve_within(600, leave)("partner.example")
        except BaseException as error:
            outcome.append(error)

    waiting = threading.Thread(target=resolve, daemon=True)
    waiting.start()
    waiting.join(timeout=60)
    assert [type(error) for error in outcome] == [OSError]
