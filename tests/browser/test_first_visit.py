"""The whole first visit, as one person makes it: with JavaScript and without."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage

pytestmark = pytest.mark.xdist_group("browser")


def invite_staff(app: Flask, email: str, origin: str) -> str:
    """A one-time sign-in link, as the operator's command prints it."""
    printed = app.test_cli_runner().invoke(args=["staff", "create", "--email", email, "--format", "json"])
    assert printed.exit_code == 0, printed.output
    address: str = json.loads(printed.stdout)["sign_in_url"]
    return origin + "/account" + address.partition("/account")[2]


def choose_operation(page: Page, title: str) -> None:
    option = page.locator("select[name=operation] option", has_text=re.compile(f"^{title}"))
    page.locator("select[name=operation]").select_option(option.first.get_attribute("value"))
    load = page.get_by_role("button", name="Load sample")
    if load.is_visible():
        load.click()
    expect(page.get_by_role("button", name="Send request")).to_be_visible()


def send(page: Page) -> None:
    page.get_by_role("button", name="Send request").click()


@pytest.mark.browser
@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_the_whole_first_visit(app: Flask, live_server: str, new_page: NewPage, script: bool) -> None:
    visitor = new_page(script=script)
    name = f"Asha {uuid.uuid4().hex[:8]}"

    visitor.goto("/")
    expect(visitor.locator("h1")).to_be_visible()
    visitor.get_by_role("link", name="Send your first request").click()
    expect(visitor.locator("h1")).to_have_text(re.compile("Quickstart", re.I))

    visitor.goto("/sandbox")
    visitor.get_by_role("button", name="Create my sandbox").click()
    expect(visitor.locator("main")).to_contain_text("sk_test_")
    visitor.goto("/sandbox")
    assert "sk_test_" not in visitor.content()

    send(visitor)
    expect(visitor.locator("main")).to_contain_text("200")
    expect(visitor.locator("main")).to_contain_text("John Doe")

    visitor.goto("/sandbox?operation=customers.create")
    send(visitor)
    expect(visitor.locator("main")).to_contain_text("201")
    send(visitor)
    expect(visitor.locator("main")).to_contain_text("409")
    expect(visitor.locator("main")).to_contain_text("duplicate")

    visitor.goto("/sandbox/requests")
    expect(visitor.locator("table").first).to_contain_text("/api/v2/customers")

    visitor.goto("/sandbox")
    visitor.get_by_role("button", name="Reset sandbox").click()
    expect(visitor.locator("main")).to_contain_text(re.compile("restored", re.I))
    visitor.goto("/sandbox?operation=customers.create")
    send(visitor)
    expect(visitor.locator("main")).to_contain_text("201")

    visitor.goto("/contact")
    visitor.get_by_label("Name").fill(name)
    visitor.get_by_label("E-mail").fill(f"{uuid.uuid4().hex[:8]}@buyers.example")
    visitor.get_by_label("Message").fill("We want to connect our shop by Friday.")
    visitor.get_by_role("button", name="Send inquiry").click()
    expect(visitor.locator("main")).to_contain_text("led_")

    visitor.goto("/support")
    visitor.get_by_label("Name").fill(name)
    visitor.get_by_label("E-mail").fill(f"{uuid.uuid4().hex[:8]}@buyers.example")
    visitor.get_by_label("Message").fill("My import stops at row 12.")
    visitor.get_by_role("button", name="Start conversation").click()
    expect(visitor.locator("main")).to_contain_text("row 12")

    sam = new_page(script=script)
    sam.goto(invite_staff(app, f"{uuid.uuid4().hex[:8]}@staff.example", live_server))
    sam.get_by_role("button", name="Sign in").click()
    sam.wait_for_url("**/staff")
    sam.goto("/staff")
    sam.get_by_label("Name, email or text").fill(name)
    sam.get_by_label("Name, email or text").press("Enter")
    sam.get_by_role("list", name="Chats").get_by_role("link", name=name).first.click()
    sam.get_by_label("Answer").fill("Row 12 has two decimals too many.")
    sam.get_by_role("button", name=re.compile("Send|Answer")).first.click()
    expect(sam.locator("main")).to_contain_text("two decimals")

    visitor.close()
    again = visitor.context.new_page()
    again.goto("/support")
    expect(again.locator("main")).to_contain_text("Row 12 has two decimals too many.")
    again.reload()
    expect(again.locator("main")).to_contain_text("Row 12 has two decimals too many.")


@pytest.mark.browser
def test_the_chat_panel_opens_on_any_page_and_keeps_the_conversation(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/docs/quickstart")
    page.get_by_role("link", name="Chat with support").first.click()
    panel = page.get_by_role("dialog")
    panel.get_by_label("Name").fill("Asha Rao")
    panel.get_by_label("E-mail").fill(f"{uuid.uuid4().hex[:8]}@buyers.example")
    panel.get_by_label("Message").fill("Hello from the panel")
    panel.get_by_role("button", name="Start conversation").click()
    expect(panel).to_contain_text("Hello from the panel")
    page.goto("/support")
    expect(page.locator("main")).to_contain_text("Hello from the panel")


@pytest.mark.browser
def test_no_cookie_before_anything_is_said(new_page: NewPage) -> None:
    page = new_page()
    for path in ("/", "/docs/quickstart", "/reference", "/support", "/contact", "/checklist"):
        page.goto(path)
        assert page.context.cookies() == [], path
