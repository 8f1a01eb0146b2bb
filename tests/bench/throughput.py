"""Operations at 1, 8 and 32 connections: ours, bare Flask and the peers, each in turn, in rounds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.bench import bare, customers, peers
from tests.bench.batches import press_batches
from tests.bench.choice import Choice
from tests.bench.load import Figures, NotStarted, press, serve, settle
from tests.bench.ours import our_server
from tests.bench.scripts import Ask
from tests.bench.targets import LEVELS, USUAL, Target

BARE_ASKS = {
    "page": Ask(["/bare"]),
    "list": Ask(["/customers"]),
    "get": Ask([f"/customers/{number}" for number in range(1, 100)]),
    "create": Ask(["/customers"], creates=True),
    "report": Ask(["/reports/financial?year=2024&month=1"]),
}
BARE = "bare Flask"
Key = tuple[str, str, int]
"""Operation, target, connections."""


@dataclass
class Measured:
    """The figures of every round, by operation, target and connections; the bytes of a list; what was left out."""

    runs: dict[Key, list[Figures]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def measure(folder: Path, choice: Choice) -> Measured:
    """Every chosen operation of every target. What keeps state starts afresh in each round."""
    measured = Measured()
    with ExitStack() as stack:
        ours = stack.enter_context(
            our_server(folder, choice.database_url, rounds=choice.rounds, seconds=choice.seconds)
        )
        _check(ours)
        document = folder / "openapi.json"
        document.write_bytes(requests.get(f"{ours.origin}/openapi.json", timeout=30).content)
        found = _install(choice, measured)
        stateless, changing = ([peer for peer in found if peer.is_stateless is wanted] for wanted in (True, False))
        lasting = [ours, *_started(stack, stateless, folder, document, measured)]
        _warm(folder, lasting)
        for number in range(choice.rounds):
            print(f"round {number + 1} of {choice.rounds}", flush=True)
            with ExitStack() as one_round:
                fresh = [one_round.enter_context(_bare_server(folder, number))]
                fresh += _started(one_round, changing, folder, document, measured)
                _warm(folder, fresh)
                targets = [target for target in lasting if number == 0 or not target.is_stateless]
                _measure_round(folder, choice, [*targets, *fresh], measured)
    return measured


def _install(choice: Choice, measured: Measured) -> list[peers.Peer]:
    if not choice.peers or not {"list", "get", "create"} & set(choice.parts):
        return []
    wanted = tuple(peer for peer in peers.PEERS if peer.command in choice.peers)
    found, missing = peers.install(wanted)
    measured.left_out += missing
    return found


def _started(
    stack: ExitStack, wanted: list[peers.Peer], folder: Path, document: Path, measured: Measured
) -> list[Target]:
    targets = []
    for peer in wanted:
        try:
            targets.append(stack.enter_context(peers.peer_server(peer, folder, document)))
        except NotStarted as reason:
            measured.left_out.append(f"{peer.name}: {reason}")
    return targets


def _warm(folder: Path, targets: list[Target]) -> None:
    """A second of load, not counted, on servers that have just been started."""
    for target in targets:
        for operation in {"page", "list"} & set(target.asks):
            keys = target.keys[operation].deal(1) if operation in target.keys else []
            press(target.origin, target.asks[operation].script(keys), seconds=1, connections=USUAL, folder=folder)
        settle(target.origin + target.ready)


@contextmanager
def _bare_server(folder: Path, number: int) -> Iterator[Target]:
    file = folder / f"bare-{number}.db"
    bare.fill(str(file))
    with serve("tests.bench.bare:app", {**os.environ, "BARE_DATABASE": str(file)}, ready="/bare") as origin:
        yield Target(BARE, origin, "/bare", BARE_ASKS, batch="/batch/customers")


def _check(ours: Target) -> None:
    """What is measured must be the real thing."""
    url = f"{ours.origin}/api/v2/customers"
    assert requests.get(url, timeout=30).status_code == 401
    answer = requests.get(url, headers={"x-api-key": ours.keys["list"].spare}, timeout=30)
    assert answer.json()["meta"]["total_records"] == customers.COUNT, answer.text
    assert answer.headers["X-RateLimit-Remaining"] == "999", answer.headers


def _measure_round(folder: Path, choice: Choice, targets: list[Target], measured: Measured) -> None:
    """Reading first: what is created would lengthen the lists of those that have one store for all."""
    for target in targets:
        measured.sizes[target.name] = _size_of_list(target)
    for operation in choice.operations:
        for level in (USUAL,) if operation == "page" else LEVELS:
            for target in targets:
                if operation == "batch" and target.batch:
                    figures = _press_batch(target, choice, level)
                elif operation in target.asks:
                    figures = _press(folder, target, operation, choice, level)
                else:
                    continue
                measured.runs.setdefault((operation, target.name, level), []).append(figures)
                settle(target.origin + target.ready)


def _size_of_list(target: Target) -> int:
    headers = {"Authorization": f"Bearer {target.keys['list'].spare}"} if "list" in target.keys else {}
    return len(requests.get(target.origin + target.asks["list"].paths[0], headers=headers, timeout=30).content)


def _press(folder: Path, target: Target, operation: str, choice: Choice, level: int) -> Figures:
    keys = target.keys[operation].deal(choice.seconds) if operation in target.keys else []
    script = target.asks[operation].script(keys)
    return press(target.origin, script, seconds=choice.seconds, connections=level, folder=folder)


def _press_batch(target: Target, choice: Choice, level: int) -> Figures:
    keys = target.keys["batch"].deal(choice.seconds) if "batch" in target.keys else []
    return press_batches(target.origin + target.batch, keys, level)
