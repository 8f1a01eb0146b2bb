"""Serves the application under Granian's RSGI, as `flask serve` does. Any WSGI server may serve `wsgi:app` instead."""

from __future__ import annotations

import multiprocessing

from portal.serving.composing import request_server
from portal.serving.parents import end_with_parent
from wsgi import app

_parent = multiprocessing.parent_process()
if _parent is not None and _parent.pid is not None:
    end_with_parent(_parent.pid, app.extensions["slipway"].settings.shutdown_timeout)

server = request_server(app)
