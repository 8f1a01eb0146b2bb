"""Commands of the portal: preparing the database, serving, working, printing the API document."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence

import click
from flask import Flask, current_app

from portal.core import migrations
from portal.core.config import Settings
from portal.core.database import Database
from portal.core.runtime import runtime
from portal.docs.exact_json import pretty
from portal.docs.service import current_docs
from portal.serving.listening import PortInUse, is_answering, open_listeners
from portal.serving.processes import (
    MARGIN_SECONDS,
    Child,
    allow_many_connections,
    server_command,
    stop,
    supervise,
    worker_command,
)
from portal.serving.signals import StopRequests
from portal.serving.working import work_until_interrupted
from portal.tenancy.service import ensure_house

Preparation = Callable[[Database, Settings], None]


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
    settings = runtime().settings
    requests = StopRequests(settings.shutdown_timeout + MARGIN_SECONDS)
    allow_many_connections()
    try:
        listeners = open_listeners(settings, requests.stopping)
    except PortInUse as error:
        raise click.ClickException(str(error)) from None
    server, worker = children = _start_children(listeners)
    if is_answering(settings, lambda: server.code is not None, requests.stopping):
        click.echo(f"\n  {current_app.extensions['site'].base_url}\n\n  Press Ctrl+C to stop.\n")
        supervise(children, requests.stopping, requests.reloading)
    for listener in listeners:
        listener.close()
    code = server.code
    stop((server, worker), requests.hurrying)
    sys.exit(0 if requests.stopping.is_set() else code or 1)


def _start_children(listeners: Sequence[socket.socket]) -> tuple[Child, Child]:
    """Start the server and the worker, which end when this process does."""
    numbers, own = [listener.fileno() for listener in listeners], os.getpid()
    server = Child("server", server_command(numbers, own), pass_fds=numbers, reload_signal=signal.SIGHUP)
    worker = Child("worker", worker_command(own))
    for child in (server, worker):
        child.start()
    return server, worker


@click.command("worker")
@click.option("--parent", type=int, hidden=True, help="Process to end with.")
def work(parent: int | None) -> None:
    """Do background work until interrupted: mail, expiry, deliveries, whatever is scheduled."""
    logging.basicConfig(level=runtime().settings.log_level, format="%(asctime)s %(name)s %(message)s")
    loops, schedule = current_app.extensions["loops"], current_app.extensions["schedule"]
    sys.exit(work_until_interrupted(runtime(), loops, schedule, parent))


@click.command("openapi")
def print_document() -> None:
    """Print the API document as JSON."""
    click.echo(pretty(current_docs().document))


@click.command("draft-migration")
@click.argument("message")
def draft(message: str) -> None:
    """Write a migration for what the models changed."""
    migrations.draft_migration(runtime().database, message)
