"""Getting a sandbox: one click, keys shown once, nobody else's business."""

from __future__ import annotations

from tests.sandbox.console.conftest import SECRET_KEY, Visitor

PAGES = ("/sandbox", "/sandbox?operation=customers.create", "/sandbox/requests", "/sandbox/keys")


def test_who_has_no_sandbox_learns_what_they_would_get(visitor: Visitor) -> None:
    page = visitor.get("/sandbox")
    assert "Create my sandbox" in page.html
    assert "100 customers" in page.text


def test_one_click_gives_a_tenant_with_a_key_for_each_role(visitor: Visitor) -> None:
    page = visitor.open_sandbox()
    assert list(visitor.keys) == ["administrator", "manager", "accountant", "sales", "support", "viewer"]
    assert all(SECRET_KEY.fullmatch(key) for key in visitor.keys.values())
    assert "pk_test_" in page.text
    assert page.response.headers["Cache-Control"] == "no-store"


def test_the_keys_work_outside_the_console(visitor: Visitor) -> None:
    visitor.open_sandbox()
    answer = visitor.client.get("/api/v2/customers/1", headers={"x-api-key": visitor.keys["viewer"]})
    assert answer.json["data"]["email"] == "john@example.com"


def test_keys_are_shown_once(alice: Visitor) -> None:
    alice.send("customers.list")
    for path in PAGES:
        page = alice.get(path)
        assert not SECRET_KEY.search(page.html), path
        assert page.response.headers["Cache-Control"] == "no-store"


def test_no_key_travels_in_the_cookie(alice: Visitor) -> None:
    cookie = alice.client.get_cookie("slipway_session")
    assert cookie is not None
    assert not any(key[13:] in cookie.decoded_value for key in alice.keys.values())
    with alice.client.session_transaction() as kept:
        assert not SECRET_KEY.search(repr(dict(kept)))


def test_the_console_keeps_its_copies_encrypted(alice: Visitor) -> None:
    with alice.database.reader.connect() as connection:
        stored = connection.exec_driver_sql("SELECT secret FROM console_keys").scalars().all()
    assert stored
    assert not any("sk_test" in secret for secret in stored)


def test_a_guests_sandbox_ends_after_24_hours(alice: Visitor) -> None:
    assert "in 23 h 59 min" in alice.get("/sandbox").text


def test_a_second_click_leads_to_the_sandbox_there_is(alice: Visitor) -> None:
    page = alice.post("/sandbox", {"plan": "starter"})
    assert page.path == "/sandbox"
    assert alice.tenant in page.text


def test_the_plan_is_a_matter_of_choice(visitor: Visitor) -> None:
    assert "Starter" in visitor.open_sandbox("starter").text
    page = visitor.send("invoices.list")
    assert "403" in page.text
    assert page.find_all("a", href="/errors/upgrade_required")


def test_an_unknown_plan_is_refused_beside_the_field(visitor: Visitor) -> None:
    page = visitor.post("/sandbox", {"plan": "gold"}, status=400)
    assert page.find_all("p", id="plan-error")


def test_a_link_from_the_reference_survives_the_opening(visitor: Visitor) -> None:
    page = visitor.get("/sandbox?operation=invoices.create")
    assert page.field("operation") == "invoices.create"
    page = visitor.post("/sandbox", {"plan": "enterprise", "operation": "invoices.create"})
    assert "/sandbox?operation=invoices.create" in page.links


def test_an_operation_of_nobodys_invention_is_not_echoed_as_markup(visitor: Visitor) -> None:
    page = visitor.get('/sandbox?operation="><script>alert(1)</script>')
    assert page.field("operation") == '"><script>alert(1)</script>'


def test_a_visitor_sees_nothing_of_somebody_elses_sandbox(alice: Visitor, visitor: Visitor) -> None:
    alice.send("customers.list")
    assert alice.tenant not in visitor.get("/sandbox").html
    for path in ("/sandbox/requests", "/sandbox/keys", "/sandbox/requests/req_unknown"):
        visitor.get(path, status=404)
    for path in ("/sandbox/requests", "/sandbox/reset", "/sandbox/delete", "/sandbox/keys", "/sandbox/keys/x/revoke"):
        visitor.post(path, {"operation": "customers.list"}, status=404)


def test_an_expired_sandbox_makes_room_for_a_new_one(alice: Visitor) -> None:
    earlier = alice.tenant
    alice.expire()
    assert "has ended" in alice.get("/sandbox").text
    alice.get("/sandbox/keys", status=404)
    assert alice.open_sandbox().path == "/sandbox"
    assert alice.tenant != earlier


def test_forms_without_a_token_change_nothing(alice: Visitor) -> None:
    paths = ("/sandbox", "/sandbox/requests", "/sandbox/reset", "/sandbox/delete", "/sandbox/keys", "/sandbox/choose")
    for path in paths:
        answer = alice.client.post(path, data={"operation": "customers.list", "role": "administrator"})
        assert answer.status_code == 400, path
    assert "No calls yet" in alice.get("/sandbox").text


def test_an_address_opens_only_so_many_sandboxes_an_hour(alice: Visitor) -> None:
    for _ in range(59):
        alice.post("/sandbox", {"plan": "growth"})
    page = alice.post("/sandbox", {"plan": "growth"}, status=429)
    assert "new sandboxes per address and hour" in page.text


def test_a_clock_that_is_ahead_stands_among_the_facts(alice: Visitor) -> None:
    assert "Sandbox clock" not in alice.get("/sandbox").text
    headers = {"x-api-key": alice.keys["administrator"]}
    assert alice.client.post("/api/v2/sandbox/clock", json={"advance": "PT40M"}, headers=headers).status_code == 200
    for path in ("/sandbox", "/sandbox/inbox", "/sandbox/integration"):
        assert "+40 min" in alice.get(path).text
