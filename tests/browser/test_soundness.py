"""Every page passes axe (WCAG 2.2 A and AA) in light and dark, fits a phone, and complains of nothing.

Nine tenths of axe's time is the contrast of text and the size of targets. Those are asked once for each look. Of text
that is letters of one color, size and weight upon the same backgrounds, inside elements of the same kinds; of a target
its kind, whether it is smaller than 24 pixels, and the kinds beside it. What looks otherwise, or is left undecided, is
asked on the next page too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
COLORS = ["color-contrast", "link-in-text-block"]
"""The rules that see colors, hence all that may differ between the schemes."""
TARGETS = ["target-size"]
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
OTHERS = {
    "runOnly": {"type": "tag", "values": STANDARDS},
    "rules": {name: {"enabled": False} for name in [*COLORS, *TARGETS]},
    "resultTypes": ["violations"],
}
LOOKS = """
const digest = (text) => {
  let [high, low] = [5381, 52711];
  for (let at = 0; at < text.length; at += 1) {
    high = Math.imul(high, 33) ^ text.charCodeAt(at);
    low = Math.imul(low, 33) ^ text.charCodeAt(at);
  }
  return (high >>> 0) * 65536 + (low & 65535);
};
const chains = new Map();
const chainOf = (element) => {
  if (!element) return "";
  if (!chains.has(element)) {
    const style = getComputedStyle(element);
    chains.set(element, digest([element.tagName, element.className.baseVal ?? element.className, style.color,
      style.backgroundColor, style.backgroundImage, style.opacity, style.position,
      chainOf(element.parentElement)].join(" ")));
  }
  return chains.get(element);
};
const lookOfText = (element) => {
  const style = getComputedStyle(element);
  return digest([style.color, style.fontSize, style.fontWeight, style.textShadow, style.textDecorationLine,
    style.display, chainOf(element)].join(" "));
};
const lookOfTarget = (element) => {
  const box = element.getBoundingClientRect();
  return digest([Math.min(box.width, 24), Math.min(box.height, 24), chainOf(element),
    chainOf(element.previousElementSibling), chainOf(element.nextElementSibling)].join(" "));
};
const holdsText = (element) => ["INPUT", "SELECT", "TEXTAREA"].includes(element.tagName) ||
  [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
const isTarget = (element) => element.matches("a[href], button, input, select, textarea, summary, [role], [tabindex]");
"""
FAULTS = f"""async ([rules, seen]) => {{
  {LOOKS}
  const [isAsked, lookOf] = rules.includes("target-size") ? [isTarget, lookOfTarget] : [holdsText, lookOfText];
  const known = new Set(seen), fresh = new Map();
  for (const element of document.body.querySelectorAll("*")) {{
    if (!isAsked(element) || !element.checkVisibility({{visibilityProperty: true}})) continue;
    const look = lookOf(element);
    if (!known.has(look)) fresh.set(element, look);
  }}
  if (!fresh.size) return [[], []];
  const options = {{runOnly: {{type: "rule", values: rules}}, elementRef: true}};
  const found = await axe.run({{include: [...fresh.keys()]}}, options);
  const undecided = found.incomplete.flatMap((rule) => rule.nodes).map((node) => fresh.get(node.element));
  const looks = new Set(fresh.values());
  undecided.forEach((look) => looks.delete(look));
  const faults = found.violations.map(({{id, nodes}}) => ({{id, nodes: [{{html: nodes[0].html}}]}}));
  return [faults, [...looks]];
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


def check(page: Page, path: str, seen: set[int]) -> list[str]:
    """What axe finds on a page in either scheme, and whether it runs over the side.

    `seen` holds the looks that have been asked about, and gets the page's.
    """
    page.goto(path)
    page.evaluate(AXE)
    page.evaluate(UNSHADE)
    page.set_viewport_size(LOW)
    faults = [(path, fault) for fault in page.evaluate("rules => axe.run(document, rules)", OTHERS)["violations"]]
    page.set_viewport_size(DESKTOP)
    faults += [(path, fault) for fault in ask(page, TARGETS, seen)]
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        faults += [(f"{path} {scheme}", fault) for fault in ask(page, COLORS, seen)]
    page.set_viewport_size({"width": 320, "height": 700})
    is_too_wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    page.set_viewport_size(DESKTOP)
    told = [f"{where} {fault['id']}: {fault['nodes'][0]['html'][:200]}" for where, fault in faults]
    return told + [f"{path} is wider than a phone"] * is_too_wide


def ask(page: Page, rules: list[str], seen: set[int]) -> list[dict[str, Any]]:
    """What these rules find in the looks of the page that have not been asked about."""
    faults, looks = page.evaluate(FAULTS, [rules, sorted(seen)])
    seen.update(looks)
    return list(faults)


def test_every_printed_page_is_sound(app: Flask, new_page: NewPage) -> None:
    page, seen = new_page(), set[int]()
    with app.app_context():
        paths = current_docs().paths()
    assert [fault for path in [*paths, *OPEN_PAGES] for fault in check(page, path, seen)] == []


def test_every_page_of_a_visitor_is_sound(new_page: NewPage) -> None:
    page, seen = new_page(), set[int]()
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
    page, seen = new_page(), set[int]()
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
    page, other, seen, email = new_page(), new_page(), set[int](), new_email()
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


FAULTY = """addEventListener("DOMContentLoaded", () => {
  const box = document.createElement("div");
  box.innerHTML = "<div>" + "<button>a</button>".repeat(3) + "</div><p>pale</p><ul>" + "<li>long</li>".repeat(9);
  const style = (element, properties) => Object.entries(properties).forEach((one) => element.style.setProperty(...one));
  const none = {"min-block-size": "0", margin: "0", padding: "0", border: "0"};
  const small = {...none, width: "6px", height: "6px", "font-size": "6px"};
  for (const button of box.querySelectorAll("button")) style(button, small);
  style(box.querySelector("p"), {color: "#bbb", background: "#fff"});
  style(box.querySelector("ul"), {height: "2rem", "overflow-y": "scroll"});
  document.querySelector("main").prepend(box);
})"""


def test_what_is_small_pale_or_out_of_reach_is_found_among_looks_that_were_asked(new_page: NewPage) -> None:
    page, seen = new_page(), set[int]()
    assert check(page, "/docs/quickstart", seen) == []
    page.add_init_script(FAULTY)
    found = {fault.split(":")[0] for fault in check(page, "/docs/quickstart", seen)}
    assert found >= {
        "/docs/quickstart scrollable-region-focusable",
        "/docs/quickstart target-size",
        "/docs/quickstart light color-contrast",
    }
