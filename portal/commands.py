"""Commands of the portal: preparing the database, serving, working, printing the API document."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable, Sequence

import click
from flask import Flask, current_app

from portal.core import migrations
from portal.core.config import Settings
from portal.core.database import Database
from portal.core.jobs import run_due_jobs
from portal.core.runtime import Runtime, runtime
from portal.docs.exact_json import pretty
from portal.docs.service import current_docs
from portal.schedule import run_schedule
from portal.serving.processes import (
    Child,
    allow_many_connections,
    is_listening,
    server_command,
    stop,
    supervise,
    worker_command,
)
from portal.tenancy.service import ensure_house

Preparation = Callable[[Database, Settings], None]
Loop = Callable[[Runtime, threading.Event], None]
IDLE_SECONDS = 0.5
BACKGROUND_TIMEOUT = 60.0
"""Seconds a worker waits for a store: nobody waits for the worker."""


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
    """Run the server and one worker until interrupted; start either again if it dies."""
    settings, stopping = runtime().settings, _until_interrupted()
    allow_many_connections()
    server, worker = Child("server", server_command(settings)), Child("worker", worker_command())
    for child in (server, worker):
        child.start()
    if not is_listening(settings, server, stopping):
        stop((server, worker), settings.shutdown_timeout)
        sys.exit(0 if stopping.is_set() else server.code)
    click.echo(f"\n  {current_docs().site.base_url}\n\n  Press Ctrl+C to stop.\n")
    supervise((server, worker), stopping, settings.shutdown_timeout)


def _until_interrupted() -> threading.Event:
    """Return an event that is set when the process is asked to stop."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


@click.command("worker")
def work() -> None:
    """Do background work until interrupted: mail, expiry, deliveries, whatever is scheduled."""
    logging.basicConfig(level=runtime().settings.log_level, format="%(asctime)s %(name)s %(message)s")
    runtime().database.set_timeout(BACKGROUND_TIMEOUT)
    stopping = _until_interrupted()
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
