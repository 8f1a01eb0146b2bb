"""Composes portal and sandbox into one application."""

from __future__ import annotations

import sandbox
from portal.app import create_app
from portal.core.config import load_settings

app = create_app(load_settings(), sandbox.extension)
