function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * Build the empty chat dialog. It stands beside the page where there is room and takes all of it where not.
 * `post(form, submitter)` receives the submissions inside; `closed()` is called when it closes.
 */
export function buildPanel(post, closed) {
  const shut = element("button", { type: "button", class: "button button-quiet" }, "Close chat");
  const bar = element("div", { class: "chat-panel-bar" }, element("h2", { id: "chat-panel-name" }, "Chat with support"), shut);
  const body = element("div", { class: "chat-panel-body" });
  const dialog = element("dialog", { class: "chat-panel", "aria-labelledby": "chat-panel-name", tabindex: "-1" }, bar, body);
  shut.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", closed);
  dialog.addEventListener("keydown", (event) => { if (event.key === "Escape") dialog.close(); });
  dialog.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    post(event.target, event.submitter);
  });
  document.body.append(dialog);
  const open = () => {
    if (dialog.open) return;
    if (matchMedia("(min-width: 50rem)").matches) dialog.show(); else dialog.showModal();
  };
  return { dialog, body, open };
}
