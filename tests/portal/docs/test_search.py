"""Search finds the right page in spite of typing mistakes, and takes what is typed literally."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.docs.search import LONGEST_QUERY, Entry, Index

QUERIES = {
    "pagination": "/docs/pagination",
    "paginaton": "/docs/pagination",
    "quikstart": "/docs/quickstart",
    "reset sandbox": "/docs/sandbox",
    "resset sandbx": "/docs/sandbox",
    "create customer": "/reference/customers/create",
    "craete custmer": "/reference/customers/create",
    "/api/v2/customers/{id}": "/reference/customers/read",
    "customers.delete": "/reference/customers/delete",
    "rate limt": "/docs/rate-limits",
    "acces tokn": "/docs/authentication",
    "validation errors": "/docs/errors-and-notices",
    "validaton_failed": "/errors/validation_failed",
    "upgrade required": "/errors/upgrade_required",
    "tennant isolation": "/docs/tenant-isolation",
    "guest caht": "/docs/guest-chat",
    "ledas": "/docs/leads",
    "money decimals": "/docs/create-and-update-records",
    "duplciate": "/errors/duplicate",
    "403 forbiden": "/errors/forbidden",
    "unautorized": "/errors/unauthorized",
    "financial reprot": "/docs/reports",
    "gst_no": "/reference/invoices/pay",
}
HOSTILE = [
    '"',
    "'",
    "a OR b",
    "NEAR(a b)",
    "title:x",
    "*",
    "^x",
    "-",
    "(",
    "a AND",
    "{}",
    "\x00",
    "\ud800",
    "ß" * 999,
    "% _",
]


def pages(index: Index, query: str) -> list[str]:
    return [hit.url.partition("#")[0] for hit in index.search(query).hits[:5]]


@pytest.mark.parametrize(("query", "page"), QUERIES.items())
def test_the_expected_page_is_among_the_first_five(docs, query, page):
    assert page in pages(docs.index, query)


@pytest.mark.parametrize("query", HOSTILE)
def test_nothing_typed_is_syntax(docs, query):
    results = docs.index.search(query)
    assert len(results.query) <= LONGEST_QUERY


def test_an_operator_is_a_word():
    index = Index([Entry("guide", "/a", "Alpha"), Entry("guide", "/b", "Beta")])
    assert [hit.url for hit in index.search("alpha NOT beta").hits] == ["/a", "/b"]


def test_the_beginning_of_a_word_finds_it():
    index = Index([Entry("guide", "/a", "Webhooks"), Entry("guide", "/b", "Beta")])
    assert [hit.url for hit in index.search("webh").hits] == ["/a"]


def test_excerpts_are_escaped_around_the_marks():
    index = Index([Entry("guide", "/a", "Title", body="see <script>alert('key')</script> & more")])
    (hit,) = index.search("key").hits
    assert hit.excerpt == "see &lt;script&gt;alert(&#39;<mark>key</mark>&#39;)&lt;/script&gt; &amp; more"


def test_a_corrected_search_says_what_it_searched(docs):
    assert docs.index.search("paginaton").words == "pagination"
    assert docs.index.search("pagination").words == ""


def test_nothing_and_nonsense_find_nothing(docs):
    assert docs.index.search("  ").hits == () and docs.index.search("xqzjvkw").hits == ()


def test_one_guide_does_not_fill_the_page():
    index = Index([Entry("guide", f"/a#{number}", "Key") for number in range(9)] + [Entry("guide", "/b", "Key")])
    assert [hit.url.partition("#")[0] for hit in index.search("key").of("guide")].count("/a") == 3


def test_searches_from_many_threads_agree(docs):
    queries = list(QUERIES) * 8
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda query: pages(docs.index, query), queries))
    assert together == [pages(docs.index, query) for query in queries]
