"""One request of every kind there is: each operation with its sample, each page, each form."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from portal.core.runtime import READING_METHODS
from sandbox.tenants import NewSandbox
from tests.portal.people import PASSWORD, field_of, fill_in, new_email, sign_up

INDEPENDENT = ("docs.", "gallery.", "static", "health.tell_health")
"""Endpoints that need no store; of what they answer, more is said in other tests."""
FORM = {"name": "Jane Archer", "email": "jane@example.com", "password": PASSWORD, "message": "Hello", "topic": "demo"}
FORM |= {"fullName": "Jane Archer", "first_name": "Jane", "text": "Hello", "subject": "Hello"}


@dataclass(frozen=True)
class Sent:
    """One request, by name."""

    name: str
    method: str
    path: str
    details: dict[str, Any] = field(default_factory=dict)

    def by(self, client: FlaskClient) -> TestResponse:
        return client.open(self.path, method=self.method, **self.details)


@dataclass(frozen=True)
class Caller:
    """Somebody with every right: an administrator's key, a member's session and a guest's chat.

    `tokens` holds what the forms of pages carry, by the path they are sent to; "" stands for all others.
    """

    app: Flask
    new: NewSandbox
    cookies: dict[str, str]
    tokens: dict[str, str]
    receiving: str

    def browser(self) -> FlaskClient:
        """A browser that was not used yet: what one request does to a session concerns no other."""
        browser = self.app.test_client()
        for name, value in self.cookies.items():
            browser.set_cookie(name, value)
        return browser


def make_caller(app: Flask, new: NewSandbox) -> Caller:
    """Sign up, start a chat, and look at every page that holds a form of its own."""
    browser = app.test_client()
    sign_up(browser, new_email())
    fill_in(browser, "/support", **FORM | {"email": new_email()})
    tokens: dict[str, str] = {}
    for page in ("/account", "/contact", "/support", "/checklist", "/sandbox"):
        html = browser.get(page).get_data(as_text=True)
        for path, form in re.findall(r'<form[^>]*action="([^"]*)"(.*?)</form>', html, re.S):
            if 'name="csrf_token"' in form:
                tokens.setdefault(path, field_of(form, "csrf_token"))
    tokens[""] = tokens["/account/sign-out"]
    cookies = {name: browser.get_cookie(name) for name in ("slipway_session", "slipway_chat")}
    key = {"Authorization": f"Bearer {new.keys['administrator']}"}
    made = browser.post("/api/v2/sandbox/inbox/addresses", json={"name": "Outages"}, headers=key)
    receiving = urlsplit(made.get_json()["data"]["url"]).path
    return Caller(app, new, {name: cookie.value for name, cookie in cookies.items() if cookie}, tokens, receiving)


def all_requests(caller: Caller) -> Iterator[Sent]:
    """A request for every method of every rule that may need a store."""
    for rule in caller.app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            if not rule.endpoint.startswith(INDEPENDENT):
                yield _request(caller, rule, method)


def _request(caller: Caller, rule: Rule, method: str) -> Sent:
    view = caller.app.view_functions[rule.endpoint]
    operation = getattr(view, "operation", None)
    path = caller.receiving if rule.rule.startswith("/inbox/") else re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule)
    path = re.sub(r"<[^>]*>", "1", path)
    name = f"{method} {rule.rule}"
    if rule.endpoint == "tokens.issue_token":
        return Sent(name, method, path, _token_request(caller))
    if operation is None:
        token = caller.tokens.get(path, caller.tokens[""])
        return Sent(name, method, path, {} if method in READING_METHODS else {"data": FORM | {"csrf_token": token}})
    headers = {"Authorization": f"Bearer {caller.new.keys['administrator']}"}
    if method == "POST":
        headers["Idempotency-Key"] = "outage"
    if operation.is_public:
        headers = {"X-Publishable-Key": str(caller.new.tenant.publishable_id)}
    details: dict[str, Any] = {"headers": headers, "query_string": dict(operation.sample_query)}
    if method not in READING_METHODS and operation.sample is not None:
        details |= {"data": json.dumps(operation.sample, default=str), "content_type": "application/json"}
    return Sent(name, method, path, details)


def _token_request(caller: Caller) -> dict[str, Any]:
    _, _, key_id, secret = caller.new.keys["administrator"].split("_")
    basic = base64.b64encode(f"{key_id}:{secret}".encode()).decode()
    return {"headers": {"Authorization": f"Basic {basic}"}, "data": {"grant_type": "client_credentials"}}


def fault_of(sent: Sent, response: TestResponse) -> str:
    """What is wrong with how a request was answered while a store failed; empty when nothing is."""
    if response.status_code == 503:
        if "Retry-After" not in response.headers:
            return f"{sent.name}: 503 without Retry-After"
        if "X-Request-Id" not in response.headers:
            return f"{sent.name}: 503 without X-Request-Id"
        is_api = sent.path.startswith(("/api/", "/oauth/"))
        if is_api and "service_unavailable" not in response.get_data(as_text=True):
            return f"{sent.name}: 503 without its code"
        return ""
    return f"{sent.name}: {response.status_code}" if response.status_code >= 500 else ""


def faults(caller: Caller) -> list[str]:
    """What is wrong with the answers to all requests."""
    return [fault for sent in all_requests(caller) if (fault := fault_of(sent, sent.by(caller.browser())))]


def answered(caller: Caller) -> dict[str, int]:
    """The status of every request."""
    return {sent.name: sent.by(caller.browser()).status_code for sent in all_requests(caller)}
