"""Resetting, deleting, keys, and what becomes of a sandbox when its guest signs up."""

from __future__ import annotations

from collections.abc import Callable

from portal.accounts.links import make_link
from portal.accounts.models import Developer
from portal.accounts.service import SignIn, sign_in, sign_up
from portal.core.database import Database
from sandbox.console.service import list_sandboxes
from tests.sandbox.console.conftest import SECRET_KEY, Visitor

PASSPHRASE = "correct horse battery"


def status_of(visitor: Visitor, role: str) -> int:
    return visitor.client.get("/api/v2/customers", headers={"x-api-key": visitor.keys[role]}).status_code


def key_id(visitor: Visitor, role: str) -> str:
    return visitor.keys[role].split("_")[2]


def test_a_reset_gives_a_receipt_and_keeps_keys_and_log(alice: Visitor) -> None:
    alice.send("customers.create", body='{"account": "Jane"}')
    page = alice.post("/sandbox/reset")
    assert "Removed: 1 customer." in page.text
    assert "6 API keys" in page.text
    assert "customers.create" in page.text or "/api/v2/customers" in page.text
    assert status_of(alice, "viewer") == 200
    assert "404 Not Found" in alice.send("customers.read", path__id="101").text


def test_the_receipt_is_shown_once(alice: Visitor) -> None:
    alice.post("/sandbox/reset")
    assert "Receipt" not in alice.get("/sandbox").text


def test_a_reset_is_written_down(alice: Visitor) -> None:
    alice.post("/sandbox/reset")
    with alice.database.reader.connect() as connection:
        acts = connection.exec_driver_sql("SELECT actor FROM audit WHERE action = 'sandbox.reset'").scalars().all()
    assert any(actor.startswith("developer:") for actor in acts)


def test_a_deleted_sandbox_is_gone_with_its_keys(alice: Visitor) -> None:
    page = alice.post("/sandbox/delete")
    assert "Create my sandbox" in page.html
    assert status_of(alice, "viewer") == 401


def test_keys_are_listed_with_status_and_last_use(alice: Visitor) -> None:
    alice.send("customers.list", role="sales")
    page = alice.get("/sandbox/keys")
    assert page.text.count("active") == 6
    assert page.text.count("never") == 5
    assert not SECRET_KEY.search(page.html)


def test_a_revoked_key_ends_at_once_and_its_role_cannot_be_chosen(alice: Visitor) -> None:
    page = alice.post(f"/sandbox/keys/{key_id(alice, 'sales')}/revoke")
    assert "revoked" in page.text
    assert status_of(alice, "sales") == 401
    assert "sales" not in [option.get("value") for option in alice.get("/sandbox").root.iter("option")]
    alice.send("customers.list", status=400, role="sales")


def test_mallory_cannot_revoke_alices_key(alice: Visitor, mallory: Visitor) -> None:
    mallory.post(f"/sandbox/keys/{key_id(alice, 'viewer')}/revoke", status=404)
    assert status_of(alice, "viewer") == 200


def test_a_further_key_is_shown_once_and_works(alice: Visitor) -> None:
    page = alice.post("/sandbox/keys", {"name": "Nightly <b>tests</b>", "role": "support"})
    found = set(SECRET_KEY.findall(page.html))
    assert len(found) == 1
    assert page.response.headers["Cache-Control"] == "no-store"
    answer = alice.client.get("/api/v2/customers", headers={"x-api-key": found.pop()})
    assert answer.status_code == 200
    page = alice.get("/sandbox/keys")
    assert "Nightly <b>tests</b>" in page.text
    assert not SECRET_KEY.search(page.html)


def test_a_new_key_takes_the_place_of_a_revoked_one_in_the_console(alice: Visitor) -> None:
    alice.post(f"/sandbox/keys/{key_id(alice, 'sales')}/revoke")
    alice.post("/sandbox/keys", {"name": "Sales again", "role": "sales"})
    assert "200 OK" in alice.send("customers.list", role="sales").text


def test_a_key_can_be_issued_after_a_reset(alice: Visitor) -> None:
    alice.post("/sandbox/reset")
    assert SECRET_KEY.search(alice.post("/sandbox/keys", {"name": "Later", "role": "viewer"}).html)


def test_a_key_needs_a_name_and_a_known_role(alice: Visitor) -> None:
    page = alice.post("/sandbox/keys", {"name": " ", "role": "root"}, status=400)
    assert page.find_all("p", id="name-error")
    assert page.find_all("p", id="role-error")


def test_a_name_that_is_too_long_is_refused(alice: Visitor) -> None:
    alice.post("/sandbox/keys", {"name": "x" * 81, "role": "viewer"}, status=400)


def test_signing_up_takes_the_end_off_the_sandbox(alice: Visitor, database: Database) -> None:
    with database.transaction() as session:
        guest = session.get(Developer, _developer_id(alice))
        link = make_link(session, "sign-up", f"{alice.tenant}@example.com", name="Alice")
        member = sign_up(session, link, PASSPHRASE, guest)
        assert [tenant.expires_at for tenant in list_sandboxes(session, member)] == [None]


def test_signing_in_brings_the_guests_sandbox_along(
    new_visitor: Callable[[], Visitor], mallory: Visitor, alice: Visitor, database: Database
) -> None:
    email = f"{alice.tenant}@example.com"
    with database.transaction() as session:
        first = session.get(Developer, _developer_id(alice))
        sign_up(session, make_link(session, "sign-up", email, name="Alice"), PASSPHRASE, first)
    with database.transaction() as session:
        guest = session.get(Developer, _developer_id(mallory))
        member = sign_in(session, SignIn(email=email, password=PASSPHRASE), guest)
        found = {tenant.public_id: tenant.expires_at for tenant in list_sandboxes(session, member)}
    assert found == {alice.tenant: None, mallory.tenant: None}


def _developer_id(visitor: Visitor) -> int:
    with visitor.database.reader.connect() as connection:
        return int(
            connection.exec_driver_sql(
                "SELECT developer_id FROM sandbox_owners WHERE tenant_id = "
                f"(SELECT id FROM tenants WHERE public_id = '{visitor.tenant}')"
            ).scalar_one()
        )
