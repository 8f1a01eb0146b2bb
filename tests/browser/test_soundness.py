"""Every page passes axe (WCAG 2.2 A and AA) in light and dark, fits a phone, and complains of nothing.

Nine tenths of axe's time is the contrast of text. That is asked once for each look: letters of one colour, size and
weight upon the same backgrounds, inside elements of the same kinds. What looks otherwise, or is left undecided, is
asked on the next page too.
"""

from __future__ import annotations

from pathlib import Path

import axe_playwright_python
import pytest
from flask import Flask
from playwright.sync_api import Page, ViewportSize

from portal.docs.service import current_docs
from tests.browser.conftest import NewPage
from tests.browser.test_first_visit import invite_staff
from tests.portal.people import PASSWORD, mailed_link, new_email
from tests.portal.support.chatting import start

pytestmark = [pytest.mark.browser, pytest.mark.one_store, pytest.mark.xdist_group("browser")]
COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules that see colours, hence all that may differ between the schemes."""
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
OTHERS = {
    "runOnly": {"type": "tag", "values": STANDARDS},
    "rules": {name: {"enabled": False} for name in COLOURS},
    "resultTypes": ["violations"],
}
LOOKS = """
const chains = new Map();
const chainOf = (element) => {
  if (!element) return "";
  if (!chains.has(element)) {
    const style = getComputedStyle(element);
    chains.set(element, [element.tagName, element.className.baseVal ?? element.className, style.color,
      style.backgroundColor, style.backgroundImage, style.opacity, style.position,
      chainOf(element.parentElement)].join(" "));
  }
  return chains.get(element);
};
const lookOf = (element) => {
  const style = getComputedStyle(element);
  return [style.color, style.fontSize, style.fontWeight, style.textShadow, style.textDecorationLine,
    style.display, chainOf(element)].join(" ");
};
const holdsText = (element) => ["INPUT", "SELECT", "TEXTAREA"].includes(element.tagName) ||
  [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
"""
COLOUR_FAULTS = f"""async ([rules, seen]) => {{
  {LOOKS}
  const known = new Set(seen), fresh = new Map();
  for (const element of document.body.querySelectorAll("*")) {{
    if (!holdsText(element) || !element.checkVisibility({{visibilityProperty: true}})) continue;
    const look = lookOf(element);
    if (!known.has(look)) fresh.set(element, look);
  }}
  if (!fresh.size) return [[], []];
  const options = {{runOnly: {{type: "rule", values: rules}}, elementRef: true}};
  const found = await axe.run({{include: [...fresh.keys()]}}, options);
  const decided = [...found.passes, ...found.violations].filter((rule) => rule.id === "color-contrast");
  const looks = decided.flatMap((rule) => rule.nodes).map((node) => fresh.get(node.element)).filter(Boolean);
  const faults = found.violations.map(({{id, nodes}}) => ({{id, nodes: [{{html: nodes[0].html}}]}}));
  return [faults, [...new Set(looks)]];
}}"""
UNSHADE = "document.querySelectorAll('.table-scroll').forEach((box) => { box.style.backgroundImage = 'none'; })"
"""The shades at the edges of tables; axe decides nothing upon a gradient."""
DESKTOP = ViewportSize(width=1280, height=900)
LOW = ViewportSize(width=1280, height=240)
"""So low that whatever can scroll does, whose keyboard access axe asks of nothing else."""
OPEN_PAGES = ["/search?q=invoice", "/search?q=nothingatall", "/components", "/no-such-page"]
INTEGRATION = [f"/sandbox/integration{page}" for page in ("", "/webhooks", "/webhooks/new", "/webhooks/deliveries")]
OWN_PAGES = ["/sandbox", "/sandbox/requests", "/sandbox/keys", *INTEGRATION, "/contact", "/support", "/checklist"]
ACCOUNT_PAGES = [
    "/account/sign-in",
    "/account/sign-up",
    "/account/reset",
    "/account/check-mail",
    "/contact?topic=upgrade",
]


def check(page: Page, path: str, seen: set[str]) -> list[str]:
    """What axe finds on a page in either scheme, and whether it runs over the side.

    `seen` holds the looks whose colours have been asked, and gets the page's.
    """
    page.goto(path)
    page.evaluate(AXE)
    page.evaluate(UNSHADE)
    page.set_viewport_size(LOW)
    faults = [(path, fault) for fault in page.evaluate("rules => axe.run(document, rules)", OTHERS)["violations"]]
    page.set_viewport_size(DESKTOP)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found, looks = page.evaluate(COLOUR_FAULTS, [COLOURS, sorted(seen)])
        faults += [(f"{path} {scheme}", fault) for fault in found]
        seen.update(looks)
    page.set_viewport_size({"width": 320, "height": 700})
    is_too_wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    page.set_viewport_size(DESKTOP)
    told = [f"{where} {fault['id']}: {fault['nodes'][0]['html'][:200]}" for where, fault in faults]
    return told + [f"{path} is wider than a phone"] * is_too_wide


def test_every_printed_page_is_sound(app: Flask, new_page: NewPage) -> None:
    page, seen = new_page(), set[str]()
    with app.app_context():
        paths = current_docs().paths()
    assert [fault for path in [*paths, *OPEN_PAGES] for fault in check(page, path, seen)] == []


def test_every_page_of_a_visitor_is_sound(new_page: NewPage) -> None:
    page, seen = new_page(), set[str]()
    faults = [fault for path in [*OWN_PAGES, *ACCOUNT_PAGES] for fault in check(page, path, seen)]
    page.goto("/sandbox")
    page.get_by_role("button", name="Create my sandbox").click()
    page.goto("/sandbox?operation=customers.create")
    page.get_by_role("button", name="Send request").click()
    page.wait_for_selector("text=201")
    page.goto("/support")
    page.get_by_label("Name").fill("Asha Rao")
    page.get_by_label("E-mail").fill("asha.axe@buyers.example")
    page.get_by_label("Message").fill("Is this page sound?")
    page.get_by_role("button", name="Start conversation").click()
    page.wait_for_selector("text=Is this page sound?")
    assert faults + [fault for path in OWN_PAGES for fault in check(page, path, seen)] == []


def test_every_page_of_the_desk_is_sound(app: Flask, live_server: str, new_page: NewPage) -> None:
    page, seen = new_page(), set[str]()
    link = invite_staff(app, "sam.axe@staff.example", live_server)
    faults = check(page, link, seen)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/staff")
    start(app.test_client())
    page.goto("/staff")
    assert page.locator("main a[href^='/staff/chats/']").count()
    links = [link.get_attribute("href") or "" for link in page.locator("main a[href^='/staff/']").all()[:4]]
    assert faults + [fault for path in ["/staff", "/account", *links] for fault in check(page, path, seen)] == []


def test_every_page_of_a_member_is_sound(app: Flask, new_page: NewPage) -> None:
    page, other, seen, email = new_page(), new_page(), set[str](), new_email()
    page.goto("/account/sign-up")
    page.get_by_label("Name").fill("Asha Rao")
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Send me the link").click()
    page.wait_for_url("**/account/check-mail")
    link = mailed_link(app, email)
    faults = check(page, link, seen)
    page.get_by_label("New password").fill("password1234")
    page.get_by_role("button", name="Create account").click()
    page.wait_for_selector("text=This password is easy to guess")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/account")
    other.goto("/account/sign-in")
    other.get_by_label("E-mail").fill(email)
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    other.wait_for_url("**/account")
    faults += [fault for path in ("/account", link) for fault in check(page, path, seen)]
    page.goto("/account")
    page.get_by_role("button", name="End all other sessions").click()
    page.wait_for_selector("text=All other sessions are ended.")
    other.goto("/account")
    assert "/account/sign-in" in other.url
    assert faults == []
