/* The chat panel: `/support/panel` in a dialog, so that nobody leaves the page they ask about.
   Where anything fails, the link leads to /support as it does without scripts. */
import { announce } from "./announce.js";
import { buildPanel } from "./chatpanel.js";
import { read, send } from "./enhance.js";
import { look, pauseOf, wordsOf } from "./messages.js";
import { showFailure } from "./toasts.js";

const ADDRESS = "/support/panel";
const FIELD = "textarea, input:not([type=hidden])";
let panel = null;
let opener = null;
let timer = null;

const idsIn = (root) => new Set([...root.querySelectorAll("[data-message]")].map((one) => one.dataset.message));

function newIn(page, known) {
  return [...page.querySelectorAll("[data-message]")].filter((message) => !known.has(message.dataset.message));
}

function scrollToNewest() {
  panel.body.scrollTop = panel.body.scrollHeight;
}

function show(page) {
  const known = idsIn(panel.body);
  const fresh = known.size ? newIn(page, known) : [];
  const hadFocus = panel.body.contains(document.activeElement);
  panel.body.replaceChildren(...page.body.childNodes);
  panel.body.dispatchEvent(new CustomEvent("slipway:arrived", { bubbles: true }));
  announce(fresh.map(wordsOf).join(" "));
  if (hadFocus) focusField();
  scrollToNewest();
  watch();
}

function focusField() {
  const field = panel.body.querySelector("[aria-invalid=true]") ?? panel.body.querySelector(FIELD);
  (field ?? panel.dialog).focus();
}

function watch() {
  clearTimeout(timer);
  const seconds = pauseOf(panel.body);
  if (seconds && panel.dialog.open) timer = setTimeout(lookAgain, seconds * 1000);
}

async function lookAgain() {
  try {
    const fresh = document.hidden ? [] : await look(panel.body.querySelector("[data-source]"));
    if (fresh === null) await renew();
    else if (fresh.length) scrollToNewest();
  } catch { /* the next look may find the server again */ }
  watch();
}

/* The form no longer fits, as after a close in another tab: fetch the whole block, and keep what is typed. */
async function renew() {
  const typed = panel.body.querySelector("[name=message]")?.value ?? "";
  show(await load());
  const field = panel.body.querySelector("[name=message]");
  if (field && typed) field.value = typed;
}

async function load() {
  const response = await fetch(ADDRESS, { headers: { "X-Partial": "1", Accept: "text/html" } });
  const page = response.ok ? await read(response) : null;
  if (!page) throw new Error(`No panel: ${response.status}`);
  return page;
}

async function post(form, submitter) {
  clearTimeout(timer);
  panel.body.setAttribute("aria-busy", "true");
  try {
    const page = await read(await send(form, submitter));
    if (!page) throw new Error("Not a page");
    show(page);
  } catch {
    showFailure("No response arrived. Your message is still in the field. Send it again: it is stored once.");
    watch();
  } finally {
    panel.body.removeAttribute("aria-busy");
  }
}

function close() {
  clearTimeout(timer);
  opener?.focus();
}

async function open(link) {
  opener = link;
  panel ??= buildPanel(post, close);
  try {
    if (!panel.body.hasChildNodes()) show(await load());
    panel.open();
    focusField();
    scrollToNewest();
    watch();
  } catch {
    location.assign(link.href);
  }
}

/** Let every `data-chat` link open the panel in place. */
export function startChat() {
  if (location.pathname.startsWith("/support")) return;
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-chat]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    open(link);
  });
}
