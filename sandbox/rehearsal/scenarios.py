"""Outcomes on request: their names and options, and how a header asks for one (contract section 8)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from portal.core.errors import ValidationFailed

HEADER = "X-Sandbox-Scenario"
Name = Literal[
    "validation_failed",
    "unauthorized",
    "forbidden",
    "upgrade_required",
    "not_found",
    "duplicate",
    "rate_limited",
    "server_error",
    "unavailable",
    "slow",
    "timeout",
    "lost_response",
]
NAMES: tuple[str, ...] = get_args(Name)
MOST_TIMES = 1000
RETRY_AFTER, LONGEST_RETRY = 2, 3600
MS = {"slow": 1500, "timeout": 10_000}
LONGEST_MS = {"slow": 10_000, "timeout": 30_000}
_RUN = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,6}", re.ASCII)


@dataclass(frozen=True)
class Scenario:
    """One outcome: what is to happen, and to how many calls where that is said.

    `ms` is how long a call waits, `text` tells apart what is counted by its header.
    """

    name: str
    times: int | None = None
    retry_after: int = RETRY_AFTER
    ms: int = 0
    text: str = ""


def read_header(header: str) -> Scenario:
    """The scenario a header such as `rate_limited; retry_after=2; times=2` asks for. Raises ValidationFailed."""
    name, *options = (part.strip(" \t") for part in header.split(";"))
    if name not in NAMES:
        raise _refuse(f"Unknown scenario {name[:40]!a}: it must be one of {', '.join(NAMES)}")
    given: dict[str, str] = {}
    for option in options:
        key, _, value = option.partition("=")
        if key in given:
            raise _refuse(f"{key} stands twice")
        if key not in ("times", "run", *options_of(name)):
            raise _refuse(
                f"{name} takes no {key[:40]!a}: its options are {', '.join(('times', 'run', *options_of(name)))}"
            )
        given[key] = value
    if "run" in given and not _RUN.fullmatch(given["run"]):
        raise _refuse("run must have 1 to 40 letters, digits, - or _")
    times = _number(given, "times", MOST_TIMES) if "times" in given else None
    text = "; ".join([name, *(f"{key}={given[key]}" for key in sorted(given))])
    return Scenario(
        name,
        times,
        _number(given, "retry_after", LONGEST_RETRY) if "retry_after" in given else RETRY_AFTER,
        _number(given, "ms", LONGEST_MS[name]) if "ms" in given else MS.get(name, 0),
        text,
    )


def options_of(name: str) -> tuple[str, ...]:
    """The options a scenario has of its own."""
    return ("retry_after",) if name == "rate_limited" else ("ms",) if name in MS else ()


def _number(given: dict[str, str], key: str, most: int) -> int:
    value = given[key]
    if not _NUMBER.fullmatch(value) or not 1 <= int(value) <= most:
        raise _refuse(f"{key} must be a whole number from 1 to {most}")
    return int(value)


def _refuse(sentence: str) -> ValidationFailed:
    return ValidationFailed({HEADER: sentence})
