"""A small application around the documentation, fed with a document of its own."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient

from portal.docs.pages import blueprint
from portal.docs.service import Docs, init_docs, load_docs
from portal.web.bidi import init_bidi
from portal.web.desk_link import init_desk_link
from tests.portal.docs.document import DOCUMENT

ROOT = Path(__file__).resolve().parents[3]
CONTENT = ROOT / "content"
SITE = SimpleNamespace(
    product="Business Suite",
    portal="Slipway",
    tagline="from first call to go-live",
    base_url="https://portal.example",
)


@pytest.fixture(scope="session")
def make_docs_app():
    """Make an application for a document and a content folder."""

    def make(document=DOCUMENT, content: Path = CONTENT) -> Flask:
        app = Flask("portal", root_path=str(ROOT / "portal"))
        app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
        app.jinja_env.globals.update(site=SITE, asset=lambda name: f"/static/{name}")
        web = Blueprint("web", "portal.web", template_folder="templates")
        app.register_blueprint(web)
        app.register_blueprint(blueprint)
        init_bidi(app)
        init_desk_link(app)
        init_docs(app, lambda: document, content, SITE)
        load_docs(app)
        return app

    return make


@pytest.fixture(scope="session")
def docs_app(make_docs_app) -> Flask:
    return make_docs_app()


@pytest.fixture
def docs_client(docs_app: Flask) -> FlaskClient:
    return docs_app.test_client()


@pytest.fixture
def docs(docs_app: Flask) -> Docs:
    return load_docs(docs_app)
