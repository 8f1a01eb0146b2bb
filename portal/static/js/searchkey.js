const TYPING = "input, textarea, select, [contenteditable], dialog[open]";

/** The `/` key leads to the search field from anywhere but another field. */
export function startSearchKey() {
  const field = document.getElementById("site-search");
  if (!field) return;
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.(TYPING)) return;
    event.preventDefault();
    const fold = field.closest("details");
    if (fold) fold.open = true;
    field.focus();
    field.select();
  });
}
