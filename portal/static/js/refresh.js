/* `<div id="…" data-refresh="5">`: look every so many seconds whether this block of the page has changed, and swap it. */
import { announce } from "./announce.js";
import { read, swap } from "./enhance.js";

const block = () => document.querySelector("[data-refresh][id]");

function isInUse(target) {
  return target.contains(document.activeElement) || getSelection()?.containsNode(target, true) && !getSelection().isCollapsed;
}

async function look() {
  const target = block();
  if (!target || document.hidden || isInUse(target)) return;
  const response = await fetch(location.href, { headers: { "X-Partial": "1", Accept: "text/html" } });
  const page = response.ok ? await read(response) : null;
  const fresh = page?.getElementById(target.id);
  if (!fresh || fresh.innerHTML === target.innerHTML || target !== block()) return;
  announce(swap(target, page).dataset.announce);
}

const seconds = Number(block()?.dataset.refresh);
if (seconds) setInterval(() => look().catch(() => {}), seconds * 1000);
