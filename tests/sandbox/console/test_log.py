"""The log: the latest calls of the sandbox, masked, to be found and sent again."""

from __future__ import annotations

import pytest

from tests.sandbox.console.conftest import SECRET_KEY, Visitor, code_in


def requests_of(visitor: Visitor, path: str = "/sandbox/requests") -> list[str]:
    links = visitor.get(path).links
    return [link.rsplit("/", 1)[1] for link in links if link.startswith("/sandbox/requests/")]


def call_from_a_shell(visitor: Visitor, path: str, request_id: str) -> None:
    headers = {"Authorization": f"Bearer {visitor.keys['sales']}", "X-Request-Id": request_id}
    visitor.client.get(path, headers=headers)


def test_an_empty_log_says_how_it_fills(alice: Visitor) -> None:
    assert "No calls yet" in alice.get("/sandbox/requests").text


def test_the_log_holds_the_calls_of_ones_own_programs_too(alice: Visitor) -> None:
    call_from_a_shell(alice, "/api/v2/customers", "from-my-shell")
    alice.send("customers.read", path__id="1")
    assert requests_of(alice)[1] == "from-my-shell"
    assert len(requests_of(alice)) == 2


def test_fifty_are_listed_on_a_page_and_the_older_ones_on_the_next(alice: Visitor) -> None:
    """What a page cuts off can still be reached, and a filter looks at all of the log (attack 37)."""
    call_from_a_shell(alice, "/api/v2/customers/9999", "unknown")
    for number in range(52):
        call_from_a_shell(alice, "/api/v2/customers/1", f"call-{number}")
    listed = requests_of(alice)
    assert len(listed) == 50
    assert "call-51" in listed
    assert "call-0" not in listed
    older = [link.get("href", "") for link in alice.get("/sandbox/requests").find_all("a", rel="next")]
    assert requests_of(alice, older[0]) == ["call-1", "call-0", "unknown"]
    assert requests_of(alice, "/sandbox/requests?status=4") == ["unknown"]
    assert len(requests_of(alice, "/sandbox/requests?status=2")) == 50
    assert requests_of(alice, "/sandbox/requests?status=2&page=2") == ["call-1", "call-0"]
    for odd in ("0", "-1", "x", str(10**12)):
        alice.get(f"/sandbox/requests?page={odd}")


def test_a_call_is_found_by_its_request_id(alice: Visitor) -> None:
    call_from_a_shell(alice, "/api/v2/customers", "this-one")
    call_from_a_shell(alice, "/api/v2/customers", "another")
    assert requests_of(alice, "/sandbox/requests?q=this-one") == ["this-one"]
    assert "No such call" in alice.get("/sandbox/requests?q=unknown").text


@pytest.mark.parametrize(("wanted", "found"), [("2", ["good"]), ("4", ["bad"]), ("5", []), ("x", ["bad", "good"])])
def test_calls_are_filtered_by_status(alice: Visitor, wanted: str, found: list[str]) -> None:
    call_from_a_shell(alice, "/api/v2/customers/1", "good")
    call_from_a_shell(alice, "/api/v2/customers/9999", "bad")
    assert requests_of(alice, f"/sandbox/requests?status={wanted}") == found


def test_an_opened_call_shows_both_sides_and_masks_the_key(alice: Visitor) -> None:
    alice.send("customers.create", body='{"account": "<b>Jane</b>"}')
    page = alice.get(f"/sandbox/requests/{requests_of(alice)[0]}")
    assert "<b>Jane</b>" in code_in(page)
    assert "201 Created" in page.text
    assert "••••" in page.text
    assert not SECRET_KEY.search(page.html)


def test_a_call_can_be_sent_again(alice: Visitor) -> None:
    alice.send("customers.update", role="sales", path__id="2", body='{"city": "Pune"}')
    again = f"/sandbox?again={requests_of(alice)[0]}"
    assert again in alice.get(f"/sandbox/requests/{requests_of(alice)[0]}").links
    page = alice.get(again)
    assert page.field("path.id") == "2"
    assert "Pune" in "".join(page.find_all("textarea", id="body")[0].itertext())


def test_a_query_comes_back_with_the_call(alice: Visitor) -> None:
    alice.send("customers.list", query__search="a&b", query__limit="5")
    page = alice.get(f"/sandbox?again={requests_of(alice)[0]}")
    assert (page.field("query.search"), page.field("query.limit")) == ("a&b", "5")


def test_mallory_cannot_open_alices_call(alice: Visitor, mallory: Visitor) -> None:
    call_from_a_shell(alice, "/api/v2/customers", "alices-call")
    mallory.get("/sandbox/requests/alices-call", status=404)
    mallory.get("/sandbox?again=alices-call", status=404)
    assert "No such call" in mallory.get("/sandbox/requests?q=alices-call").text


def test_scripts_get_the_latest_calls_alone(alice: Visitor) -> None:
    for number in range(10):
        call_from_a_shell(alice, "/api/v2/customers/1", f"call-{number}")
    block = alice.client.get("/sandbox/requests?latest=8", headers={"X-Partial": "1"}).get_data(as_text=True)
    assert block.count("/sandbox/requests/call-") == 8
    assert "<html" not in block


def test_an_odd_request_id_is_looked_up_and_nothing_else(alice: Visitor) -> None:
    for odd in ("'--", "%00", "x" * 500, "<script>"):
        alice.get(f"/sandbox/requests?q={odd}")
        alice.get(f"/sandbox/requests/{odd}", status=404)
