"""Commands of the portal: preparing the database, serving, working, printing the API document."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence

import click
from flask import Flask, current_app

from portal.core import migrations
from portal.core.config import ROOT, Settings
from portal.core.database import Database
from portal.core.jobs import run_due_jobs
from portal.core.runtime import Runtime, runtime
from portal.docs.exact_json import pretty
from portal.docs.service import current_docs
from portal.schedule import run_schedule
from portal.tenancy.service import ensure_house

Preparation = Callable[[Database, Settings], None]
Loop = Callable[[Runtime, threading.Event], None]
IDLE_SECONDS = 0.5
BACKGROUND_TIMEOUT = 60.0
"""Seconds a worker waits for a store: nobody waits for the worker."""
EVERY_INTERFACE = {"0.0.0.0", "::"}  # noqa: S104 — compared with, not listened on


def add_commands(app: Flask, preparations: Sequence[Preparation]) -> None:
    """Register the portal's commands; `preparations` fill what extensions need before serving."""

    @app.cli.command("prepare")
    def prepare() -> None:
        """Bring the tables up to date and put in what every deployment needs."""
        runtime().database.set_timeout(None)
        prepare_database(runtime().database, runtime().settings, preparations)
        click.echo("The database is ready.")

    app.cli.add_command(serve)
    app.cli.add_command(work)
    app.cli.add_command(print_document)
    app.cli.add_command(draft)


def prepare_database(database: Database, settings: Settings, preparations: Sequence[Preparation]) -> None:
    """Migrations, the house tenant, then whatever the extensions prepare. Safe to repeat."""
    migrations.upgrade(database)
    with database.transaction() as session:
        ensure_house(session)
    for fill in preparations:
        fill(database, settings)


@click.command("serve")
def serve() -> None:
    """Run the server and one worker until interrupted."""
    settings = runtime().settings
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    server = _start(_server_command(settings))
    worker = _start([sys.executable, "-m", "flask", "--app", "wsgi", "worker"])
    if _is_listening(settings, server, stopping):
        click.echo(f"\n  {current_docs().site.base_url}\n\n  Press Ctrl+C to stop.\n")
    while server.poll() is None and not stopping.wait(IDLE_SECONDS):
        pass
    code = _stop(server)
    _stop(worker)
    sys.exit(0 if stopping.is_set() else code)


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own, so that it hears of an interrupt from us alone, and once."""
    return subprocess.Popen(command, cwd=ROOT, start_new_session=True)  # noqa: S603 — our own arguments


def _stop(child: subprocess.Popen[bytes]) -> int:
    """Ask a process to end; kill it and what it started if it has not within ten seconds."""
    if child.poll() is None:
        child.terminate()
    try:
        return child.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(os.getpgid(child.pid), signal.SIGKILL)
        return child.wait()


def _is_listening(settings: Settings, server: subprocess.Popen[bytes], stopping: threading.Event) -> bool:
    """Wait until the server takes connections; False when it ended instead, or takes too long."""
    host = "127.0.0.1" if settings.host in EVERY_INTERFACE else settings.host
    for _ in range(600):
        if server.poll() is not None:
            return False
        try:
            socket.create_connection((host, settings.port), timeout=1).close()
            return True
        except OSError:
            if stopping.wait(0.05):
                return False
    return False


def _server_command(settings: Settings) -> list[str]:
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
        *("--host", settings.host, "--port", str(settings.port)),
        *("--workers", str(settings.workers), "--blocking-threads", str(settings.threads)),
        *("--respawn-failed-workers", "--workers-kill-timeout", "3"),
        *("--log-level", settings.log_level.lower(), "wsgi:app"),
    ]


@click.command("worker")
def work() -> None:
    """Do background work until interrupted: mail, expiry, deliveries, whatever is scheduled."""
    logging.basicConfig(level=runtime().settings.log_level, format="%(asctime)s %(name)s %(message)s")
    runtime().database.set_timeout(BACKGROUND_TIMEOUT)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    loops = [threading.Thread(target=loop, args=(runtime(), stopping)) for loop in current_app.extensions["loops"]]
    for thread in loops:
        thread.start()
    while not stopping.is_set():
        try:
            busy = run_due_jobs(runtime().database)
            run_schedule(current_app.extensions["schedule"], runtime().database, runtime().settings)
        except Exception:
            logging.getLogger("slipway.worker").exception("the worker stumbled and goes on")
            busy = 0
        if not busy:
            stopping.wait(IDLE_SECONDS)
    for thread in loops:
        thread.join()


@click.command("openapi")
def print_document() -> None:
    """Print the API document as JSON."""
    click.echo(pretty(current_docs().document))


@click.command("draft-migration")
@click.argument("message")
def draft(message: str) -> None:
    """Write a migration for what the models changed."""
    migrations.draft_migration(runtime().database, message)
