/* The console quickened: Ctrl+Enter sends, the body is looked at while typing, the log follows, the end counts down. */
import { swap } from "./enhance.js";

const MINUTE = 60_000;

function lineOf(text, message) {
  const place = /position (\d+)/.exec(message);
  return place ? ` Line ${text.slice(0, Number(place[1])).split("\n").length}.` : "";
}

/** Say below the body whether it is JSON. It can be sent all the same: a refusal is worth seeing too. */
function lookAt(body) {
  const remark = document.getElementById("body-check");
  if (!remark) return;
  try {
    if (body.value.trim()) JSON.parse(body.value);
    remark.textContent = "";
  } catch (error) {
    remark.textContent = `Not valid JSON yet.${lineOf(body.value, error.message)} It would be refused as malformed_json.`;
  }
}

async function refreshCalls() {
  const calls = document.getElementById("calls");
  if (!calls) return;
  const response = await fetch("/sandbox/requests?latest=8", { headers: { "X-Partial": "1" } });
  if (!response.ok) return;
  swap(calls, new DOMParser().parseFromString(await response.text(), "text/html"));
}

function countDown() {
  for (const time of document.querySelectorAll("time[data-ends]")) {
    const left = Math.max(0, Math.floor((Date.parse(time.dateTime) - Date.now()) / MINUTE));
    time.textContent = `in ${Math.floor(left / 60)} h ${left % 60} min`;
  }
}

function showShortcut() {
  for (const hint of document.querySelectorAll("[data-shortcut]")) hint.hidden = false;
}

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("#request-form");
  if (!form || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  form.requestSubmit(document.getElementById("send"));
});
document.addEventListener("input", (event) => {
  if (event.target.matches("[data-json]")) lookAt(event.target);
});
document.addEventListener("slipway:arrived", (event) => {
  if (event.target.id === "answer") {
    if (event.target.getBoundingClientRect().top > innerHeight * .7) event.target.scrollIntoView();
    refreshCalls().catch(() => {});
  }
  showShortcut();
});
showShortcut();
setInterval(countDown, MINUTE);
