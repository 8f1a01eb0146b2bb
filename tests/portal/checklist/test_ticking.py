"""The checklist: read by anybody, ticked and saved per developer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from flask.testing import FlaskClient

from tests.lint import Page
from tests.portal.people import field_of, fill_in


def ticks(client: FlaskClient) -> list[str]:
    html = client.get("/checklist").get_data(as_text=True)
    return [line.split('value="')[1].split('"')[0] for line in html.splitlines() if line.endswith(" checked>")]


def test_it_shows_ten_points_and_five_steps_and_sets_no_cookie(visit: Callable[..., Page], content: Path) -> None:
    page = visit("/checklist")
    written = yaml.safe_load((content / "checklist.yaml").read_text())
    assert len(page.find_all("input", type="checkbox")) == 15
    for entry in [*written["points"], *written["flow"]["steps"]]:
        assert entry["title"] in page.text
        assert (entry.get("guide") or entry["href"]) in page.links
    assert "0 of 15 settled" in page.text
    assert "Set-Cookie" not in page.response.headers
    assert page.response.headers["Cache-Control"] == "no-store"


def test_a_visitors_ticks_are_saved_for_this_browser(
    client: FlaskClient, visit: Callable[..., Page], new_client: Callable[[], FlaskClient]
) -> None:
    assert fill_in(client, "/checklist", done=["secure-tokens", "step-define"]).status_code == 303
    page = visit("/checklist")
    assert "2 of 15 settled" in page.text
    assert [bar.get("value") for bar in page.find_all("progress")] == ["2"]
    assert "Your ticks are saved." in page.text
    assert ticks(client) == ["secure-tokens", "step-define"]
    assert ticks(new_client()) == []


def test_an_unticked_box_is_unticked(client: FlaskClient) -> None:
    fill_in(client, "/checklist", done=["secure-tokens", "safe-retries"])
    fill_in(client, "/checklist", done=["safe-retries"])
    assert ticks(client) == ["safe-retries"]
    fill_in(client, "/checklist")
    assert ticks(client) == []


@pytest.mark.parametrize("point", ["nonsense", "", "step-", "x" * 5000, "secure-tokens\x00"])
def test_what_is_not_on_the_list_is_refused(client: FlaskClient, point: str) -> None:
    fill_in(client, "/checklist", done="safe-retries")
    assert fill_in(client, "/checklist", done=["secure-tokens", point]).status_code == 400
    assert ticks(client) == ["safe-retries"]


def test_a_refused_form_makes_no_guest(client: FlaskClient) -> None:
    answer = client.post("/checklist", data={"done": "secure-tokens"})
    assert answer.status_code == 400
    assert "Please send the form again" in answer.get_data(as_text=True)
    assert "Set-Cookie" not in answer.headers


def test_a_form_shown_to_one_developer_does_not_tick_for_another(
    client: FlaskClient, new_client: Callable[[], FlaskClient]
) -> None:
    mallory = new_client()
    fill_in(mallory, "/checklist", done="secure-tokens")
    token = field_of(mallory.get("/checklist").get_data(as_text=True), "csrf_token", "/checklist")
    fill_in(client, "/checklist", done="safe-retries")
    assert fill_in(client, "/checklist", csrf_token=token, done="clear-notices").status_code == 400
    assert ticks(client) == ["safe-retries"]
