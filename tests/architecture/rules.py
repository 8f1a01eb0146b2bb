"""The invariants of ARCHITECTURE.md as functions: each takes modules and tells what breaks it."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from tests.architecture.source import Module

KERNELS = ("portal.core", "portal.api", "portal.tenancy", "portal.limits", "portal.web", "portal.schedule")
COMPOSERS = {"portal.app", "portal.commands", "portal.schedule"}
OPEN_LAYERS = {"service", "guards", "api", "pages", "commands", "models"}
CLOCKS = {"portal.core.clock", "portal.core.meter", "portal.core.ids", "portal.api.errors", "portal.limits"}
CLOCK_CALLS = {"datetime.now", "dt.datetime.now", "datetime.datetime.now", "date.today", "dt.date.today", "time.time"}
CALENDARS = {
    "portal.core.calendars",
    "portal.core.clock",
    # They read and write the dates of other systems, in a zone that the mapping or the tenant names.
    "sandbox.integration.transformations.dates",
    "sandbox.integration.outgoing.composing",
    "sandbox.integration.outgoing.schedules",
    "sandbox.integration.outgoing.values",
}
DATE_PARTS = {"year", "month", "day"}
DAY_CALLS = {"dt.date.fromtimestamp", "date.fromtimestamp"}
RAW_SQL = {
    "portal.core.counters",
    "portal.core.meter",
    "portal.core.migrations",
    "portal.tenancy.service",
    "portal.tenancy.copying",
    "portal.web.health",
}


def core_imports_nothing_of_ours(modules: Iterable[Module]) -> list[str]:
    """Invariant 1: the kernel stands on its own."""
    return [
        f"{module.name} imports {name}"
        for module in modules
        if module.name.startswith("portal.core")
        for name in sorted(module.imports)
        if not name.startswith("portal.core") and name != "portal"
    ]


def portal_knows_no_sandbox(modules: Iterable[Module]) -> list[str]:
    """Invariant 2: arrows go from sandbox to portal, never back."""
    return [
        f"{module.name} imports {name}"
        for module in modules
        if module.name.startswith("portal")
        for name in sorted(module.imports)
        if name.split(".")[0] == "sandbox"
    ]


def features_meet_through_services(modules: Iterable[Module]) -> list[str]:
    """Invariant 3: one feature of the portal uses another through its service, or a guard."""
    faults = []
    for module in modules:
        own = _feature(module.name)
        if own is None or module.name in COMPOSERS:
            continue
        for name in sorted(module.imports):
            other = _feature(name)
            if other is None or other == own:
                continue
            layer = name.removeprefix(f"portal.{other}").lstrip(".").split(".")[0]
            if layer not in {"", "service", "guards"}:
                faults.append(f"{module.name} imports {name}")
    return faults


def services_know_no_http(modules: Iterable[Module]) -> list[str]:
    """Invariant 4: what decides does not see the request."""
    faults = []
    for module in modules:
        if module.name.split(".")[-1] not in {"service", "models"} or module.name == "portal.docs.service":
            continue
        text = module.path.read_text() if module.path.exists() else ""
        if "from flask" in text or "import flask" in text or "portal.core.runtime" in module.imports:
            faults.append(f"{module.name} knows HTTP")
    return faults


def services_never_commit(modules: Iterable[Module]) -> list[str]:
    """Invariant 5: one transaction for each request or job, ended by the kernel."""
    return [
        f"{module.name} calls {call}"
        for module in modules
        if not module.name.startswith("portal.core")
        for call in module.calls()
        if call.endswith((".commit", "session.rollback")) and module.name != "portal.api.dispatch"
    ]


def nobody_asks_the_system_for_time(modules: Iterable[Module]) -> list[str]:
    """Invariant 6: time comes from the tenant at hand, or from portal.core.clock."""
    return [
        f"{module.name} calls {call}"
        for module in modules
        if module.name not in CLOCKS
        for call in module.calls()
        if call in CLOCK_CALLS
    ]


def dates_come_from_a_calendar(modules: Iterable[Module]) -> list[str]:
    """Invariant 17: portal.core.calendars alone derives a date from a time, by the tenant's time zone."""
    faults = []
    for module in modules:
        if module.name in CALENDARS:
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and _derives_date(node):
                faults.append(f"{module.name} calls {ast.unparse(node.func)}")
            if isinstance(node, ast.Attribute) and node.attr in DATE_PARTS and _is_time(node.value):
                faults.append(f"{module.name} reads {ast.unparse(node)}")
            if isinstance(node, ast.ImportFrom) and node.module == "zoneinfo":
                faults.append(f"{module.name} imports zoneinfo")
    return faults


def only_settings_read_the_environment(modules: Iterable[Module]) -> list[str]:
    """Invariant 7: configuration is one frozen object."""
    return [
        f"{module.name} reads the environment"
        for module in modules
        if module.name != "portal.core.config" and module.names & {"os.environ", "os.getenv"}
    ]


def raw_sql_stays_where_it_is_known(modules: Iterable[Module]) -> list[str]:
    """Invariant 8: text statements escape the tenant scope, so few places may write them."""
    return [
        f"{module.name} writes raw SQL"
        for module in modules
        if module.name not in RAW_SQL
        and _writes_sql(module)
        and not module.name.startswith(("portal.core.database", "portal.docs"))
    ]


def things_stay_small(modules: Iterable[Module], *, file_lines: int = 320, function_lines: int = 45) -> list[str]:
    """Invariant 9: a file or function that outgrows the house is split by noun."""
    faults = [f"{module.name} has {module.lines} lines" for module in modules if module.lines > file_lines]
    for module in modules:
        faults += [f"{module.name}.{name}: {size} lines" for name, size in module.functions() if size > function_lines]
    return faults


def _derives_date(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    if name in DAY_CALLS or name.startswith("func.date"):
        return True
    owner, _, last = name.rpartition(".")
    if last == "today":
        return not owner.endswith("clock")
    return (last == "date" and bool(owner) and not call.args) or last == "combine"


def _is_time(node: ast.expr) -> bool:
    """True for what this code names a time: `now`, `…_at`, a call of `now()`."""
    name = ast.unparse(node.func if isinstance(node, ast.Call) else node).rpartition(".")[2]
    return name in {"now", "system_now"} or name.endswith("_at")


def _writes_sql(module: Module) -> bool:
    imports_text = any(
        isinstance(node, ast.ImportFrom)
        and node.module == "sqlalchemy"
        and any(name.name == "text" for name in node.names)
        for node in ast.walk(module.tree)
    )
    return imports_text or any(call.endswith("exec_driver_sql") for call in module.calls())


def _feature(name: str) -> str | None:
    parts = name.split(".")
    if parts[0] != "portal" or len(parts) < 2 or name.startswith(KERNELS) or f"portal.{parts[1]}" in COMPOSERS:
        return None
    return parts[1]
