"""A receiver on loopback that answers as it is told and remembers what came."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, dict[str, str]]


@dataclass(frozen=True)
class Arrival:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"


@dataclass
class Sink:
    """Answers with what `decide` says of an arrival, a status and headers, and with the body `says`."""

    url: str = ""
    says: bytes = b"ok"
    decide: Callable[[Arrival], Answer] = lambda arrival: (200, {})
    arrivals: list[Arrival] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    hold: threading.Event | None = None

    @property
    def ids(self) -> list[str]:
        return [arrival.headers["webhook-id"] for arrival in self.arrivals]

    def receive(self, arrival: Arrival) -> Answer:
        with self.lock:
            self.arrivals.append(arrival)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.hold is not None:
                self.hold.wait(0.05)
            return self.decide(arrival)
        finally:
            with self.lock:
                self.at_once -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *arguments: object) -> None:
        """Say nothing of senders that were killed."""


@contextmanager
def open_sink() -> Iterator[Sink]:
    """A sink that listens until the end of the block."""
    sink = Sink()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(length)
            if len(body) < length:
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more = sink.receive(Arrival(self.path, headers, body, self.command))
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(sink.says)))
            self.end_headers()
            self.wfile.write(sink.says)

        do_PUT = do_PATCH = do_POST

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    sink.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
