"""A process that is dead is known to be dead, at once; one that runs, or of which nothing is known, is not."""

from __future__ import annotations

import subprocess
import sys

from portal.core.processes import has_ended, name_process

NAMING = "from portal.core.processes import name_process; print(name_process(), flush=True); input()"


def test_a_process_has_ended_once_it_is_killed_and_not_before() -> None:
    with subprocess.Popen([sys.executable, "-c", NAMING], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        name = child.stdout.readline().decode().strip()
        assert not has_ended(name)
        child.kill()
        child.wait()
        assert has_ended(name)


def test_this_process_has_not_ended_but_one_that_had_its_id_before_has() -> None:
    name = name_process()
    machine, number, started = name.split(" ")
    assert not has_ended(name)
    assert has_ended(f"{machine} {number} {int(started) - 1}")


def test_of_another_machine_and_of_nonsense_nothing_is_known() -> None:
    _, number, started = name_process().split(" ")
    for name in (f"elsewhere/0/0 4194304 {started}", f"elsewhere/0/0 {number} {started}", "", "x", "x y z"):
        assert not has_ended(name)
