/** Keep each fold open where the page is wide enough to show its content beside the text, and on paper. */
export function startFolds() {
  for (const fold of document.querySelectorAll("details[data-fold]")) {
    const wide = matchMedia(`(min-width: ${fold.dataset.fold}rem)`);
    const follow = () => { fold.open = wide.matches; };
    wide.addEventListener("change", follow);
    if (wide.matches) follow();
    showCurrent(fold);
  }
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details:not([data-fold], [open])")) {
      details.open = true;
      addEventListener("afterprint", () => { details.open = false; }, { once: true });
    }
  });
}

/* A long list scrolls by itself: bring the entry of this page into its middle, and leave the page where it is. */
function showCurrent(fold) {
  const current = fold.querySelector("[aria-current]");
  if (!current || fold.scrollHeight <= fold.clientHeight) return;
  const offset = current.getBoundingClientRect().top - fold.getBoundingClientRect().top;
  if (offset > fold.clientHeight - 3 * current.offsetHeight) fold.scrollTop += offset - fold.clientHeight / 2;
}
