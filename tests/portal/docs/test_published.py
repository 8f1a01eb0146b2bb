"""Pages are printed once and served in three encodings with an ETag each."""

from __future__ import annotations

import gzip

import brotli
import pytest
from flask import Flask, Response, abort

from portal.docs.published import Shelf, init_printing, preferred_encoding, published

DECODE = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        ("", "identity"),
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.1, gzip;q=0.9", "gzip"),
        ("*", "br"),
        ("*;q=0", "identity"),
        ("identity, br;q=0.5", "identity"),
        ("br;q=nan", "identity"),
        ("br;q=x", "identity"),
        ("zstd", "identity"),
        ("," * 9000, "identity"),
    ],
)
def test_the_encoding_follows_the_callers_weights(header, encoding):
    assert preferred_encoding(header) == encoding


@pytest.mark.parametrize(("accept", "encoding"), [("br, gzip", "br"), ("gzip", "gzip"), ("", None)])
def test_every_encoding_carries_the_same_page(docs_client, accept, encoding):
    plain = docs_client.get("/docs/quickstart").data
    answer = docs_client.get("/docs/quickstart", headers={"Accept-Encoding": accept})
    assert answer.headers.get("Content-Encoding") == encoding
    assert DECODE[encoding](answer.data) == plain
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Cache-Control"] == "public, max-age=0, must-revalidate"
    assert "Set-Cookie" not in answer.headers


def test_each_encoding_has_a_strong_etag_of_its_own(docs_client):
    tags = {docs_client.get("/", headers={"Accept-Encoding": name}).headers["ETag"] for name in ("", "br", "gzip")}
    assert len(tags) == 3 and all(tag.startswith('"') for tag in tags)


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_a_page_the_caller_has_is_not_sent_again(docs_client, form):
    headers = {"Accept-Encoding": "br"}
    first = docs_client.get("/reference", headers=headers)
    again = docs_client.get("/reference", headers={**headers, "If-None-Match": form.format(first.headers["ETag"])})
    assert again.status_code == 304 and again.data == b""
    assert again.headers["ETag"] == first.headers["ETag"] and again.headers["Vary"] == "Accept-Encoding"
    assert "Content-Type" not in again.headers and "Content-Encoding" not in again.headers


def test_the_etag_of_another_encoding_does_not_match(docs_client):
    tag = docs_client.get("/", headers={"Accept-Encoding": "gzip"}).headers["ETag"]
    assert docs_client.get("/", headers={"Accept-Encoding": "br", "If-None-Match": tag}).status_code == 200


def test_head_answers_the_same_headers_without_a_body(docs_client):
    get, head = docs_client.get("/docs/quickstart"), docs_client.head("/docs/quickstart")
    assert head.data == b"" and head.headers["Content-Length"] == str(len(get.data))
    assert head.headers["ETag"] == get.headers["ETag"]


@pytest.fixture
def counting():
    """An application with one published view that counts its renderings."""
    app, seen = Flask("counting"), []
    shelf = Shelf()
    app.extensions["shelf"] = shelf
    init_printing(app, shelf)

    @app.get("/<name>")
    @published
    def show(name: str) -> Response:
        seen.append(name)
        if name == "moved":
            return Response(status=303)
        if name != "known":
            abort(404)
        return Response("page", headers={"Link": "</x.md>", "Set-Cookie": "a=b"})

    return app, seen


def test_a_page_is_rendered_once_whatever_the_query(counting):
    app, seen = counting
    client = app.test_client()
    for query in ("", "?a=1", "?a=2"):
        assert client.get(f"/known{query}").headers["Link"] == "</x.md>"
    assert seen == ["known"]


def test_a_cookie_is_never_printed(counting):
    assert "Set-Cookie" not in counting[0].test_client().get("/known").headers


def test_unknown_paths_are_not_kept(counting):
    app, _ = counting
    client = app.test_client()
    for number in range(50):
        assert client.get(f"/unknown{number}").status_code == 404
    assert client.get("/moved").status_code == 303
    assert app.extensions["shelf"].pages == {}


def test_while_debugging_nothing_is_kept(counting):
    app, seen = counting
    app.debug = True
    client = app.test_client()
    assert client.get("/known").status_code == client.get("/known").status_code == 200
    assert seen == ["known", "known"] and app.extensions["shelf"].pages == {}
