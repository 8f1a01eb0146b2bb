"""Processes that hold something: naming this one, and noticing that another is dead."""

from __future__ import annotations

import functools
import os
import platform
from pathlib import Path

_PROC = Path("/proc")
_ENDED = "ZX"
"""States of a process that runs no more: zombie, dead (proc(5))."""


def name_process() -> str:
    """Return what identifies this process among all of all machines: its machine, its id, and when it was started."""
    return f"{_machine()} {os.getpid()} {_stat(os.getpid())[1]}"


def has_ended(name: str) -> bool:
    """Return True if the process is known to be dead. One of another machine never is."""
    machine, _, rest = name.partition(" ")
    number, _, started = rest.partition(" ")
    if machine != _machine() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    state, began = _stat(int(number))
    return state in _ENDED or bool(began and started and began != started)


@functools.cache
def _machine() -> str:
    """Return the running system and the space in which its process ids count; containers have their own."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{platform.node()}/{boot}/{(_PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return platform.node()


def _stat(number: int) -> tuple[str, str]:
    """Return a process's state and start, in ticks since the system's; a placeholder where it cannot be read."""
    try:
        fields = (_PROC / str(number) / "stat").read_text().rpartition(") ")[2].split()
        return fields[0], fields[19]
    except (OSError, IndexError):
        return "?", ""
