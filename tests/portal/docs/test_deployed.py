"""The documentation as it is deployed: our content, our document, our application."""

from __future__ import annotations

import pytest

from portal.core.errors import CODES
from portal.docs.links import missing_links
from portal.docs.samples import curl
from portal.docs.service import Docs, load_docs

QUERIES = {
    "craete invoice": "/reference/invoices/create",
    "record paymnet": "/reference/invoices/pay",
    "list prodcuts": "/reference/products/list",
    "submit lead": "/reference/public-leads/submit",
    "finacial report": "/reference/reports/financial",
    "reset sandbx": "/reference/sandbox/reset",
    "isue token": "/reference/tokens/issue",
    "start conversaton": "/reference/guest-chat/start",
    "pagintion": "/docs/pagination",
    "quick start": "/docs/quickstart",
    "rate limts": "/docs/rate-limits",
    "tenent isolation": "/docs/tenant-isolation",
    "upgrade requird": "/errors/upgrade_required",
    "malfromed json": "/errors/malformed_json",
}


pytestmark = pytest.mark.one_store


@pytest.fixture
def docs(app) -> Docs:
    return load_docs(app)


def test_every_documentation_page_is_sound(docs, visit):
    for path in docs.paths():
        page = visit(path)
        assert page.response.headers["Cache-Control"] == "public, max-age=0, must-revalidate", path
        assert "Set-Cookie" not in page.response.headers and "Cookie" not in page.response.headers["Vary"], path
        assert page.response.headers["Content-Security-Policy"], path


def test_every_link_anchor_operation_and_code_that_is_promised_exists(app):
    assert missing_links(app) == []


def test_every_code_of_the_closed_list_has_a_page_with_its_status(docs):
    assert {error.code: error.status for error in docs.library.errors} == {
        code: error.status for code, error in CODES.items()
    }


def test_every_operation_is_on_the_index_and_in_the_api_document(docs, client, visit):
    links = set(visit("/reference").links)
    document = client.get("/openapi.json").json
    declared = {each["operationId"] for path in document["paths"].values() for each in path.values()}
    assert declared == set(docs.reference.by_id)
    assert {operation.url for operation in docs.reference.operations} <= links


def test_a_page_is_the_same_for_everyone(client, new_client):
    client.set_cookie("slipway_session", "whatever")
    assert client.get("/").data == new_client().get("/").data


@pytest.mark.parametrize(("query", "page"), QUERIES.items())
def test_the_expected_page_is_among_the_first_five(docs, query, page):
    found = dict.fromkeys(hit.url.partition("#")[0] for hit in docs.index.search(query).hits)
    assert page in list(found)[:5]


def test_samples_of_public_calls_carry_the_proof_they_need(docs, visit):
    proofs = {"tokens.issue": "$SLIPWAY_KEY_ID:$SLIPWAY_KEY_SECRET", "guest-chat.post": "Bearer $SLIPWAY_GUEST_TOKEN"}
    for name, proof in proofs.items():
        assert proof in curl(docs.reference.by_id[name].call), name
        assert "Proof" in visit(docs.reference.by_id[name].url).text
    for name in ("public-leads.submit", "guest-chat.start"):
        assert "SLIPWAY_KEY" not in curl(docs.reference.by_id[name].call), name


def test_an_operation_the_console_cannot_send_does_not_lead_there(visit):
    assert "/sandbox?operation=customers.list" in visit("/reference/customers/list").links
    assert "/sandbox?operation=tokens.issue" not in visit("/reference/tokens/issue").links
