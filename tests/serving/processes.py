"""Our server as operators run it: processes of their own, real sockets."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.core.config import Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120
"""Seconds: far longer than anything takes, on any machine."""


@dataclass(frozen=True)
class Answer:
    """A response, read to its end. `text` may be shorter than announced."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass(frozen=True)
class Served:
    """A server that was started."""

    process: subprocess.Popen[bytes]
    port: int
    settings: Settings

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, **headers)

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request on a connection of its own. Underscores in the names of headers stand for dashes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read().decode())

    def exchange(self, raw: bytes, *, ends: bool = False) -> bytes:
        """Send bytes as they are and read until the server closes; `ends` closes our direction first."""
        with self.connect() as line:
            line.sendall(raw)
            if ends:
                line.shutdown(socket.SHUT_WR)
            return hear(line)


def hear(line: socket.socket) -> bytes:
    """Read until the other side closes."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := line.recv(65_536):
            data += piece
    return data


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def environ_for(settings: Settings, port: int, **more: str) -> dict[str, str]:
    """The environment of a server on the store of `settings`."""
    own = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key,
        "INSTANCE_PATH": str(settings.instance_path),
        "PORT": str(port),
        "LOG_LEVEL": "WARNING",
    }
    return {**os.environ, **own, **more}


@contextlib.contextmanager
def serving(command: Sequence[str], environ: dict[str, str]) -> Iterator[Served]:
    """Run a command that serves on PORT, from when it answers until the end of the block."""
    process = subprocess.Popen(command, cwd=ROOT, env=environ, start_new_session=True)
    port = int(environ["PORT"])
    served = Served(process, port, load_settings(environ))
    try:
        wait_until(lambda: _answers(served), process)
        yield served
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        end(process)


def end(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process that was told to stop; kill it and its group if it does not."""
    try:
        return process.wait(PATIENCE)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def wait_until(is_so: object, process: subprocess.Popen[bytes] | None = None) -> None:
    """Look again and again until it is so. Fails after PATIENCE, or if the process has ended."""
    assert callable(is_so)
    until = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < until, "it never came true"
        assert process is None or process.poll() is None, "the process has ended"
        time.sleep(0.05)


def _answers(served: Served) -> bool:
    try:
        return served.get("/healthz").status == 200
    except OSError:
        return False


def children_of(pid: int) -> dict[int, str]:
    """The living processes that a process has started, by id, with their command lines."""
    found = {}
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state not in "ZX":
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def is_running(pid: int) -> bool:
    """Whether the process exists and is not a zombie that nobody has asked about yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
