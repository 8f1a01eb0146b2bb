"""Workers to be killed: each a process of its own, forked from one that has done the importing.

A line on standard input asks for one more; its process id is the answer.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import sys
import threading
from typing import Any

from portal.core.database import Database
from portal.core.outgoing import OutgoingClient
from portal.core.types import EncryptedText
from sandbox.delivery.worker import Courier


def main() -> None:
    """Fork workers until standard input ends. The first argument holds their options as JSON."""
    options = json.loads(sys.argv[1])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            work(options)
        print(pid, flush=True)


def work(options: dict[str, Any]) -> None:
    """Deliver until killed, with waits and leases short enough for a test."""
    EncryptedText.use_secret(options["secret_key"])
    courier = Courier(
        Database(options["database_url"]),
        OutgoingClient(allow=["127.0.0.0/8"]),
        threads=options["threads"],
        waits=options["waits"],
        lease=dt.timedelta(seconds=options["lease"]),
    )
    courier.run(threading.Event())


if __name__ == "__main__":
    main()
