// Tabs that arrow keys move between: https://www.w3.org/WAI/ARIA/apg/patterns/tabs/

import { h } from "./dom.js";

/** @type {Record<string, number>} */
const MOVES = { ArrowRight: 1, ArrowLeft: -1 };

/**
 * Fill `list` with tabs for `entries`; `chosen(id)` is called after one was shown.
 * @param {HTMLElement} list
 * @param {{id: string, title: string, panel: HTMLElement}[]} entries
 * @param {(id: string) => void} chosen
 */
export function tabs(list, entries, chosen) {
  /** @type {Map<string, HTMLButtonElement>} */
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

  /** @param {string} id */
  function show(id) {
    for (const entry of entries) {
      const selected = entry.id === id;
      const button = buttons.get(entry.id);
      button?.setAttribute("aria-selected", String(selected));
      if (button) button.tabIndex = selected ? 0 : -1;
      entry.panel.hidden = !selected;
    }
    chosen(id);
  }

  /** @param {KeyboardEvent} event */
  function move(event) {
    const ids = entries.map((entry) => entry.id);
    const from = ids.findIndex((id) => buttons.get(id) === event.currentTarget);
    const by = MOVES[event.key];
    const to = event.key === "Home" ? 0 : event.key === "End" ? ids.length - 1 : by === undefined ? -1 : (from + by + ids.length) % ids.length;
    const id = ids[to];
    if (id === undefined) return;
    event.preventDefault();
    show(id);
    buttons.get(id)?.focus();
  }

  /**
   * Put a dot on a tab, or take it away.
   * @param {string} id
   * @param {boolean} isNew
   */
  function mark(id, isNew) {
    const button = buttons.get(id);
    const dot = button?.querySelector(".new");
    if (!isNew) dot?.remove();
    else if (!dot) button?.append(h("span", { class: "new" }, h("span", { class: "unseen" }, " (new messages)")));
  }

  return { show, mark };
}
