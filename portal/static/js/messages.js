/* What the chat panel and a conversation's own page share: looking for what is new, showing the truth about where the
   conversation stands, fetching what was said before, and an id of its own for each text that is sent. */
import { announce } from "./announce.js";
import { read } from "./enhance.js";

const numberOf = (message) => Number(message.dataset.message.slice(1));

/** What a screen reader says of a message. */
export function wordsOf(message) {
  const author = message.querySelector(".message-author")?.textContent ?? "";
  return `${author}: ${message.querySelector(".message-text")?.textContent ?? ""}`;
}

async function load(address) {
  const response = await fetch(address, { headers: { "X-Partial": "1", Accept: "text/html" } });
  const page = response.ok ? await read(response) : null;
  if (!page) throw new Error(`No messages: ${response.status}`);
  return page;
}

function unknownIn(page, list) {
  const known = new Set([...list.querySelectorAll("[data-message]")].map((one) => one.dataset.message));
  return [...page.querySelectorAll("[data-message]")].filter((one) => !known.has(one.dataset.message));
}

/** Seconds between two looks at the conversation in `block`, 0 if there is nothing to wait for. */
export function pauseOf(block) {
  return Number(block?.querySelector("[data-messages][data-poll]")?.dataset.poll ?? 0);
}

/**
 * Fetch what came behind the last message of `block`, append it, and tell where the conversation stands now.
 * Gives the new messages; null if the form no longer fits, so that the whole block is wanted anew.
 */
export async function look(block) {
  const list = block.querySelector("[data-messages]");
  const last = list.querySelector("[data-message]:last-child");
  const page = await load(`${block.dataset.source}?after=${last ? numberOf(last) : 0}`);
  if (!list.isConnected) return [];
  const fresh = unknownIn(page, list).map((one) => document.adoptNode(one));
  list.append(...fresh);
  announce(fresh.map(wordsOf).join(" "));
  const before = block.querySelector("[data-state]");
  const state = page.querySelector("[data-state]");
  if (!before || !state || before.textContent === state.textContent) return fresh;
  const fits = before.dataset.state === state.dataset.state;
  before.replaceWith(document.adoptNode(state));
  return fits ? fresh : null;
}

async function showOlder(link) {
  const scroller = link.closest(".messages-window");
  const list = scroller.querySelector("[data-messages]");
  const page = await load(link.href);
  const older = unknownIn(page, list).map((one) => document.adoptNode(one));
  list.prepend(...older);
  const further = page.querySelector("[data-older]");
  if (further) link.href = further.getAttribute("href"); else link.closest("p").remove();
  announce(`${older.length} earlier messages shown`);
  older.at(-1)?.scrollIntoView({ block: "nearest" });
  (further ? link : scroller).focus({ preventScroll: true });
}

const newId = () => [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/* The text sent last keeps its id, so that sending it again is a repeat; any other text is a message of its own. */
function renewId(form) {
  const id = form.elements.client_msg_id;
  const isRepeat = form.dataset.sentText === form.elements.message.value;
  id.value = isRepeat ? form.dataset.sentId : newId();
}

function rememberSent(form) {
  form.dataset.sentText = form.elements.message.value;
  form.dataset.sentId = form.elements.client_msg_id.value;
}

const isChatForm = (form) => Boolean(form?.elements?.client_msg_id && form.elements.message);

/** Let every message form number its texts, and every link to earlier messages show them in place. */
export function startMessages() {
  document.addEventListener("input", (event) => { if (isChatForm(event.target.form)) renewId(event.target.form); });
  document.addEventListener("submit", (event) => { if (isChatForm(event.target)) rememberSent(event.target); }, true);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-older]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    showOlder(link).catch(() => location.assign(link.href));
  });
}
