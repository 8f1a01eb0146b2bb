/** Keep each fold open where the page is wide enough to show its content beside the text, and on paper. */
export function startFolds() {
  for (const fold of document.querySelectorAll("details[data-fold]")) {
    const wide = matchMedia(`(min-width: ${fold.dataset.fold}rem)`);
    const follow = () => { fold.open = wide.matches; };
    wide.addEventListener("change", follow);
    if (wide.matches) follow();
  }
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details:not([data-fold], [open])")) {
      details.open = true;
      addEventListener("afterprint", () => { details.open = false; }, { once: true });
    }
  });
}
