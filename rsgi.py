"""Serves the application under Granian's RSGI, as `flask serve` does. Any WSGI server may serve `wsgi:app` instead."""

from __future__ import annotations

from portal.serving.composing import request_server
from wsgi import app

server = request_server(app)
