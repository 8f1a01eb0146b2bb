"""The documentation is read when it is first asked for, and before a server takes requests."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from portal.docs.guides import BrokenContent
from portal.docs.service import init_docs, load_docs
from portal.serving.composing import request_server
from tests.portal.docs.conftest import CONTENT, DOCUMENT, SITE

pytestmark = pytest.mark.one_store


def test_a_worker_reads_no_documentation_and_whoever_asks_reads_it_once() -> None:
    described: list[str] = []

    def describe():
        described.append("document")
        return DOCUMENT

    app = Flask("portal")
    init_docs(app, describe, CONTENT, SITE)
    assert described == []
    assert load_docs(app) is load_docs(app)
    assert described == ["document"]


def test_a_server_with_broken_content_does_not_start(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "guides").mkdir()
    (tmp_path / "guides" / "broken.md").write_text("No front matter")
    other = Flask("portal")
    init_docs(other, lambda: DOCUMENT, tmp_path, SITE)
    monkeypatch.setitem(app.extensions, "docs", other.extensions["docs"])
    with pytest.raises(BrokenContent):
        request_server(app)
