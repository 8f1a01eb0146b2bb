"""Where faults are injected: the product on stores of its own, with one sandbox in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.clients import Sandbox
from tests.faults.disks import SmallDisk, small_disk
from tests.faults.processes import Product
from tests.own_servers import PostgresqlServer, RedisServer, free_port, postgresql_binaries

SQLITE, POSTGRESQL = "sqlite", "postgresql"
TITLES = {SQLITE: "SQLite", POSTGRESQL: "PostgreSQL with Redis"}
_DISK_MEGABYTES = {SQLITE: 96, POSTGRESQL: 320}
_POSTGRESQL_OPTIONS = "-c max_connections=60 -c max_wal_size=64MB -c min_wal_size=32MB"


@dataclass
class Deployment:
    """One running product. `database` is SQLite's file; `disk` is there where everything lies on a small one."""

    store: str
    product: Product
    sandbox: Sandbox
    database: Path | None = None
    postgresql: PostgresqlServer | None = None
    redis: RedisServer | None = None
    disk: SmallDisk | None = None

    def bring_up(self) -> None:
        """Start what was stopped, thaw what was frozen, and wait for the product. Raises NotReady."""
        for server in (self.postgresql, self.redis):
            if server is not None:
                server.ensure_running()
        self.product.wait_until_ready()


def why_no_store(store: str) -> str:
    """Why a store cannot be used here; empty when it can."""
    if store == POSTGRESQL and (postgresql_binaries() is None or not shutil.which("redis-server")):
        return "PostgreSQL's and Redis's servers were not found"
    return ""


@contextmanager
def deployed_on(store: str, folder: Path, *, on_small_disk: bool = False) -> Iterator[Deployment]:
    """A product that serves, on new stores under `folder`."""
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(folder / "disk", _DISK_MEGABYTES[store])) if on_small_disk else None
        home = disk.folder if disk else folder
        settings = {"INSTANCE_PATH": str(folder / "instance"), "SECRET_KEY": "f" * 40, "LOG_LEVEL": "WARNING"}
        settings |= {"OUTGOING_ALLOW": "127.0.0.0/8", "DATABASE_URL": f"sqlite:///{home / 'slipway.db'}"}
        database, postgresql, redis = home / "slipway.db", None, None
        if store == POSTGRESQL:
            postgresql, redis = _servers(stack, home, folder)
            settings |= {"DATABASE_URL": postgresql.url, "REDIS_URL": redis.url}
        product = Product({"REDIS_URL": "", **settings}, free_port(), folder / "log")
        product.run("prepare")
        created = product.create_sandbox()
        stack.enter_context(product.serving())
        sandbox = Sandbox(product.origin, created["keys"], created["publishable_key"])
        yield Deployment(store, product, sandbox, database if store == SQLITE else None, postgresql, redis, disk)


def _servers(stack: ExitStack, home: Path, folder: Path) -> tuple[PostgresqlServer, RedisServer]:
    binaries = postgresql_binaries()
    assert binaries is not None
    postgresql, redis = PostgresqlServer(binaries, home / "postgresql", _POSTGRESQL_OPTIONS), RedisServer(folder)
    postgresql.create()
    for server in (postgresql, redis):
        stack.callback(server.stop)
        server.start()
    return postgresql, redis
