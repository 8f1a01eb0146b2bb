/* `<div id="…" data-refresh="5">`: look every so many seconds whether this block of the page has changed, and swap it. */
import { announce } from "./announce.js";
import { read, swap } from "./enhance.js";

const block = () => document.querySelector("[data-refresh][id]");

function isInUse(target) {
  return target.contains(document.activeElement) || getSelection()?.containsNode(target, true) && !getSelection().isCollapsed;
}

/* What the reader sees: a form's token is drawn anew each time, and what is unfolded is the reader's own doing. */
const words = (element) => element.textContent.replace(/\s+/g, " ");

async function look() {
  const target = block();
  if (!target || document.hidden || isInUse(target)) return;
  const response = await fetch(location.href, { headers: { "X-Partial": "1", Accept: "text/html" } });
  const page = response.ok ? await read(response) : null;
  const fresh = page?.getElementById(target.id);
  if (!fresh || words(fresh) === words(target) || target !== block()) return;
  const said = target.dataset.announce;
  const arrived = swap(target, page);
  if (arrived.dataset.announce !== said) announce(arrived.dataset.announce);
}

const seconds = Number(block()?.dataset.refresh);
if (seconds) setInterval(() => look().catch(() => {}), seconds * 1000);
