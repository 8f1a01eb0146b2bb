"""Each rule holds for the code, and each is red for a sample that breaks it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.architecture import rules
from tests.architecture.source import modules, read_module

BREACHES: dict[Callable[..., list[str]], tuple[str, str]] = {
    rules.core_imports_nothing_of_ours: ("portal.core.mail", "from portal.tenancy.models import Tenant\n"),
    rules.portal_knows_no_sandbox: ("portal.docs.pages", "import sandbox.resources.customers\n"),
    rules.features_meet_through_services: ("portal.leads.service", "from portal.support.models import Message\n"),
    rules.services_never_commit: ("portal.leads.service", "def save(session):\n    session.commit()\n"),
    rules.nobody_asks_the_system_for_time: ("sandbox.seed.days", "import time\nnow = time.time()\n"),
    rules.dates_come_from_a_calendar: ("sandbox.resources.sales", "day = session.clock.now().date()\n"),
    rules.only_settings_read_the_environment: ("portal.leads.pages", "import os\nkey = os.environ.get('KEY')\n"),
    rules.raw_sql_stays_where_it_is_known: ("portal.leads.service", "from sqlalchemy import text\n"),
    rules.things_stay_small: ("portal.leads.service", "def long():\n" + "    x = 1\n" * 60),
}


@pytest.mark.parametrize("rule", [*BREACHES, rules.services_know_no_http], ids=lambda rule: rule.__name__)
def test_the_rule_holds(rule: Callable[..., list[str]]) -> None:
    assert rule(modules()) == []


@pytest.mark.parametrize(
    "text",
    [
        "day = sold_at.date()",
        "year = session.clock.now().year",
        "year = now.year",
        "day = dt.date.today()",
        "day = dt.datetime.today()",
        "start = dt.datetime.combine(day, dt.time(), dt.UTC)",
        "same = func.date(Sale.sold_at) == day",
        "from zoneinfo import ZoneInfo",
    ],
)
def test_every_way_round_the_calendar_is_seen(text: str) -> None:
    assert rules.dates_come_from_a_calendar([read_module("sandbox.resources.sales", text)])


@pytest.mark.parametrize("text", ["day = session.clock.today()", "sale.date = data.date", "year = invoice.date.year"])
def test_dates_that_are_dates_already_are_no_breach(text: str) -> None:
    assert rules.dates_come_from_a_calendar([read_module("sandbox.resources.sales", text)]) == []


@pytest.mark.parametrize("rule", BREACHES, ids=lambda rule: rule.__name__)
def test_a_breach_is_seen(rule: Callable[..., list[str]]) -> None:
    assert rule([read_module(*BREACHES[rule])])


def test_a_service_that_knows_http_is_seen(tmp_path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "service.py"
    file.write_text("from flask import request\n")
    assert rules.services_know_no_http([read_module("portal.leads.service", file.read_text(), file)])
