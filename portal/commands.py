"""Commands of the portal: preparing the database, serving, working, printing the API document."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType

import click
from flask import Flask, current_app

from portal.core import migrations
from portal.core.config import ROOT, Settings
from portal.core.database import Database
from portal.core.jobs import run_due_jobs
from portal.core.runtime import runtime
from portal.docs.exact_json import pretty
from portal.docs.service import current_docs
from portal.schedule import run_schedule
from portal.tenancy.service import ensure_house

Preparation = Callable[[Database, Settings], None]
IDLE_SECONDS = 0.5


def add_commands(app: Flask, preparations: Sequence[Preparation]) -> None:
    """Register the portal's commands; `preparations` fill what extensions need before serving."""

    @app.cli.command("prepare")
    def prepare() -> None:
        """Bring the tables up to date and put in what every deployment needs."""
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
    server = subprocess.Popen(_server_command(settings), cwd=ROOT)  # noqa: S603 — our own arguments
    worker = subprocess.Popen([sys.executable, "-m", "flask", "--app", "wsgi", "worker"], cwd=ROOT)
    click.echo(f"\n  {current_docs().site.base_url}\n\n  Press Ctrl+C to stop.\n")
    children = (server, worker)

    def stop(number: int, frame: FrameType | None) -> None:
        for child in children:
            child.terminate()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    code = server.wait()
    worker.terminate()
    worker.wait()
    sys.exit(0 if code in {0, -signal.SIGTERM, -signal.SIGINT} else code)


def _server_command(settings: Settings) -> list[str]:
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
        *("--host", settings.host, "--port", str(settings.port)),
        *("--workers", str(settings.workers), "--blocking-threads", str(settings.threads)),
        *("--respawn-failed-workers", "--log-level", settings.log_level.lower(), "wsgi:app"),
    ]


@click.command("worker")
def work() -> None:
    """Do background work until interrupted: mail, expiry, whatever is scheduled."""
    logging.basicConfig(level=runtime().settings.log_level, format="%(asctime)s %(name)s %(message)s")
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    while not stopping.is_set():
        try:
            busy = run_due_jobs(runtime().database)
            run_schedule(current_app.extensions["schedule"], runtime().database)
        except Exception:
            logging.getLogger("slipway.worker").exception("the worker stumbled and goes on")
            busy = 0
        if not busy:
            stopping.wait(IDLE_SECONDS)


@click.command("openapi")
def print_document() -> None:
    """Print the API document as JSON."""
    click.echo(pretty(current_docs().document))


@click.command("draft-migration")
@click.argument("message")
def draft(message: str) -> None:
    """Write a migration for what the models changed."""
    migrations.draft_migration(runtime().database, message)
