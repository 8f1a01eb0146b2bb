"""Servers under test and the load on them: Granian as in production, wrk beside it on the same machine."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
LATENCY = re.compile(r"99%\s+([\d.]+)(us|ms|s|m)\s")
RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
TOTAL = re.compile(r"(\d+) requests in ")
REFUSED = re.compile(r"Non-2xx or 3xx responses: (\d+)")
BROKEN = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
PATIENCE_SECONDS = 90
PROCESSES, THREADS = 2, 4
"""Of every Python server that is measured."""


class NotStarted(Exception):
    """A server ended, or did not answer in time."""


@dataclass(frozen=True)
class Figures:
    """Calls answered 2xx or 3xx per second, milliseconds at the 99th percentile, calls that got no such answer."""

    rate: float
    p99: float
    failed: int


@contextmanager
def serve(target: str, environ: Mapping[str, str], *, ready: str) -> Iterator[str]:
    """Run a WSGI application under Granian; yields its origin once `ready` answers."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--log-level", "error"),
        *("--port", str(port), "--workers", str(PROCESSES), "--blocking-threads", str(THREADS), target),
    ]
    with running(command, {**environ, "PORT": str(port)}, f"http://127.0.0.1:{port}", ready) as origin:
        yield origin


@contextmanager
def running(
    command: Sequence[str],
    environ: Mapping[str, str],
    origin: str,
    ready: str,
    *,
    folder: Path = ROOT,
    loud: bool = True,
) -> Iterator[str]:
    """Run a server in `folder`; yields its origin once `ready` answers. Raises NotStarted."""
    output = None if loud else subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=folder, env=dict(environ), stdout=output, stderr=output)
    try:
        _wait_for(origin + ready, process)
        yield origin
    finally:
        _stop(process)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        try:
            requests.get(url, timeout=10)
            return
        except requests.RequestException:
            time.sleep(0.1)
    raise NotStarted(f"{url} did not answer")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def press(origin: str, script: str, *, seconds: int, connections: int, folder: Path) -> Figures:
    """Load a server with what a Lua script asks for, and read wrk's figures."""
    if not shutil.which("wrk"):
        raise SystemExit("make bench needs wrk: install it with your package manager")
    file = folder / "asks.lua"
    file.write_text(script)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency", "-s", str(file)]
    text = subprocess.run([*command, origin], check=True, capture_output=True, text=True).stdout
    return read_figures(text)


def read_figures(text: str) -> Figures:
    """What wrk has printed."""
    rate, total, latency = RATE.search(text), TOTAL.search(text), LATENCY.search(text)
    if rate is None or total is None or latency is None:
        raise SystemExit(f"wrk did not say how fast it was:\n{text}")
    calls, refused = int(total.group(1)), _counted(REFUSED, text)
    share = (calls - refused) / calls if calls else 0.0
    p99 = float(latency.group(1)) * UNITS[latency.group(2)]
    return Figures(float(rate.group(1)) * share, p99, refused + _counted(BROKEN, text))


def _counted(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    return sum(int(number) for number in found.groups()) if found else 0


def settle(url: str) -> None:
    """Wait until a server has answered what the load left behind."""
    for _ in range(2):
        requests.get(url, timeout=PATIENCE_SECONDS)
