"""`make bench`: one run, everything in turn, medians and ratios. The machine is noisy: read the ratios."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import requests

import sandbox
from portal.app import create_app
from portal.commands import prepare_database
from portal.core.config import Settings, load_settings
from portal.core.runtime import Runtime
from portal.tenancy.keys import issue_key
from sandbox.seed.service import reset_tenant
from sandbox.tenants import create_sandbox
from tests.bench import bare
from tests.bench.load import Figures, press, serve

ROUNDS, SECONDS, KEYS = 3, 4, 400

LIST = """
local keys = {%s}
local i = 0
request = function()
  i = i %% #keys + 1
  wrk.headers["Authorization"] = "Bearer " .. keys[i]
  return wrk.format("GET")
end
"""
CREATE = """
local keys = {%s}
local i = 0
request = function()
  i = i + 1
  wrk.headers["Authorization"] = "Bearer " .. keys[i %% #keys + 1]
  wrk.headers["Content-Type"] = "application/json"
  local body = '{"account": "Bench", "email": "b' .. i .. 'x%s@bench.example", "phone": "9876543210", "city": "Mumbai"}'
  return wrk.format("POST", nil, nil, body)
end
"""
BARE_CREATE = """
request = function()
  wrk.headers["Content-Type"] = "application/json"
  return wrk.format("POST", nil, nil, '{"account": "Bench", "email": "b@bench.example", "city": "Mumbai"}')
end
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = load_settings({"INSTANCE_PATH": name, "SECRET_KEY": "b" * 40, "BASE_URL": "http://localhost"})
        keys, resets = prepare(settings)
        bare_file = folder / "bare.db"
        bare.fill(str(bare_file))
        ours_environ = {**os.environ, "INSTANCE_PATH": name, "SECRET_KEY": "b" * 40, "BASE_URL": "http://localhost"}
        bare_environ = {**os.environ, "BARE_DATABASE": str(bare_file)}
        with (
            serve("wsgi:app", ours_environ, ready="/healthz") as ours,
            serve("tests.bench.bare:app", bare_environ, ready="/bare") as plain,
        ):
            check(ours, keys[0])
            report(measure(folder, ours, plain, keys), resets)


def prepare(settings: Settings) -> tuple[list[str], list[float]]:
    """A sandbox with many keys (each is held to its limit), and the time of ten resets in milliseconds."""
    app = create_app(settings, sandbox.extension)
    parts: Runtime = app.extensions["slipway"]
    database = parts.database
    prepare_database(database, parts.settings, sandbox.extension.preparations)
    with database.transaction() as session:
        tenant = create_sandbox(session, parts.settings, name="Bench").tenant
    with database.transaction() as session:
        session.bind_tenant(tenant.id)
        secret = parts.settings.secret_key
        names = range(KEYS)
        keys = [issue_key(session, secret, tenant, name=f"k{n}", role="administrator").secret for n in names]
    resets = []
    for _ in range(10):
        with database.transaction() as session:
            session.bind_tenant(tenant.id)
            found = session.merge(tenant, load=False)
            started = time.perf_counter()
            reset_tenant(session, found)
            session.commit()
            resets.append((time.perf_counter() - started) * 1000)
    database.close()
    return keys, resets


def check(ours: str, key: str) -> None:
    """What is measured must be the real thing."""
    answer = requests.get(f"{ours}/api/v2/customers", headers={"x-api-key": key}, timeout=10)
    assert answer.json()["meta"]["total_records"] == 100, answer.text


def measure(folder: Path, ours: str, plain: str, keys: list[str]) -> dict[str, list[Figures]]:
    quoted = ", ".join(json.dumps(key) for key in keys)
    bare_create = folder / "bare.lua"
    bare_create.write_text(BARE_CREATE)
    figures: dict[str, list[Figures]] = {}
    for number in range(ROUNDS):
        size = len(keys) // (ROUNDS * 2)
        mine = keys[number * 2 * size :][: size * 2]
        quoted = [", ".join(json.dumps(key) for key in part) for part in (mine[:size], mine[size:])]
        listing, creating = folder / "list.lua", folder / "create.lua"
        listing.write_text(LIST % quoted[0])
        creating.write_text(CREATE % (quoted[1], number))
        runs: dict[str, Callable[[], Figures]] = {
            "bare answer": lambda: press(f"{plain}/bare", seconds=SECONDS),
            "documentation page": lambda: press(f"{ours}/docs/quickstart", seconds=SECONDS),
            "bare list": lambda: press(f"{plain}/customers", seconds=SECONDS),
            "list": lambda: press(f"{ours}/api/v2/customers", seconds=SECONDS, script=listing),  # noqa: B023
            "bare create": lambda: press(f"{plain}/customers", seconds=SECONDS, script=bare_create),
            "create": lambda: press(f"{ours}/api/v2/customers", seconds=SECONDS, script=creating),  # noqa: B023
        }
        for name, run in runs.items():
            figures.setdefault(name, []).append(run())
    return figures


def report(figures: dict[str, list[Figures]], resets: list[float]) -> None:
    rates = {name: statistics.median(run.rate for run in runs) for name, runs in figures.items()}
    print(f"\n{'':22}{'req/s':>10}{'p99 ms':>10}{'failed':>8}")
    for name, runs in figures.items():
        p99 = statistics.median(run.p99 for run in runs)
        print(f"{name:22}{rates[name]:>10.0f}{p99:>10.1f}{sum(run.failed for run in runs):>8}")
    print("\nratio                                     measured   aim")
    print(f"list / bare Flask + SQLite list            {rates['list'] / rates['bare list']:>8.2f}   0.40")
    print(f"list / bare answer                         {rates['list'] / rates['bare answer']:>8.2f}")
    print(f"create / bare Flask + SQLite create        {rates['create'] / rates['bare create']:>8.2f}")
    print(f"create / bare answer                       {rates['create'] / rates['bare answer']:>8.2f}")
    page = rates["documentation page"] / rates["bare answer"]
    print(f"documentation page / bare answer           {page:>8.2f}   0.80")
    print(f"reset of a full seed, ms (median of 10)    {statistics.median(resets):>8.1f}   < 100")


if __name__ == "__main__":
    main()
