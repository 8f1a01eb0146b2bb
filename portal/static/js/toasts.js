/* Toasts: a success leaves by itself unless it is being read; every other kind stays until dismissed. */
import { announce } from "./announce.js";

const READING_TIME = 8000;
const PAUSE = 2000;

function region() {
  const found = document.getElementById("toasts");
  if (found) return found;
  const made = document.createElement("section");
  made.className = "toasts";
  made.id = "toasts";
  made.setAttribute("aria-label", "Messages");
  document.querySelector(".ruler").after(made);
  return made;
}

function dismiss(toast) {
  const hadFocus = toast.contains(document.activeElement);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  toast.dataset.leaving = "";
  setTimeout(() => toast.remove(), still ? 0 : 150);
  if (hadFocus) document.getElementById("main")?.focus();
}

function leave(toast) {
  if (toast.matches(":hover, :focus-within")) setTimeout(leave, PAUSE, toast);
  else dismiss(toast);
}

/** Give each toast of `root` its dismiss button, and move those that came with a block to the corner. */
export function startToasts(root) {
  for (const toast of root.querySelectorAll("[data-toast]")) {
    delete toast.dataset.toast;
    const button = toast.querySelector("[data-dismiss]");
    if (button) {
      button.hidden = false;
      button.addEventListener("click", () => dismiss(toast));
    }
    if (toast.dataset.kind === "success" && toast.closest(".toasts")) setTimeout(leave, READING_TIME, toast);
  }
}

/** Show `toast`, an element the server rendered, in the corner. */
export function showToast(toast) {
  const corner = region();
  toast.dataset.toast = "";
  corner.append(toast);
  startToasts(corner);
  if (toast.getAttribute("role") !== "alert") announce(toast.querySelector(".notice-words")?.textContent.trim());
}

/** Say in the corner that something failed; for what the server could not say itself. */
export function showFailure(text) {
  const toast = document.createElement("div");
  toast.className = "toast notice";
  toast.dataset.kind = "failure";
  toast.setAttribute("role", "alert");
  toast.innerHTML = `<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d="M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2z"/><path d="m5.6 5.6 4.8 4.8m0-4.8-4.8 4.8"/></svg>
<div class="notice-words"><p class="notice-title">Failed</p><p></p></div>
<button type="button" class="toast-dismiss" data-dismiss hidden aria-label="Dismiss message"><svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d="m3.5 3.5 9 9m0-9-9 9"/></svg></button>`;
  toast.querySelector(".notice-title + p").textContent = text;
  showToast(toast);
}
