"""The way to the desk from every page, for staff only, printed pages included."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.lint import read_page
from tests.portal.people import fill_in, new_email, sign_up

PAGES = ("/", "/docs/quickstart", "/reference", "/changelog", "/errors/not_found", "/contact", "/support", "/account",
         "/sandbox", "/search?q=customer", "/nowhere")  # fmt: skip


def links_of(client: FlaskClient, path: str) -> list[str]:
    answer = client.get(path, follow_redirects=True)
    return read_page(path, answer).links


def test_staff_find_the_desk_in_the_header_of_every_page(sam: FlaskClient) -> None:
    sam.get("/staff")
    for path in PAGES:
        for _ in range(2):
            assert links_of(sam, path).count("/staff") >= 1, path


def test_nobody_else_is_shown_a_desk(sam: FlaskClient, new_client: Callable[[], FlaskClient]) -> None:
    """Staff come first, so that what they are shown could have been printed for everybody."""
    visitor, member = new_client(), new_client()
    sign_up(member, new_email())
    sam.get("/staff")
    for path in PAGES:
        links_of(sam, path)
        for other in (visitor, member):
            assert "/staff" not in links_of(other, path), path


@pytest.mark.parametrize("encoding", ["", "gzip", "br"])
def test_a_printed_page_with_the_link_is_an_edition_of_its_own(
    sam: FlaskClient, client: FlaskClient, encoding: str
) -> None:
    sam.get("/staff")
    headers = {"Accept-Encoding": encoding}
    plain, staff = (who.get("/docs/quickstart", headers=headers) for who in (client, sam))
    assert plain.headers["ETag"] != staff.headers["ETag"]
    assert staff.headers["Cache-Control"].startswith("private")
    stale = sam.get("/docs/quickstart", headers=headers | {"If-None-Match": plain.headers["ETag"]})
    known = sam.get("/docs/quickstart", headers=headers | {"If-None-Match": staff.headers["ETag"]})
    assert (stale.status_code, known.status_code) == (200, 304)


def test_the_link_goes_when_staff_sign_out(sam: FlaskClient) -> None:
    sam.get("/staff")
    assert "/staff" in links_of(sam, "/docs/quickstart")
    fill_in(sam, "/account", "/account/sign-out")
    assert "/staff" not in links_of(sam, "/docs/quickstart")
    assert "/staff" not in links_of(sam, "/contact")


def test_a_forged_wish_finds_no_desk_and_is_taken_back(client: FlaskClient) -> None:
    client.set_cookie("slipway_desk", "1")
    assert client.get("/staff").status_code == 404
    assert client.get_cookie("slipway_desk") is None
