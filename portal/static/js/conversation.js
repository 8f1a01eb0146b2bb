/* On a conversation's own page: look for new messages while somebody is looking, and say them once. */
import { announce } from "./announce.js";
import { read } from "./enhance.js";

function wordsOf(message) {
  const author = message.querySelector(".message-author")?.textContent ?? "";
  return `${author}: ${message.querySelector(".message-text")?.textContent ?? ""}`;
}

async function look(list, source) {
  const response = await fetch(source, { headers: { "X-Partial": "1", Accept: "text/html" } });
  const page = response.ok ? await read(response) : null;
  if (!page || !list.isConnected) return;
  const known = new Set([...list.querySelectorAll("[data-message]")].map((one) => one.dataset.message));
  const fresh = [...page.querySelectorAll("[data-message]")].filter((one) => !known.has(one.dataset.message));
  list.append(...fresh);
  const state = page.querySelector("[data-state]");
  if (state && fresh.length) document.querySelector("[data-state]")?.replaceWith(state);
  announce(fresh.map(wordsOf).join(" "));
}

function watch() {
  const block = document.querySelector("[data-source]");
  const list = block?.querySelector("[data-messages][data-poll]");
  const again = () => setTimeout(watch, Number(list?.dataset.poll ?? 5) * 1000);
  if (!list || document.hidden) again();
  else look(list, block.dataset.source).catch(() => {}).finally(again);
}

watch();
