"""Modules and plans: what a tenant's plan entitles it to (contract section 2)."""

from __future__ import annotations

from collections.abc import Iterable

PLANS = ("starter", "growth", "enterprise")

MODULES: dict[str, str] = {
    "administration": "starter",
    "crm": "starter",
    "catalog": "starter",
    "support": "starter",
    "accounting": "growth",
    "pos": "growth",
    "inventory": "growth",
    "reports": "growth",
    "procurement": "enterprise",
    "hr": "enterprise",
    "fleet": "enterprise",
    "integration": "enterprise",
}
"""Each module and the smallest plan that includes it."""

BATCH_ROWS = 500
"""Rows that one batch call takes, on every plan (contract section 5)."""


def is_entitled(plan: str, module: str) -> bool:
    """True where `plan` includes `module`."""
    return PLANS.index(plan) >= PLANS.index(MODULES[module])


def smallest_plan(modules: Iterable[str]) -> str:
    """The smallest plan that includes all of `modules`."""
    return max((MODULES[module] for module in modules), key=PLANS.index)


def modules_of(plan: str) -> list[str]:
    """The modules of a plan, in the order of the contract's table."""
    return [module for module in MODULES if is_entitled(plan, module)]
