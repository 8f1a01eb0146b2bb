"""Every id that an operation takes, in path, body, filter or cursor: a stranger's is an unknown one (attacks 1, 2, 8).

Generated from the running document. An operation that takes an id for which no stranger's can be found fails
the test, so a new one is covered on the day it is declared, or says here why it need not be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete
from werkzeug.test import TestResponse

from portal.core.config import Settings
from portal.core.ids import PUBLIC_ID
from portal.tenancy.models import Tenant
from sandbox.tenants import create_sandbox
from tests.conftest import runtime_of
from tests.contract.described import OWN, Described, Place, describe, put
from tests.contract.door import CHAT, TENANTS, TOKENS, Door, call

NO_IDS = {"masters.entries": "a list is named the same in every tenant"}
VOLATILE = {"X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Date"}
UNKNOWN = "0" * 24
INCOMING = "/api/v1/integration/incoming"
ASIDE = {TENANTS, TOKENS}
SHAPES = (
    "0", "-1", "+1", "01", "1.0", "1e0", "1.json", "1,2", "1;x", "1 ", " 1", "1\n", "１", "¹", "9" * 15, "9" * 19,
    "9" * 400, "null", "true", "[]", "{id}", "*", "%", "%00", "'", "..", "../1", "1/", "1/..", "/1", "//1", "\\1",
)  # fmt: skip


@dataclass
class Sweeper:
    """Alice's program behind the door, and what mallory, in another tenant, has."""

    door: Door
    stranger: Door
    operations: list[Described]
    watched: str = ""
    known: dict[str, str] = field(default_factory=dict)

    def call(self, door: Door, operation: Described, body: Any = None, **details: Any) -> TestResponse:
        address = operation.address(door.tenant.public_id, **details)
        return call(door, operation.method, address, body)

    def stranger_of(self, collection: str, name: str = "id") -> str:
        """What names a record of mallory's in a collection; where it is empty, its own sample makes one."""
        if collection not in self.known:
            rows = call(self.stranger, "GET", collection).get_json()["data"]
            row = (rows or [self.make(collection)])[-1]
            assert "public_id" in row or name in row, f"the records of {collection} have neither public id nor {name}"
            self.known[collection] = str(row.get("public_id") or row[name])
        return self.known[collection]

    def make(self, collection: str) -> dict[str, Any]:
        """A record of mallory's, made by the sample, by another name where that one is taken."""
        tenant = self.stranger.tenant.public_id
        makers = [one for one in self.operations if one.method == "POST" and one.address(tenant) == collection]
        assert makers, f"mallory has nothing in {collection}, and no operation makes it"
        answer = call(self.stranger, "POST", collection, makers[0].body).get_json()
        if answer.get("code") == "duplicate":
            other = {name: f"{makers[0].body[name]}, again" for name in answer["errors"]}
            answer = call(self.stranger, "POST", collection, makers[0].body | other).get_json()
        return dict(answer["data"])

    def body_with(self, operation: Described, place: Place) -> Any:
        """The sample's body; where it leaves out what leads to `place`, with that of a sample that does not."""
        others = (one.body for one in self.operations if one.path.startswith(operation.path.partition("/{")[0]))
        full = next((body for body in others if body and place[0] in body), {}) if len(place) > 1 else {}
        return {name: value for name, value in full.items() if name == place[0]} | (operation.body or {})

    def stranger_in_path(self, operation: Described) -> tuple[str, str] | None:
        """The last id in an operation's path: its name, and mallory's of the same kind; None where it has none."""
        if not operation.path_names or operation.id in NO_IDS:
            return None
        name = operation.path_names[-1]
        if name == "conversation":
            return name, self.stranger.open_chat()
        if operation.path.startswith(f"{TENANTS}/"):
            return name, self.stranger.tenant.public_id
        if name == "request_id":
            return name, self.stranger_of("/api/v2/sandbox/requests", name)
        filled = operation.address(self.stranger.tenant.public_id, **{name: "HERE"})
        return name, self.stranger_of(filled.partition("/HERE")[0], name)

    def stranger_of_field(self, name: str) -> str:
        """Mallory's record of the kind that a field such as `customer_id` refers to."""
        noun = name.removesuffix("_id")
        plurals = {f"{noun}s", f"{noun}es", f"{noun.removesuffix('y')}ies"}
        collections = {one.path for one in self.operations if one.method == "GET" and "{" not in one.path}
        found = [path for path in collections if path.rpartition("/")[2] in plurals]
        assert len(found) == 1, f"no collection is known for {name}: {found}"
        return self.stranger_of(found[0])


def unknown_like(public_id: str) -> str:
    """An id of the same kind that nobody has."""
    return f"{public_id.partition('_')[0]}_{UNKNOWN}"


def told(answer: TestResponse) -> tuple[Any, dict[str, str]]:
    """What a caller can learn of an answer, but for what tells one request from another."""
    headers = {name: value for name, value in answer.headers.items() if name not in VOLATILE}
    return {**(answer.get_json() or {}), "request_id": ""}, headers


@pytest.fixture(scope="module")
def sweeper(app: Flask, settings: Settings) -> Iterator[Sweeper]:
    """Two tenants for all sweeps of a store: nothing that is refused leaves a trace."""
    database = runtime_of(app).database
    pair = []
    for name in ("Alice's", "Mallory's"):
        with database.transaction() as session:
            pair.append(create_sandbox(session, settings, name=name, plan="enterprise"))
    ours, theirs = (Door(app, new) for new in pair)
    for door in (ours, theirs):
        door.open_delivery()
        for _ in range(2):
            door.open_message()
        door.open_failed_send()
        door.open_failed_send()
        for _ in range(2):
            call(door, "POST", INCOMING, {})
        call(door, "POST", "/api/v2/integration/incoming-mappings/1/draft", {"version": 1})
        call(door, "POST", "/api/v2/integration/outgoing-mappings/1/draft", {"version": 1})
    made = [call(theirs, "POST", "/api/v2/customers", {"account": name}).get_json() for name in ("First", "Second")]
    operations = [operation for operation in describe(app) if operation.path not in ASIDE]
    yield Sweeper(ours, theirs, operations, watched=made[0]["data"]["public_id"])
    with database.transaction() as session:
        session.execute(delete(Tenant).where(Tenant.id.in_([new.tenant.id for new in pair])))


def swept(faults: Iterator[str], *, at_least: int) -> None:
    """Go through a sweep to its end: empty lines count what was asked, others are faults."""
    lines = list(faults)
    assert not any(lines), "\n".join(filter(None, lines))
    assert len(lines) >= at_least


def test_a_strangers_id_in_the_path_is_unknown(sweeper: Sweeper) -> None:
    swept(ask_paths(sweeper), at_least=60)


def ask_paths(sweeper: Sweeper) -> Iterator[str]:
    for operation in sweeper.operations:
        theirs = sweeper.stranger_in_path(operation)
        if theirs is None:
            continue
        name, public_id = theirs
        answers = [
            sweeper.call(sweeper.door, operation, operation.body, **{name: each})
            for each in (public_id, unknown_like(public_id))
        ]
        is_unknown = answers[0].status_code == answers[1].status_code == 404 and told(answers[0]) == told(answers[1])
        yield "" if is_unknown and PUBLIC_ID.match(public_id) else f"{operation.id} {public_id}: {answers[0].text}"


def test_what_strangers_tried_left_no_trace(sweeper: Sweeper) -> None:
    """The same sweep; afterwards mallory's records and her trail are as they were."""
    everything = [(operation, sweeper.stranger_in_path(operation)) for operation in sweeper.operations]
    named = [(operation, theirs) for operation, theirs in everything if operation.method == "GET"]
    tenant = sweeper.stranger.tenant.public_id
    addresses = [operation.address(tenant, **{theirs[0]: theirs[1]}) for operation, theirs in named if theirs]
    addresses = [address for address in addresses if CHAT not in address] + ["/api/v2/audit"]
    before = [call(sweeper.stranger, "GET", address).data for address in addresses]
    swept(ask_paths(sweeper), at_least=60)
    assert [call(sweeper.stranger, "GET", address).data for address in addresses] == before


def test_a_strangers_id_in_a_body_is_unknown(sweeper: Sweeper) -> None:
    swept(ask_bodies(sweeper), at_least=20)


def ask_bodies(sweeper: Sweeper) -> Iterator[str]:
    for operation in sweeper.operations:
        for place in operation.references:
            public_id = sweeper.stranger_of_field(str(place[-1]))
            answers = [
                sweeper.call(sweeper.door, operation, put(sweeper.body_with(operation, place), place, each))
                for each in (public_id, unknown_like(public_id), 999_999_999)
            ]
            first, second, third = map(errors_of, answers)
            is_named = any(".".join(map(str, place)).endswith(name) for name in first)
            is_unknown = first == second == third and told(answers[0]) == told(answers[1])
            yield "" if is_named and is_unknown else f"{operation.id} {place}: {answers[0].text}"


def errors_of(answer: TestResponse) -> dict[str, str]:
    """The fields an answer refuses; a batch tells them row by row."""
    body = answer.get_json()
    if answer.status_code == 400:
        return dict(body["errors"])
    data = body.get("data")
    rows = data.get("outcomes", [{}]) if isinstance(data, dict) else [{}]
    return {f"0.{name}": text for name, text in rows[0].get("errors", {}).items()}


def test_a_strangers_id_in_a_filter_is_unknown(sweeper: Sweeper) -> None:
    swept(ask_filters(sweeper), at_least=10)


def ask_filters(sweeper: Sweeper) -> Iterator[str]:
    for operation in sweeper.operations:
        for name, schema in operation.query.items():
            if schema.get("x-rule") != OWN:
                continue
            public_id = sweeper.stranger_of_field(name)
            answers = [
                sweeper.call(sweeper.door, operation, query={name: each})
                for each in (public_id, unknown_like(public_id))
            ]
            is_unknown = set(errors_of(answers[0])) == {name} and told(answers[0]) == told(answers[1])
            yield "" if is_unknown else f"{operation.id} {name}: {answers[0].text}"


def test_what_a_stranger_did_is_not_told(sweeper: Sweeper) -> None:
    """The trail, the events and the requests of one id: to a stranger there are none."""
    swept(ask_logs(sweeper), at_least=3)


def ask_logs(sweeper: Sweeper) -> Iterator[str]:
    request_id = sweeper.stranger_of("/api/v2/sandbox/requests", "request_id")
    for operation in sweeper.operations:
        for name in {"subject", "request_id"} & set(operation.query):
            theirs = {name: sweeper.watched if name == "subject" else request_id}
            unknown = {name: unknown_like(theirs[name])}
            answers = [sweeper.call(sweeper.door, operation, query=query) for query in (theirs, unknown)]
            known = sweeper.call(sweeper.stranger, operation, query=theirs).get_json()["data"]
            is_hidden = [answer.get_json()["data"] for answer in answers] == [[], []] and known
            yield "" if is_hidden else f"{operation.id} {name}: {answers[0].text} {known}"


def test_a_strangers_cursor_leads_nowhere(sweeper: Sweeper) -> None:
    swept(ask_cursors(sweeper), at_least=15)


def ask_cursors(sweeper: Sweeper) -> Iterator[str]:
    for operation in sweeper.operations:
        if "cursor" not in operation.query:
            continue
        address = where_it_grows(sweeper, operation)
        cursor = cursor_of(sweeper, address)
        answers = [call(sweeper.door, "GET", f"{address}?limit=1&cursor={each}") for each in (cursor, "made.up")]
        is_refused = set(errors_of(answers[0])) == {"cursor"} and told(answers[0]) == told(answers[1])
        yield "" if is_refused else f"{operation.id}: {answers[0].text}"


def where_it_grows(sweeper: Sweeper, operation: Described) -> str:
    """The address of a list; of a list inside a record, that of the record which the sample adds to."""
    tenant = sweeper.stranger.tenant.public_id
    adding = [one for one in sweeper.operations if (one.method, one.path) == ("POST", operation.path)]
    return (adding or [operation])[0].address(tenant)


def cursor_of(sweeper: Sweeper, address: str) -> str:
    """Mallory's cursor of a list; where it has no second page, its own sample fills one."""
    for _ in range(3):
        answer = call(sweeper.stranger, "GET", f"{address}?limit=1&cursor=").get_json()
        if answer["meta"]["next_cursor"]:
            return str(answer["meta"]["next_cursor"])
        sweeper.make(address)
    raise AssertionError(f"{address} has no second page")


def test_an_id_of_the_wrong_shape_or_kind_is_unknown(sweeper: Sweeper) -> None:
    swept(ask_shapes(sweeper), at_least=2000)


def ask_shapes(sweeper: Sweeper) -> Iterator[str]:
    mine = Sweeper(sweeper.door, sweeper.door, sweeper.operations)
    for operation in sweeper.operations:
        own = mine.stranger_in_path(operation)
        for shape in shapes_of(sweeper, own[1]) if own else ():
            answer = sweeper.call(sweeper.door, operation, operation.body, **{own[0]: shape})
            is_unknown = answer.status_code == 404 and answer.get_json()["code"] == "not_found"
            yield "" if is_unknown else f"{operation.id} {shape[:40]!r}: {answer.status_code} {answer.text[:200]}"


def shapes_of(sweeper: Sweeper, own: str) -> Iterator[str]:
    """Ids that are none, beside alice's own one of the right kind."""
    prefix, _, digits = own.partition("_")
    yield from SHAPES
    yield from (f"xyz_{digits}", f"_{digits}", digits, own.upper(), own[:-1], f"{own}0", f"{own}\n", f"{own}.json")
    yield f"cus_{digits}" if prefix == "ten" else sweeper.door.tenant.public_id


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/api/", "//api/"),
        ("/api/", "/api//"),
        ("/api/", "/API/"),
        ("/api/", "/api/../api/"),
        ("/api/", "/api/%2e/"),
        ("$", "/"),
        ("$", "//"),
        ("$", "/."),
        ("$", "/../1"),
        ("$", "%2f"),
        ("$", "%2e"),
        ("$", ".json"),
    ],
)
def test_an_address_bent_out_of_shape_is_unknown(sweeper: Sweeper, old: str, new: str) -> None:
    swept(ask_bent(sweeper, old, new), at_least=100)


def ask_bent(sweeper: Sweeper, old: str, new: str) -> Iterator[str]:
    for operation in sweeper.operations:
        path, mark, query = operation.address(sweeper.door.tenant.public_id).partition("?")
        bent = (path + new if old == "$" else path.replace(old, new)) + mark + query
        answer = call(sweeper.door, operation.method, bent, operation.body)
        yield "" if answer.status_code in {404, 405} else f"{operation.method} {bent}: {answer.status_code}"
