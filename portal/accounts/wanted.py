"""The page to go on with after signing in."""

from __future__ import annotations

import re

from flask import request

LONGEST_NEXT = 500
_LOCAL_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


def wanted_page(default: str = "/account") -> str:
    """Where `next` leads, if that is a page of ours; another site's address counts as none."""
    wanted = request.args.get("next", "")
    return wanted if len(wanted) <= LONGEST_NEXT and _LOCAL_PATH.fullmatch(wanted) else default
