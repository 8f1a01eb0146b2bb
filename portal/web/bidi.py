"""Direction of text in coloured code: a string of Hebrew leaves the punctuation around it in place."""

from __future__ import annotations

import re

from flask import Flask
from markupsafe import Markup, escape

from portal.core.bidi import has_right_to_left

_STRING = re.compile(r'<span class="(s[a-z0-9]?)">(?=[^<]*[^\x00-\u058f])([^<]*)</span>')


def init_bidi(app: Flask) -> None:
    """Give templates the filter `isolate_strings`."""
    app.add_template_filter(isolate_strings, "isolate_strings")


def isolate_strings(code: str) -> Markup:
    """Give each coloured string with letters from right to left a direction of its own."""
    return Markup(_STRING.sub(_isolate, str(escape(code))))  # noqa: S704 — escaped above, unless it is markup


def _isolate(found: re.Match[str]) -> str:
    name, text = found.groups()
    return f'<span class="{name}" dir="auto">{text}</span>' if has_right_to_left(text) else found.group()
