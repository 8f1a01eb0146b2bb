"""A worker process: loops such as deliveries on threads of their own, jobs and the schedule on the main one."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence

from portal.core.heartbeats import Heart
from portal.core.jobs import run_due_jobs
from portal.core.runtime import Runtime
from portal.schedule import Periodic, run_schedule
from portal.serving.parents import end_with_parent
from portal.serving.signals import StopRequests

Loop = Callable[[Runtime, threading.Event], None]
IDLE_SECONDS = 0.5
BACKGROUND_TIMEOUT = 60.0
"""Seconds a worker waits for a store: nobody waits for the worker."""
MARGIN_SECONDS = 2
"""What a worker may take longer to end than what is under way in it."""

log = logging.getLogger("slipway.worker")


def work_until_interrupted(
    parts: Runtime, loops: Sequence[Loop], schedule: Sequence[Periodic], parent: int | None = None
) -> int:
    """Work until asked to stop or the process `parent` is gone, then end what is under way. Return the exit code.

    The second request to stop ends the process at once, and so does the shutdown timeout.
    """
    parts.database.set_timeout(BACKGROUND_TIMEOUT)
    most = parts.settings.shutdown_timeout + MARGIN_SECONDS
    requests = StopRequests(most, lambda: os._exit(1))
    if parent is not None:
        end_with_parent(parent, most)
    return work(parts, loops, schedule, requests.stopping)


def work(parts: Runtime, loops: Sequence[Loop], schedule: Sequence[Periodic], stopping: threading.Event) -> int:
    """Work until told to stop. Return 1 if a loop ended by itself: the whole process is to be started again."""
    threads = [threading.Thread(target=loop, args=(parts, stopping)) for loop in loops]
    heart = Heart(parts.database)
    heart.start()
    for thread in threads:
        thread.start()
    code = 0
    while not stopping.is_set():
        if not all(thread.is_alive() for thread in threads):
            log.error("a loop of the worker has ended; the worker ends with it")
            code = 1
            stopping.set()
        elif not _do_what_is_due(parts, schedule, stopping):
            stopping.wait(IDLE_SECONDS)
    for thread in threads:
        thread.join()
    heart.stop()
    return code


def _do_what_is_due(parts: Runtime, schedule: Sequence[Periodic], stopping: threading.Event) -> int:
    """Perform jobs and what is scheduled. Return how many jobs there were."""
    try:
        count = run_due_jobs(parts.database, stopping=stopping)
        run_schedule(schedule, parts.database, parts.settings)
        return count
    except Exception:
        log.exception("the worker stumbled and goes on")
        return 0
