"""A receiver of webhooks: notes the id, subject and version of each message, and when it came."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Arrival:
    """One message. `version` is that of the record it tells of."""

    webhook_id: str
    type: str
    subject: str
    version: int
    at: float = 0.0


class Receiver(ThreadingHTTPServer):
    """Takes whatever is sent to it, apart for each path."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._arrivals: dict[str, list[Arrival]] = {}
        self._lock = threading.Lock()

    def url(self, path: str) -> str:
        """The address to give to the product."""
        return f"http://127.0.0.1:{self.server_port}{path}"

    def note(self, path: str, arrival: Arrival) -> None:
        with self._lock:
            self._arrivals.setdefault(path, []).append(arrival)

    def arrivals(self, path: str) -> list[Arrival]:
        """What came to a path so far, in order."""
        with self._lock:
            return list(self._arrivals.get(path, []))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.note(self.path, read_message(self.headers["webhook-id"], json.loads(body)))
        self.send_response(204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def read_message(webhook_id: str, body: dict[str, Any]) -> Arrival:
    """A message as it is noted. A payment has no version: it is written once."""
    data = body["data"]
    return Arrival(webhook_id, body["type"], data["public_id"], data.get("version", 1), time.monotonic())


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that runs meanwhile."""
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()
