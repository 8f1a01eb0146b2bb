"""Static files under addresses that change with their content, so that browsers may keep them for good."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Flask, Response, request

FOREVER = "public, max-age=31536000, immutable"
A_WHILE = "public, max-age=300"


def init_assets(app: Flask) -> None:
    """Give templates `asset(name)`, and versioned static answers a long life."""
    folder = Path(app.static_folder or "")
    version = _digest(folder)

    def asset(name: str) -> str:
        return f"/static/{name}?v={_digest(folder) if app.debug else version}"

    def keep_versioned(response: Response) -> Response:
        if request.endpoint == "static" and response.status_code == 200:
            response.headers["Cache-Control"] = FOREVER if "v" in request.args else A_WHILE
        return response

    app.add_template_global(asset, "asset")
    app.after_request(keep_versioned)


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:10]
