"""A server to be killed: it claims an idempotency key, and stops where the work in its transaction would begin.

The first argument holds its settings as JSON. It prints its origin, then a line when it has stopped.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

from sqlalchemy import event
from werkzeug.serving import make_server

import sandbox
from portal.app import create_app
from portal.core.config import load_settings
from portal.core.runtime import Runtime


def main() -> None:
    app = create_app(load_settings(json.loads(sys.argv[1])), sandbox.extension)
    parts: Runtime = app.extensions["slipway"]

    def stop(connection: Any) -> None:
        if connection.get_execution_options().get("takes_write_lock"):
            print("stopped", flush=True)
            threading.Event().wait()

    event.listen(parts.database.writer, "begin", stop, insert=True)
    app.after_request(lambda response: print("answered", flush=True) or response)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
