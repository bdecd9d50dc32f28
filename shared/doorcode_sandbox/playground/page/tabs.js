// Tabs that arrow keys move between: https://www.w3.org/WAI/ARIA/apg/patterns/tabs/

import { h } from "./dom.js";

const MOVES = { ArrowRight: 1, ArrowLeft: -1 };

/** Fill `list` with tabs for `entries` ({id, title, panel}); `chosen(id)` is called after one was shown. */
export function tabs(list, entries, chosen) {
  const buttons = new Map();
  for (const { id, title, panel } of entries) {
    const button = h(
      "button",
      { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": panel.id, data: { tab: id }, onclick: () => show(id), onkeydown: move },
      h("span", {}, title),
    );
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", button.id);
    buttons.set(id, button);
    list.append(button);
  }

  function show(id) {
    for (const entry of entries) {
      const selected = entry.id === id;
      const button = buttons.get(entry.id);
      button.setAttribute("aria-selected", String(selected));
      button.tabIndex = selected ? 0 : -1;
      entry.panel.hidden = !selected;
    }
    chosen(id);
  }

  function move(event) {
    const ids = entries.map((entry) => entry.id);
    const from = ids.indexOf(event.currentTarget.dataset.tab);
    const to =
      event.key === "Home" ? 0 : event.key === "End" ? ids.length - 1 : event.key in MOVES ? (from + MOVES[event.key] + ids.length) % ids.length : -1;
    if (to < 0) return;
    event.preventDefault();
    show(ids[to]);
    buttons.get(ids[to]).focus();
  }

  /** Put a dot on a tab, or take it away. */
  function mark(id, isNew) {
    const button = buttons.get(id);
    if (isNew === Boolean(button.querySelector(".new"))) return;
    if (isNew) button.append(h("span", { class: "new" }, h("span", { class: "unseen" }, " (new messages)")));
    else button.querySelector(".new").remove();
  }

  return { show, mark };
}
