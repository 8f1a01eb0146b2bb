"""A door before the application: it deals out credentials and addresses, so that no limit hides what lies behind."""

from __future__ import annotations

import base64
import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import select
from werkzeug.test import Client, TestResponse

from portal.tenancy.keys import issue_key
from portal.tenancy.models import Tenant
from portal.tenancy.service import find_house
from sandbox.integration.outgoing.examples import MAPPING_SAMPLE
from sandbox.tenants import NewSandbox
from tests.conftest import runtime_of

CHAT = "/api/v1/support/guest"
TENANTS = "/api/tenants"
TOKENS = "/oauth/token"
INBOX = "/api/v2/sandbox/inbox/addresses"
CALLS_PER_KEY = 900
CALLS_PER_CHAT = 100


class Door:
    """A WSGI application: behind it every caller is the administrator of one sandbox, at an address of his own.

    A key has calls left for an hour, a guest for an hour's messages; then the next ones take their place. Only the
    platform owner may list and make tenants, so there he calls. Credentials that a request brings are taken away.
    `made` holds, by collection, the ids of what was created through it.
    """

    def __init__(self, app: Flask, new: NewSandbox) -> None:
        self.app, self.tenant = app, new.tenant
        self.conversation, self._guest_token, self._chat_calls = "", "", 0
        self.delivery = ""
        self.made: defaultdict[str, list[str]] = defaultdict(list)
        self._keys: dict[bool, tuple[str, Iterable[int]]] = {}
        self._number = itertools.count(1)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        environ["REMOTE_ADDR"] = self._address()
        environ.pop("HTTP_X_API_KEY", None)
        environ["HTTP_AUTHORIZATION"] = self._credential(path)
        if path.startswith(("/api/public", CHAT)):
            environ["HTTP_X_PUBLISHABLE_KEY"] = self.tenant.publishable_id
        return self.app(environ, lambda status, headers, *more: start(status, self._note(headers), *more))

    def _note(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        for name, value in headers:
            if name == "Location":
                collection, _, number = value.rpartition("/")
                self.made[collection].append(number)
        return headers

    def open_chat(self) -> str:
        """A conversation whose guest may still write."""
        if self._chat_calls % CALLS_PER_CHAT == 0:
            number = next(self._number)
            answer = self.app.test_client().post(
                CHAT,
                json={"fullName": "Asha Rao", "email": f"asha{number}@buyers.example", "message": "Hello"},
                headers={"X-Publishable-Key": str(self.tenant.publishable_id)},
                environ_overrides={"REMOTE_ADDR": self._address()},
            )
            started = answer.get_json()["data"]
            self.conversation, self._guest_token = started["public_id"], started["guest_token"]
        self._chat_calls += 1
        return self.conversation

    def open_delivery(self) -> str:
        """A delivery that has ended: a test event to a webhook, discarded. It may be sent again, then discarded."""
        if not self.delivery:
            webhook = {"url": "https://example.com/hooks/door", "events": ["*"]}
            made = call(self, "POST", "/api/v2/webhooks", webhook).get_json()["data"]
            posted = call(self, "POST", f"/api/v2/webhooks/{made['id']}/test").get_json()["data"]
            self.delivery = posted["public_id"]
            call(self, "POST", f"/api/v2/deliveries/{self.delivery}/discard")
        return self.delivery

    def open_failed_send(self) -> str:
        """A send in the Failed Queue: of a customer without the e-mail that the mapping of the sample requires."""
        call(self, "POST", "/api/v2/integration/outgoing-mappings", MAPPING_SAMPLE | {"slug": "doors"})
        call(self, "POST", "/api/v2/customers", {"account": "Jane Smith"})
        return str(call(self, "GET", "/api/v2/integration/failed").get_json()["data"][0]["public_id"])

    def open_message(self) -> str:
        """A message in the inbox."""
        addresses = call(self, "GET", INBOX).get_json()["data"]
        address = addresses[0] if addresses else call(self, "POST", INBOX, {"name": "Door's"}).get_json()["data"]
        return str(self.app.test_client().post(urlsplit(address["url"]).path).get_json()["id"])

    def _address(self) -> str:
        number = next(self._number)
        return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"

    def _credential(self, path: str) -> str:
        if path.startswith(CHAT):
            return f"Bearer {self._guest_token}"
        key = self._key(of_house=path == TENANTS)
        if path != TOKENS:
            return f"Bearer {key}"
        _, _, key_id, secret = key.split("_")
        return "Basic " + base64.b64encode(f"{key_id}:{secret}".encode()).decode()

    def _key(self, *, of_house: bool) -> str:
        key, calls = self._keys.get(of_house, ("", iter(())))
        if next(iter(calls), None) is None:
            key = self._issue(of_house=of_house)
            self._keys[of_house] = key, iter(range(CALLS_PER_KEY))
        return key

    def _issue(self, *, of_house: bool) -> str:
        parts = runtime_of(self.app)
        with parts.database.transaction() as session:
            own = select(Tenant).where(Tenant.id == self.tenant.id)
            tenant = find_house(session) if of_house else session.scalars(own).one()
            session.bind_tenant(tenant.id, tenant.clock)
            secret = parts.settings.secret_key
            return issue_key(session, secret, tenant, name="Door's", role="administrator").secret


def call(
    door: Door, method: str, address: str, body: Any = None, headers: dict[str, str] | None = None
) -> TestResponse:
    """One request through the door, with a body of JSON; the token endpoint gets a form."""
    if address == TOKENS:
        return Client(door).open(address, method=method, data=body, headers=headers)
    sent = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
    return Client(door).open(address, method=method, headers=headers, **sent)
