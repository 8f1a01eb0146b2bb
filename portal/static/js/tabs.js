/* Samples in several languages: stacked sections become tabs. The chosen one is kept for the session. */
const keyOf = (group) => `slipway:tab:${group.dataset.tabs}`;

function recall(group) {
  try { return sessionStorage.getItem(keyOf(group)); } catch { return null; }
}

function remember(group, name) {
  try { sessionStorage.setItem(keyOf(group), name); } catch { /* a closed store only forgets */ }
}

function choose(group, name) {
  const panels = [...group.querySelectorAll("[data-tab]")];
  if (!panels.some((panel) => panel.dataset.tab === name)) return;
  for (const panel of panels) panel.hidden = panel.dataset.tab !== name;
  for (const tab of group.querySelectorAll("[role=tab]")) {
    const chosen = tab.dataset.for === name;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
}

function chooseEverywhere(group, name) {
  remember(group, name);
  for (const other of document.querySelectorAll("[data-tabs]")) {
    if (other.dataset.tabs === group.dataset.tabs) choose(other, name);
  }
}

function buildTab(panel) {
  const name = panel.querySelector(".sample-name");
  const tab = document.createElement("button");
  tab.type = "button";
  tab.id = `${panel.id}-tab`;
  tab.textContent = name.textContent;
  tab.dataset.for = panel.dataset.tab;
  tab.setAttribute("role", "tab");
  tab.setAttribute("aria-controls", panel.id);
  panel.setAttribute("role", "tabpanel");
  panel.setAttribute("aria-labelledby", tab.id);
  name.classList.add("visually-hidden");
  return tab;
}

function step(event, list) {
  const tabs = [...list.children];
  const at = tabs.indexOf(document.activeElement);
  const forward = getComputedStyle(list).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
  const back = forward === "ArrowRight" ? "ArrowLeft" : "ArrowRight";
  const to = { [forward]: at + 1, [back]: at - 1, Home: 0, End: -1 }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  const next = tabs.at(to % tabs.length);
  next.focus();
  next.click();
}

function build(group) {
  const panels = [...group.querySelectorAll("[data-tab]")];
  if (panels.length < 2 || group.querySelector("[role=tablist]")) return;
  const list = document.createElement("div");
  list.className = "tablist";
  list.setAttribute("role", "tablist");
  list.setAttribute("aria-label", group.dataset.label ?? "Language");
  list.append(...panels.map(buildTab));
  list.addEventListener("keydown", (event) => step(event, list));
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) chooseEverywhere(group, tab.dataset.for);
  });
  group.prepend(list);
  choose(group, panels[0].dataset.tab);
  choose(group, recall(group));
}

/** Turn each `data-tabs` group of `root` into tabs; groups of one kind change together. */
export function startTabs(root) {
  for (const group of root.querySelectorAll("[data-tabs]")) build(group);
}
