"""That the bench reads and judges figures rightly: a fast server that refuses everything is not fast."""

from __future__ import annotations

import pytest

from tests.bench.choice import PARTS, read_choice
from tests.bench.load import read_figures
from tests.bench.ratios import Aim, Ratio
from tests.bench.targets import Keys, keys_for

PRINTED = """Running 2s test @ http://127.0.0.1:8000
  1 threads and 8 connections
  Latency Distribution
     50%    7.31ms
     99%    1.25s
  2000 requests in 2.00s, 1.50MB read
{more}Requests/sec:   1000.00
Transfer/sec:    768.00KB
"""


def test_calls_that_were_refused_do_not_count_as_speed() -> None:
    clean = read_figures(PRINTED.format(more=""))
    refused = read_figures(PRINTED.format(more="  Non-2xx or 3xx responses: 1500\n"))
    assert (clean.rate, clean.p99, clean.failed) == (1000.0, 1250.0, 0)
    assert (refused.rate, refused.failed) == (250.0, 1500)


def test_broken_connections_are_failures() -> None:
    text = PRINTED.format(more="  Socket errors: connect 1, read 2, write 0, timeout 4\n")
    assert read_figures(text).failed == 7


def test_a_verdict_names_where_an_aim_was_missed() -> None:
    aim = Aim(0.5)
    assert Ratio("list", {1: 0.6, 8: 0.5}, aim).verdict == "met"
    assert Ratio("list", {1: 0.6, 8: 0.4, 32: 0.3}, aim).verdict == "missed at 8, 32"
    assert Ratio("list", {1: 0.4}, aim).verdict == "missed"
    assert Ratio("create", {8: 2.0}, Aim(2.0, ">")).verdict == "missed"


def test_an_unknown_part_is_refused_and_none_named_means_all() -> None:
    assert read_choice({}).parts == PARTS
    assert read_choice({"BENCH": "list, scale"}).operations == ("list", "list afresh")
    with pytest.raises(SystemExit, match="speed"):
        read_choice({"BENCH": "speed"})


def test_no_key_is_dealt_twice() -> None:
    keys = Keys([str(number) for number in range(2 * keys_for(1) + 1)])
    assert not set(keys.deal(1)) & set(keys.deal(1))
    with pytest.raises(SystemExit, match="run out"):
        keys.deal(1)
