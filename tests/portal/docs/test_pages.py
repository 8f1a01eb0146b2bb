"""The documentation pages over HTTP."""

from __future__ import annotations

import json
import os
import re
import shutil
import time

import html5lib
import pytest
import yaml

from portal.docs.links import missing_links
from portal.docs.service import find_operation
from tests.portal.docs.conftest import CONTENT
from tests.portal.docs.document import DOCUMENT

NAMESPACE = "{http://www.w3.org/1999/xhtml}"


def parse(markup: bytes):
    """The page as a tree; a parse error is a failure."""
    return html5lib.HTMLParser(namespaceHTMLElements=False, strict=False).parse(markup)


def texts(tree, path: str) -> list[str]:
    return [" ".join("".join(element.itertext()).split()) for element in tree.findall(path)]


def twin(path: str) -> str:
    return "/index.md" if path == "/" else f"{path.rstrip('/')}.md"


def test_every_page_is_served_with_one_heading_unique_ids_and_no_inline_style(docs, docs_client):
    for path in docs.paths():
        answer = docs_client.get(path)
        assert answer.status_code == 200, path
        tree = parse(answer.data)
        assert len(tree.findall(".//h1")) == 1, path
        ids = [element.get("id") for element in tree.iter() if element.get("id")]
        assert len(ids) == len(set(ids)), (path, [each for each in ids if ids.count(each) > 1])
        assert not [element for element in tree.iter() if element.get("style") or element.tag == "style"], path
        assert tree.find(".//title").text.strip(), path


def test_every_page_has_a_markdown_twin_and_names_it(docs, docs_client):
    for path in docs.paths():
        link = docs_client.get(path).headers["Link"]
        assert link == f'<{twin(path)}>; rel="alternate"; type="text/markdown"', path
        answer = docs_client.get(twin(path))
        assert answer.content_type == "text/markdown; charset=utf-8", path
        assert answer.text.startswith("# ") and "<p>" not in answer.text and "&#39;" not in answer.text, path


@pytest.mark.parametrize(
    "path",
    [
        "/docs/none",
        "/docs/none.md",
        "/reference/none",
        "/reference/none.md",
        "/reference/customers/none",
        "/errors/none",
        "/reference/none/list",
        "/reference/customers/none.md",
        "/errors/none.md",
        "/docs/..%2fapp",
        "/docs/quickstart.html",
    ],
)
def test_what_does_not_exist_is_not_found(docs_client, path):
    assert docs_client.get(path).status_code == 404


def test_the_home_page_tells_public_from_protected_and_links_what_exists(docs_client):
    tree = parse(docs_client.get("/").data)
    access = {area.get("data-access"): area for area in tree.findall(".//ul[@data-access]")}
    assert set(access) == {"public", "protected"}
    public = [link.get("href") for link in access["public"].findall(".//a")]
    assert "/reference/public-leads" in public and "/reference/guest-chat" not in public
    assert "/reference/customers" in [link.get("href") for link in access["protected"].findall(".//a")]


def test_the_home_page_shows_steps_principles_points_and_a_first_call(docs_client):
    tree = parse(docs_client.get("/").data)
    sections = {section.get("aria-labelledby"): section for section in tree.findall(".//section")}
    assert {"first-call", "principles", "areas", "response-standard", "flow", "talk"} <= set(sections)
    assert len(sections["flow"].findall("./ol/li")) == 5
    assert len(sections["principles"].findall("./ul/li")) == 4
    assert len(sections["checklist"].findall("./dl/div")) == 10
    assert len(sections["first-call"].findall("./ol/li")) == 3
    assert "$SLIPWAY_URL/api/v2/customers" in "".join(sections["first-call"].itertext())


def test_samples_show_the_address_readers_use(docs_client):
    assert "SLIPWAY_URL=https://portal.example" in docs_client.get("/docs/quickstart.md").text
    assert "localhost" not in docs_client.get("/").text


def test_the_index_of_the_reference_holds_every_operation(docs, docs_client):
    tree = parse(docs_client.get("/reference").data)
    links = [link.get("href") for link in tree.findall(".//main//a")]
    assert {operation.url for operation in docs.reference.operations} <= set(links)


def test_an_operation_page_shows_its_parts(docs_client):
    tree = parse(docs_client.get("/reference/customers/create").data)
    ids = {element.get("id") for element in tree.iter()}
    assert {"body", "body.account", "body.status", "201", "201.data.email", "errors"} <= ids
    assert tree.find(".//a[@href='/sandbox?operation=customers.create']") is not None
    assert tree.find(".//a[@href='/errors/validation_failed']") is not None
    assert [section.get("data-tab") for section in tree.findall(".//aside//section")] == [
        "curl",
        "python",
        "javascript",
    ]
    assert "crm:write" in "".join(tree.find(".//main//dl").itertext())


def test_a_foreign_description_cannot_bring_a_script(docs_client):
    page = docs_client.get("/reference/customers/create").text
    assert "alert(1)" not in page and "<em>new</em>" in page


def test_public_and_deprecated_are_said_in_words(docs_client):
    assert "public, without sign-in" in docs_client.get("/reference/public-leads/submit").text
    assert "deprecated" in docs_client.get("/reference/customers/delete").text


def test_an_error_page_lists_the_operations_that_answer_it(docs_client):
    tree = parse(docs_client.get("/errors/duplicate").data)
    assert tree.find(".//main//a[@href='/reference/customers/create']") is not None


def test_guides_lead_to_their_neighbours_and_operations(docs_client):
    tree = parse(docs_client.get("/docs/quickstart").data)
    assert tree.find(".//a[@rel='prev']").get("href") == "/docs/introduction"
    assert tree.find(".//main//a[@href='/reference/customers/list']") is not None
    assert tree.find(".//nav[@aria-label='Guides']//a[@aria-current='page']").get("href") == "/docs/quickstart"


@pytest.mark.parametrize("guide", ["quickstart", "pagination", "rate-limits", "safe-retries"])
def test_a_guide_shows_one_block_for_several_languages(docs_client, guide):
    tree = parse(docs_client.get(f"/docs/{guide}").data)
    (group,) = tree.findall(".//main//div[@data-tabs='language']")
    assert [each.get("data-tab") for each in group.findall("./section")] == ["python", "javascript"]


@pytest.mark.parametrize("suffix", ["", ".md"])
def test_every_earlier_address_of_a_guide_redirects_for_good(docs, docs_client, suffix):
    renamed = {slug: guide for guide in docs.library.guides for slug in guide.was}
    assert renamed["staying-in-step"].slug == "incremental-sync"
    for slug, guide in renamed.items():
        answer = docs_client.get(f"/docs/{slug}{suffix}")
        assert (answer.status_code, answer.headers["Location"]) == (301, f"{guide.url}{suffix}")
        assert docs_client.get(answer.headers["Location"]).status_code == 200
        assert f"/docs/{slug}" not in docs.paths()


def test_search_works_as_a_plain_page(docs_client):
    tree = parse(docs_client.get("/search?q=paginaton").data)
    assert "/docs/pagination" in [link.get("href") for link in tree.findall(".//main//ol//a")]
    assert tree.find(".//input[@id='search-words']").get("value") == "paginaton"


@pytest.mark.parametrize("query", ["", "q=", "q=xqzjvkw", "q=%00", "q=%ff", "q=" + "a" * 9000, "q=a&q=b", "q[]=1"])
def test_search_answers_whatever_is_typed(docs_client, query):
    answer = docs_client.get(f"/search?{query}")
    assert answer.status_code == 200 and len(answer.data) < 60_000


def test_search_shows_what_was_typed_as_text(docs_client):
    page = docs_client.get("/search", query_string={"q": "<script>alert(1)</script>"}).text
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


def test_llms_txt_lists_every_guide_group_and_error(docs, docs_client):
    answer = docs_client.get("/llms.txt")
    lines = answer.text.splitlines()
    assert answer.content_type.startswith("text/plain")
    assert lines[0] == "# Slipway" and lines[2].startswith("> ")
    links = re.findall(r"^- \[[^\]]+\]\((https://portal\.example/[^)]+)\): .+", answer.text, re.MULTILINE)
    expected = [*docs.library.guides, *docs.reference.groups, *docs.library.errors]
    assert {f"https://portal.example{page.url}.md" for page in expected} <= set(links)
    for link in links:
        assert docs_client.get(link.removeprefix("https://portal.example")).status_code == 200, link


def test_the_api_document_is_served_as_json_and_yaml_with_exact_money(docs_client):
    answer = docs_client.get("/openapi.json")
    assert answer.content_type == "application/json"
    assert '"examples": [\n' in answer.text and "1500.00" in answer.text
    assert json.loads(answer.text)["paths"].keys() == DOCUMENT["paths"].keys()
    other = docs_client.get("/openapi.yaml")
    assert "1500.00" in other.text and yaml.safe_load(other.text) == json.loads(answer.text)


def test_robots_and_site_map_name_the_pages(docs, docs_client):
    assert "Sitemap: https://portal.example/sitemap.xml" in docs_client.get("/robots.txt").text
    answer = docs_client.get("/sitemap.xml")
    assert answer.content_type == "application/xml; charset=utf-8"
    assert answer.text.count("<loc>https://portal.example/") == len(docs.paths())


def test_writers_see_their_edits_while_debugging(make_docs_app, tmp_path):
    content = tmp_path / "content"
    shutil.copytree(CONTENT, content)
    app = make_docs_app(content=content)
    app.debug = True
    client = app.test_client()
    assert "Fresh words" not in client.get("/docs/quickstart").text
    guide = content / "guides" / "quickstart.md"
    guide.write_text(guide.read_text() + "\nFresh words.\n")
    os.utime(guide, (time.time() + 5, time.time() + 5))
    assert "Fresh words" in client.get("/docs/quickstart").text


def test_other_features_find_operations_by_id(docs_app):
    with docs_app.app_context():
        assert find_operation("customers.list").path == "/api/v2/customers"
        assert find_operation("none") is None


def test_a_broken_link_anchor_operation_or_code_is_named(make_docs_app, tmp_path):
    content = tmp_path / "content"
    shutil.copytree(CONTENT, content)
    broken = "---\ntitle: T\nsummary: S\nsection: Nowhere\norder: 1\nsee: [none.list]\n---\n\n"
    links = "[a](/docs/gone) [b](/docs/quickstart#gone) [c](#gone) [d](/gone) [e](/docs/quickstart)\n"
    (content / "guides" / "broken.md").write_text(broken + links)
    found = [line for line in missing_links(make_docs_app(content=content)) if line.startswith("/docs/broken")]
    assert [line.split(" ", 1)[1] for line in found] == [
        "links to /docs/gone, which does not exist",
        "links to /docs/quickstart#gone, but there is no such heading",
        "links to #gone, but there is no such heading",
        "links to /gone, which does not exist",
        "sees the operation none.list, which does not exist",
        "is in the section Nowhere, which is not one of "
        "Start here, Concepts, Using the API, By module, Integration, Public flows, Sandbox",
    ]
