"""Servers under test and the load on them: Granian as in production, wrk beside it on the same machine."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
LATENCY = re.compile(r"99%\s+([\d.]+)(us|ms|s)")
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Figures:
    """Requests per second, latency at the 99th percentile in milliseconds, answers that were not 2xx or 3xx."""

    rate: float
    p99: float
    failed: int


@contextmanager
def serve(target: str, environ: dict[str, str], *, ready: str) -> Iterator[str]:
    """Run `target` under Granian; yields its origin once `ready` answers."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--log-level", "error"),
        *("--port", str(port), "--workers", "2", "--blocking-threads", "4", target),
    ]
    environ = {**environ, "PORT": str(port)}
    process = subprocess.Popen(command, cwd=ROOT, env=environ)
    try:
        origin = f"http://127.0.0.1:{port}"
        wait_for(origin + ready)
        yield origin
    finally:
        process.terminate()
        process.wait()


def wait_for(url: str) -> None:
    for _ in range(300):
        try:
            requests.get(url, timeout=2)
            return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise SystemExit(f"{url} did not answer")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def press(url: str, *, seconds: int, script: Path | None = None, connections: int = 8) -> Figures:
    """Load `url` and read wrk's figures."""
    if not shutil.which("wrk"):
        raise SystemExit("make bench needs wrk: install it with your package manager")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    command += ["-s", str(script)] if script else []
    text = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))  # type: ignore[union-attr]
    number, unit = LATENCY.search(text).groups()  # type: ignore[union-attr]
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return Figures(rate, float(number) * UNITS[unit], int(failed.group(1)) if failed else 0)
