"""What others offer for the same purpose: json-server, Prism and Mockoon, installed by npm where it is found.

json-server keeps what it is told, in a file; the other two answer from our own API document and forget.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.bench import customers
from tests.bench.load import ROOT, NotStarted, free_port, running
from tests.bench.scripts import Ask
from tests.bench.targets import Keys, Target

FOLDER = ROOT / "instance" / "bench"
INSTALL_SECONDS = 300
NOT_FOUND = "npm was not found"
JSON_SERVER_ASKS = {
    "list": Ask(["/customers?_page=1&_limit=20"]),
    "get": Ask([f"/customers/{number}" for number in range(1, 100)]),
    "create": Ask(["/customers"], creates=True),
}
DOCUMENT_ASKS = {
    "list": Ask(["/api/v2/customers"]),
    "get": Ask(["/api/v2/customers/1"]),
    "create": Ask(["/api/v2/customers"], creates=True),
}


@dataclass(frozen=True)
class Peer:
    """A program: its package, the version measured, its command, and the arguments before a file and after it."""

    name: str
    package: str
    version: str
    command: str
    arguments: tuple[str, ...]
    more: tuple[str, ...] = ()
    ready: str = "/api/v2/customers"

    @property
    def is_stateless(self) -> bool:
        return self.package != "json-server"


PEERS = (
    Peer(
        "json-server", "json-server", "0.17.4", "json-server", ("--quiet", "--host", "127.0.0.1"), ready="/customers/1"
    ),
    Peer("Prism, static", "@stoplight/prism-cli", "5.14.2", "prism", ("mock", "-v", "silent")),
    Peer("Prism, dynamic", "@stoplight/prism-cli", "5.14.2", "prism", ("mock", "-d", "-v", "silent")),
    Peer("Mockoon", "@mockoon/cli", "9.9.0", "mockoon-cli", ("start",), ("-X", "--disable-admin-api")),
)


def install(peers: tuple[Peer, ...] = PEERS) -> tuple[list[Peer], list[str]]:
    """Install the peers that are missing. Returns those that can be started, and what was left out and why."""
    usable: list[Peer] = []
    missing: dict[str, list[str]] = {}
    for peer in peers:
        reason = "" if _is_installed(peer) else _install(peer)
        if reason:
            missing.setdefault(reason, []).append(peer.name)
        else:
            usable.append(peer)
    return usable, [f"{', '.join(names)}: {reason}" for reason, names in missing.items()]


def _is_installed(peer: Peer) -> bool:
    file = FOLDER / "node_modules" / peer.package / "package.json"
    return file.exists() and json.loads(file.read_text())["version"] == peer.version


def _install(peer: Peer) -> str:
    """Why the peer could not be installed; empty when it was."""
    if not shutil.which("npm"):
        return NOT_FOUND
    FOLDER.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--prefix", str(FOLDER), "--no-audit", "--no-fund", "--save-exact"]
    try:
        subprocess.run(
            [*command, f"{peer.package}@{peer.version}"], check=True, capture_output=True, timeout=INSTALL_SECONDS
        )
    except subprocess.SubprocessError:
        return f"npm could not install {peer.package} {peer.version}"
    return ""


@contextmanager
def peer_server(peer: Peer, folder: Path, document: Path) -> Iterator[Target]:
    """Start a peer: json-server on customers like ours, the others on our API document. Raises NotStarted."""
    port = free_port()
    home = folder / f"peer-{port}"
    home.mkdir()
    source = document if peer.is_stateless else _write_customers(home)
    program = str(FOLDER / "node_modules" / ".bin" / peer.command)
    file = ["--data", str(source)] if peer.command == "mockoon-cli" else [str(source)]
    command = [program, *peer.arguments, *file, "--port", str(port), *peer.more]
    with running(command, os.environ, f"http://127.0.0.1:{port}", peer.ready, folder=home, loud=False) as origin:
        asks = DOCUMENT_ASKS if peer.is_stateless else JSON_SERVER_ASKS
        _check(peer, origin)
        keys = dict.fromkeys(asks, Keys(["peer"] * 10_000)) if peer.is_stateless else {}
        yield Target(peer.name, origin, peer.ready, asks, keys, is_stateless=peer.is_stateless)


def _write_customers(home: Path) -> Path:
    file = home / "customers.json"
    file.write_text(json.dumps({"customers": [customers.stored(number + 1) for number in range(customers.COUNT)]}))
    return file


def _check(peer: Peer, origin: str) -> None:
    """Raises NotStarted where the list does not answer."""
    path = DOCUMENT_ASKS["list"].paths[0] if peer.is_stateless else JSON_SERVER_ASKS["list"].paths[0]
    answer = requests.get(origin + path, headers={"Authorization": "Bearer peer"}, timeout=30)
    if not answer.ok:
        raise NotStarted(f"{peer.name} answered {answer.status_code}")
