"""The pages of webhooks, as their owner walks them: added, tested, closed, opened again; and nobody else's."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook as Verifier

from portal.core.database import Database
from portal.core.jobs import Job
from tests.lint import Page
from tests.portal.people import new_email, sign_up
from tests.sandbox.console.conftest import Visitor, code_in
from tests.sandbox.delivery.conftest import CourierMaker
from tests.sandbox.delivery.sink import Sink
from tests.sandbox.webhooks.conftest import URL

HERE = "/sandbox/integration/webhooks"
SECRET = re.compile(r"whsec_[0-9A-Za-z+/]{32}")
ID = re.compile(r"(?:whk|dlv)_[0-9a-f]{24}")


@pytest.fixture
def alice(new_visitor: Callable[[], Visitor]) -> Visitor:
    alice = new_visitor()
    alice.open_sandbox()
    return alice


def add(visitor: Visitor, url: str = URL, **fields: object) -> tuple[str, str]:
    """A webhook added by the form: the path of its page, and its secret."""
    page = visitor.post(HERE, {"url": url, "events": ["customer.*"], "active": "y", **fields})
    assert page.path.endswith("/secret")
    path = next(link for link in page.links if ID.search(link))
    return path, SECRET.findall(code_in(page))[0]


def delivery_of(page: Page) -> str:
    return next(link for link in page.links if "/deliveries/dlv_" in link)


def test_a_webhook_is_added_tested_rotated_changed_and_deleted(
    alice: Visitor, courier: CourierMaker, sink: Sink
) -> None:
    assert "No webhooks yet" in alice.get(HERE).text
    form = alice.get(f"{HERE}/new")
    assert {"*", "customer.*", "invoice.paid"} <= {node.get("value") for node in form.find_all("input", name="events")}
    path, secret = add(alice)
    page = alice.get(path)
    assert not SECRET.search(page.html)
    assert page.response.headers["Cache-Control"] == "no-store"
    tested = alice.post(f"{path}/test")
    assert "pending" in tested.text
    (block,) = tested.find_all("div", id="delivery")
    assert block.get("data-refresh") == "5" and "js/refresh.js" in tested.html
    courier().deliver_due()
    (arrival,) = sink.arrivals
    assert Verifier(secret).verify(arrival.body, arrival.headers)["type"] == "webhook.test"
    delivery = delivery_of(alice.get(path))
    shown = alice.get(delivery)
    assert "delivered" in shown.text
    assert "webhook-signature" in shown.text
    assert "after the first" in shown.text and "data-refresh" not in shown.html
    rotated = alice.post(f"{path}/rotate")
    assert secret not in rotated.html
    assert len(set(SECRET.findall(code_in(rotated)))) == 1
    assert "signs too until" in alice.get(path).text
    saved = alice.post(path, {"url": URL, "events": ["lead.*", "*"], "description": "<b>Ours</b>", "ordered": "y"})
    assert "lead.*, *" in saved.text
    assert "<b>Ours</b>" in saved.text
    assert "It was switched off." in saved.text
    assert "Webhook deleted" in alice.post(f"{path}/delete").text
    alice.get(path, 404)
    assert "deleted" in alice.get(f"{HERE}/deliveries").text
    assert "Send again" not in alice.get(delivery).text


def test_a_secret_is_shown_once_and_a_reload_makes_nothing(alice: Visitor) -> None:
    path, secret = add(alice)
    again = alice.client.get(f"{path}/secret")
    assert (again.status_code, again.location) == (303, path)
    page = alice.get(path)
    assert "Rotate it to get a new one" in page.text and secret not in page.html
    rotated = alice.post(f"{path}/rotate")
    assert rotated.path == f"{path}/secret" and "Secret rotated" in rotated.text
    assert len({link for link in alice.get(HERE).links if ID.search(link)}) == 1


def test_the_address_of_a_button_leads_to_its_page(alice: Visitor) -> None:
    path, _ = add(alice)
    for act in ("enable", "disable", "rotate", "test", "resend", "delete"):
        assert alice.client.get(f"{path}/{act}").location == path
    alice.post(f"{path}/test")
    delivery = delivery_of(alice.get(path))
    for act in ("resend", "discard"):
        assert alice.client.get(f"{delivery}/{act}").location == delivery
    assert "pending" in alice.get(delivery).text


def test_what_is_picked_is_sent_again_but_for_what_has_nowhere_to_go(alice: Visitor) -> None:
    log = f"{HERE}/deliveries"
    for act in ("resend", "discard"):
        assert "Pick at least one delivery" in alice.post(log, {"act": act}).text
    paths = [add(alice)[0] for _ in range(2)]
    for path in paths:
        alice.post(f"{path}/test")
    picked = sorted(set(re.findall("dlv_[0-9a-f]{24}", alice.get(log).html)))
    stay = ID.findall(delivery_of(alice.get(paths[0])))[-1]
    alice.post(f"{log}/{stay}/discard")
    stray = next(each for each in picked if each != stay)
    alice.post(f"{paths[1]}/delete")
    page = alice.post(log, {"act": "resend", "delivery": picked})
    assert page.path == log and "Sent again: 1" in page.text
    assert "1 not sent, for the webhook was deleted: webhook.test of" in page.text
    page = alice.post(log, {"act": "resend", "delivery": [stray]})
    assert page.path == log and "1 not sent" in page.text


def test_a_closed_webhook_says_why_since_when_and_what_is_held(
    alice: Visitor, courier: CourierMaker, sink: Sink
) -> None:
    path, _ = add(alice)
    sink.decide = lambda arrival: (410, {})
    alice.post(f"{path}/test")
    courier().deliver_due()
    alice.send("customers.create", body='{"account": "Jane"}')
    page = alice.get(path)
    assert "It answered 410 Gone" in page.text
    assert "2 messages are held" in page.text
    assert page.find_all("form", action=f"{path}/enable")
    assert "gone" in alice.get(HERE).text
    sink.decide = lambda arrival: (200, {})
    assert "gets nothing" not in alice.post(f"{path}/enable").text
    courier().deliver_due()
    assert len(sink.arrivals) == 3
    assert "It was switched off" in alice.post(f"{path}/disable").text


def test_the_owner_is_mailed_when_a_webhook_is_closed(
    alice: Visitor, database: Database, courier: CourierMaker, sink: Sink
) -> None:
    email = new_email()
    sign_up(alice.client, email)
    path, _ = add(alice, f"{URL}?token=hush")
    sink.decide = lambda arrival: (410, {})
    alice.post(f"{path}/test")
    courier().deliver_due()
    with database.transaction(write=False) as session:
        mails = [job.payload for job in session.scalars(select(Job).where(Job.kind == "mail.send"))]
    (mail,) = [mail for mail in mails if mail["to"] == email and "/account/new/" not in mail["text"]]
    assert mail["subject"] == "Your webhook to example.com was disabled"
    assert path in mail["text"]
    assert "410 Gone" in mail["text"] and "hush" not in mail["text"]


def test_the_log_is_filtered_and_acted_on(alice: Visitor, courier: CourierMaker, sink: Sink) -> None:
    path, _ = add(alice)
    other, _ = add(alice, "https://shop.example/hook", events=["lead.*"])
    sink.decide = lambda arrival: (500, {})
    for _ in range(3):
        alice.post(f"{path}/test")
    courier(waits=(0,)).deliver_due()
    log = f"{HERE}/deliveries"
    assert "failing" in alice.get(HERE).text
    failed = alice.get(f"{log}?status=failed&event=webhook.test&webhook={ID.findall(path)[0]}")
    picked = sorted(set(re.findall("dlv_[0-9a-f]{24}", failed.html)))
    assert len(picked) >= 1
    assert "No such delivery" in alice.get(f"{log}?webhook={ID.findall(other)[0]}").text
    assert "No such delivery" in alice.get(f"{log}?status=delivered").text
    shown = alice.get(delivery_of(failed))
    assert "Answered 500" in shown.text
    assert len(shown.find_all("details", class_="attempt")) == 2
    assert f"Sent again: {len(picked)}" in alice.post(log, {"act": "failed"}).text
    everything = re.findall("dlv_[0-9a-f]{24}", alice.get(log).html)
    assert "Discarded: 3" in alice.post(log, {"act": "discard", "delivery": everything}).text
    assert "Discarded: 0" in alice.post(log, {"act": "discard", "delivery": everything}).text
    one = delivery_of(alice.get(log))
    assert "held" in alice.post(f"{one}/resend").text
    assert "discarded" in alice.post(f"{one}/discard").text
    alice.post(log, {"act": "burn", "delivery": everything}, status=404)


def test_what_is_typed_wrong_is_said_beside_the_field(alice: Visitor) -> None:
    page = alice.post(HERE, {"url": "https://10.1.2.3/hook", "events": ["*"]}, status=400)
    assert "not public" in page.text
    assert page.field("url") == "https://10.1.2.3/hook"
    page = alice.post(HERE, {"url": "shop.example"}, status=400)
    assert "must begin with https:// or http://" in page.text
    assert "Choose at least one event" in page.text
    path, _ = add(alice)
    assert "not public" in alice.post(path, {"url": "http://localhost/", "events": ["*"]}, status=400).text
    assert URL in alice.get(path).text


def test_mallory_gets_404_everywhere(alice: Visitor, new_visitor: Callable[[], Visitor]) -> None:
    path, _ = add(alice)
    alice.post(f"{path}/test")
    delivery = delivery_of(alice.get(path))
    mallory = new_visitor()
    mallory.open_sandbox()
    for address in (path, f"{path}/edit", delivery):
        mallory.get(address, 404)
    for act in ("", "/enable", "/disable", "/rotate", "/test", "/resend", "/delete"):
        mallory.post(path + act, {"url": URL, "events": ["*"]}, status=404)
    for act in ("/resend", "/discard"):
        mallory.post(delivery + act, status=404)
    one = ID.findall(delivery)[0]
    assert "Discarded: 0" in mallory.post(f"{HERE}/deliveries", {"act": "discard", "delivery": one}).text
    mallory.get(f"{HERE}/deliveries?before={one}", 404)
    assert "pending" in alice.get(delivery).text
    assert new_visitor().client.get(path).status_code == 404


@pytest.mark.one_store
def test_a_smaller_plan_is_shown_the_way_up(new_visitor: Callable[[], Visitor]) -> None:
    bob = new_visitor()
    bob.open_sandbox("starter")
    for path in (HERE, f"{HERE}/new", f"{HERE}/deliveries"):
        assert "Upgrade required" in bob.get(path, 403).text
    bob.post(HERE, {"url": URL, "events": ["*"]}, status=403)
