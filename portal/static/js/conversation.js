/* On a conversation's own page: look for new messages while somebody is looking, and say them once. */
import { read, swap } from "./enhance.js";
import { look, pauseOf } from "./messages.js";

const IDLE_SECONDS = 5;
const block = () => document.querySelector("[data-source]");

/** Fetch the whole block, as after a close in another tab, and keep what is typed. */
async function renew(target) {
  const typed = target.querySelector("[name=message]")?.value ?? "";
  const response = await fetch(target.dataset.source, { headers: { "X-Partial": "1", Accept: "text/html" } });
  const page = response.ok ? await read(response) : null;
  const field = page && swap(target, page).querySelector("[name=message]");
  if (field && typed) field.value = typed;
}

async function watch() {
  const target = block();
  try {
    if (!document.hidden && pauseOf(target) && await look(target) === null) await renew(target);
  } catch { /* the next look may find the server again */ }
  setTimeout(watch, (pauseOf(block()) || IDLE_SECONDS) * 1000);
}

watch();
