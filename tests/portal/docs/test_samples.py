"""Samples are executed: what they would send is what the call says."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from portal.docs.calls import Call, fill_path
from portal.docs.openapi import read_reference
from portal.docs.samples import LANGUAGES, curl, javascript, python, samples_of
from tests.portal.docs.document import BODY, DOCUMENT

CALLS = {identity: operation.call for identity, operation in read_reference(DOCUMENT).by_id.items()}
ENVIRONMENT = {
    "SLIPWAY_URL": "https://portal.example",
    "SLIPWAY_KEY": "sk_test_1",
    "SLIPWAY_KEY_ID": "id",
    "SLIPWAY_KEY_SECRET": "secret",
}
NASTY = [
    "it's",
    'say "hi"',
    "$HOME `id` $(id)",
    "back\\slash\\n",
    "two\nlines",
    "ünï ☃",
    "!history",
    "*?[a]{b}",
    "\u2028",
]


def curl_words(text: str) -> list[str]:
    """The arguments a POSIX shell would pass, found by the shell itself."""
    script = f"curl() {{ printf '%s\\0' \"$@\"; }}\n{text}\n"
    done = subprocess.run(["sh", "-c", script], env=ENVIRONMENT, capture_output=True, check=True, text=True)
    return done.stdout.split("\0")[:-1]


def sent_by_python(monkeypatch, text: str) -> requests.PreparedRequest:
    """Run a Python sample up to the wire."""
    sent = []

    def send(session, prepared, **_):
        sent.append(prepared)
        answer = requests.Response()
        answer.status_code, answer._content = 200, b"{}"
        return answer

    monkeypatch.setattr(requests.Session, "send", send)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    exec(compile(text, "sample", "exec"), {})
    return sent[0]


def test_there_is_a_sample_in_each_language():
    assert [sample.language.slug for sample in samples_of(CALLS["customers.list"])] == list(LANGUAGES)
    assert list(LANGUAGES) == ["curl", "python", "javascript"]


def test_curl_sends_what_the_call_says():
    words = curl_words(curl(CALLS["customers.create"]))
    assert words[0] == "https://portal.example/api/v2/customers"
    assert words[1:3] == ["--request", "POST"]
    assert words[words.index("--header") + 1] == "Authorization: Bearer sk_test_1"
    assert "Content-Type: application/json" in words
    assert json.loads(words[words.index("--data-raw") + 1]) == BODY


def test_curl_of_a_plain_read_is_short():
    assert curl(CALLS["customers.read"]).count("\n") == 1


@pytest.mark.parametrize("value", NASTY)
def test_curl_quotes_any_text(value):
    call = Call("POST", fill_path("/a/{id}", {"id": value}), (("q", value),), {}, {"x": value}, "application/json")
    words = curl_words(curl(call))
    assert json.loads(words[-1]) == {"x": value}
    assert dict(parse_qsl(urlsplit(words[0]).query)) == {"q": value}
    assert not set(urlsplit(words[0]).path) & set('[]{}*?!"$`\\')
    assert shlex.split(curl(call).replace("\\\n", " "))[0] == "curl"


@pytest.mark.parametrize("value", NASTY)
def test_python_quotes_any_text(monkeypatch, value):
    call = Call("POST", fill_path("/a/{id}", {"id": value}), (("q", value),), {}, {"x": [value]}, "application/json")
    sent = sent_by_python(monkeypatch, python(call))
    assert json.loads(sent.body) == {"x": [value]}
    assert dict(parse_qsl(urlsplit(sent.url).query)) == {"q": value}


def test_python_sends_what_the_call_says(monkeypatch):
    sent = sent_by_python(monkeypatch, python(CALLS["customers.list"]))
    assert sent.method == "GET"
    assert sent.headers["Authorization"] == "Bearer sk_test_1"
    assert dict(parse_qsl(urlsplit(sent.url).query)) == {"page": "1", "search": "a&b c"}


def test_python_writes_its_own_words_for_null_and_truth(monkeypatch):
    body = {"a": None, "b": True, "c": Decimal("1500.00"), "d": {}, "e": []}
    text = python(Call("PUT", "/a", body=body, media_type="application/json"))
    assert '"c": 1500.00,' in text
    assert json.loads(sent_by_python(monkeypatch, text).body) == {"a": None, "b": True, "c": 1500.0, "d": {}, "e": []}


def test_an_identifier_with_a_slash_stays_one_segment():
    assert CALLS["invoices.pay"].path == "/api/v2/invoices/inv_1%2Fa%20b/payments"


def test_a_form_is_sent_as_a_form_with_basic_credentials(monkeypatch):
    call = CALLS["tokens.issue"]
    words = curl_words(curl(call))
    assert words[words.index("--user") + 1] == "id:secret"
    assert words[-1] == "scope=crm:read crm:write"
    sent = sent_by_python(monkeypatch, python(call))
    assert sent.body == "grant_type=client_credentials&scope=crm%3Aread+crm%3Awrite"
    assert sent.headers["Authorization"].startswith("Basic ")
    assert "new URLSearchParams(" in javascript(call)
    assert "Content-Type" not in curl(call) + javascript(call)


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_a_public_call_carries_no_key(language):
    assert "SLIPWAY_KEY" not in LANGUAGES[language].write(CALLS["leads.submit"])


def test_money_is_written_to_the_cent_in_every_language():
    call = Call("POST", "/a", body={"amount": Decimal("1500.00")}, media_type="application/json")
    assert all("1500.00" in sample.text for sample in samples_of(call))


def test_a_curated_sample_wins_over_what_the_document_requires():
    assert CALLS["customers.list"].query == (("page", "1"), ("search", "a&b c"))


def test_javascript_is_a_fetch_with_method_headers_and_body():
    text = javascript(CALLS["customers.create"])
    assert 'method: "POST"' in text and "`Bearer ${process.env.SLIPWAY_KEY}`" in text
    body = text.partition("JSON.stringify(")[2].rpartition("),\n});")[0]
    assert json.loads(body) == BODY


def test_python_samples_are_valid_for_this_python():
    for call in CALLS.values():
        compile(python(call), "sample", "exec")
    assert sys.version_info >= (3, 11)
