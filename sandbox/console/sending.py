"""Sending a request for real: over HTTP, to this very deployment and to nowhere else."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import requests
from flask import current_app
from flask.blueprints import BlueprintSetupState

from portal.core.errors import ServiceUnavailable

TIMEOUT = 30
LARGEST_ANSWER = 2 * 1024 * 1024
USER_AGENT = "Slipway-Console/1"
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """What came back. `duration` is in milliseconds; `is_cut` marks a body over LARGEST_ANSWER."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    duration: int
    is_cut: bool = False

    def header(self, name: str) -> str:
        """The value of a header, whatever its case; empty when absent."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@dataclass(frozen=True)
class Silence:
    """No whole answer came; `reason` says so in a sentence."""

    reason: str
    duration: int


def prepare_slots(state: BlueprintSetupState) -> None:
    """Let half of a process's threads wait for console calls, so that the others can answer them."""
    threads: int = state.app.extensions["slipway"].settings.threads
    state.app.extensions["console_slots"] = threading.BoundedSemaphore(max(1, threads // 2))


def send(origin: str, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Answer | Silence:
    """Send one request to `origin`, this deployment's own address, and wait for the answer.

    `target` is path and query, percent-encoded. Redirects are shown, not followed. Raises
    ServiceUnavailable at once when every slot is taken: waiting would starve the calls already under way.
    """
    sent = {"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "identity", **headers}
    with _slot(), requests.Session() as client:
        client.trust_env = False
        prepared = requests.Request(method, origin, headers=sent, data=body).prepare()
        prepared.url = origin + target
        return _exchange(client, prepared)


def _exchange(client: requests.Session, prepared: requests.PreparedRequest) -> Answer | Silence:
    started = time.perf_counter()
    try:
        with client.send(prepared, timeout=TIMEOUT, allow_redirects=False, stream=True) as response:
            body, is_cut = _read(response, started + TIMEOUT)
            headers = tuple(response.headers.items())
            return Answer(response.status_code, headers, body, _since(started), is_cut)
    except requests.Timeout:
        return Silence(f"No answer arrived within {TIMEOUT} seconds.", _since(started))
    except requests.RequestException:
        return Silence("The connection broke before a whole answer had arrived.", _since(started))


def _read(response: requests.Response, deadline: float) -> tuple[bytes, bool]:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > LARGEST_ANSWER:
            return bytes(body[:LARGEST_ANSWER]), True
        if time.perf_counter() > deadline:
            raise requests.Timeout
    return bytes(body), False


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)


@contextmanager
def _slot() -> Iterator[None]:
    slots: threading.BoundedSemaphore = current_app.extensions["console_slots"]
    if not slots.acquire(blocking=False):
        raise ServiceUnavailable("The console is sending as many requests as it can. Try again in a moment.")
    try:
        yield
    finally:
        slots.release()
