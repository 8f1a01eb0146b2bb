import { announce } from "./announce.js";

function textOf(button) {
  const panel = button.closest(".panel");
  return (panel.querySelector("pre") ?? panel).textContent.replace(/\n$/, "");
}

async function copy(button) {
  const label = button.firstChild;
  const before = label.data;
  try {
    await navigator.clipboard.writeText(textOf(button));
    label.data = "Copied";
    announce("Copied");
  } catch {
    label.data = "Not copied";
    announce("The browser did not allow copying");
  }
  setTimeout(() => { label.data = before; }, 2000);
}

/** Show the copy buttons of `root`'s panels; they are hidden where scripts or the clipboard are missing. */
export function startCopying(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("[data-copy][hidden]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}
