/* `<form data-enhance="#answer">`: send by fetch and swap the block the server answers with into #answer.
   Without this module the form is an ordinary one. A lost answer is never sent again by itself. */
import { announce } from "./announce.js";
import { showFailure, showToast } from "./toasts.js";

/** Where `form` goes when `submitter` is pressed; its fragment names the place the reader should be at then. */
function addressOf(form, submitter) {
  return new URL(submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? "", location);
}

/** Send `form` as its button would, asking for a block only. Gives the response. */
export function send(form, submitter) {
  const data = new FormData(form, submitter);
  const address = addressOf(form, submitter);
  const headers = { "X-Partial": "1", Accept: "text/html" };
  if (form.method !== "get") {
    const plain = form.enctype !== "multipart/form-data";
    return fetch(address, { method: "POST", body: plain ? new URLSearchParams(data) : data, headers });
  }
  address.search = new URLSearchParams(data);
  return fetch(address, { headers });
}

/** Read a response as a document, or null when it is not a page of ours. */
export async function read(response) {
  if (!(response.headers.get("content-type") ?? "").startsWith("text/html")) return null;
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

function focusedIn(target) {
  const element = document.activeElement;
  if (!target.contains(element)) return null;
  return element.id ? `#${CSS.escape(element.id)}` : element.name ? `[name="${CSS.escape(element.name)}"]` : null;
}

/** Put the block of `page` in `target`'s place; keeps focus, moves toasts to the corner. Gives the new element. */
export function swap(target, page) {
  const focused = focusedIn(target);
  for (const toast of page.querySelectorAll("[data-toast]")) showToast(document.adoptNode(toast));
  const block = page.getElementById(target.id);
  let arrived = target;
  if (block) {
    arrived = document.adoptNode(block);
    target.replaceWith(arrived);
  } else {
    target.replaceChildren(...page.body.childNodes);
  }
  if (focused) (arrived.matches(focused) ? arrived : arrived.querySelector(focused))?.focus();
  arrived.dispatchEvent(new CustomEvent("slipway:arrived", { bubbles: true }));
  return arrived;
}

/* A redirect says that something was done: more than the block may have changed, and the flash came with this page. */
function place(target, page, response) {
  const main = document.getElementById("main");
  if (!page.getElementById("main")) return swap(target, page);
  if (!response.redirected) return swap(page.getElementById(target.id) ? target : main, page);
  const isElsewhere = new URL(response.url).pathname !== location.pathname;
  history.replaceState(null, "", response.url);
  document.title = page.title;
  const arrived = swap(main, page);
  if (isElsewhere) {
    arrived.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
  return arrived;
}

/* Bring the notice that the form's fragment names before the reader; where none came, nothing moves. */
function showNotice(arrived, fragment) {
  const notice = fragment && arrived.querySelector(`${fragment}.notice`);
  if (!notice) return;
  notice.tabIndex = -1;
  notice.focus({ preventScroll: true });
  notice.scrollIntoView({ block: "start" });
}

async function enhance(form, submitter, target) {
  target.setAttribute("aria-busy", "true");
  form.dataset.sending = "";
  try {
    const response = await send(form, submitter);
    const page = await read(response);
    if (!page) throw new Error(`Not a page: ${response.status}`);
    const arrived = place(target, page, response);
    announce(arrived.dataset.announce ?? arrived.querySelector("[data-announce]")?.dataset.announce);
    showNotice(arrived, addressOf(form, submitter).hash);
    if (form.method === "get") history.replaceState(null, "", response.url);
  } catch {
    showFailure("No answer arrived. The request may have been carried out: look before you send it again.");
  } finally {
    target.removeAttribute("aria-busy");
    delete form.dataset.sending;
  }
}

/** Take over the submissions of every `data-enhance` form, those that arrive later included. */
export function startEnhancing() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const target = form.dataset.enhance && document.querySelector(form.dataset.enhance);
    if (!target) return;
    event.preventDefault();
    if (!("sending" in form.dataset)) enhance(form, event.submitter, target);
  });
}
