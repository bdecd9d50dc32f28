// What passes: answers to presses, and failures. An alert stays until it is closed, as an app's does.

import { h } from "./dom.js";

const SHOWN_MS = 7000;
const MOST = 3;

/** A place for toasts: `show(text, {title, alert})`. Reading (pointer or focus on it) holds a passing one. */
export function toasts() {
  const element = h("div", { class: "toasts", role: "status" });
  /**
   * @param {string} text
   * @param {{title?: string, alert?: boolean}} [how]
   */
  function show(text, { title = "", alert = false } = {}) {
    const toast = h(
      "div",
      { class: "toast", data: { alert: String(alert) } },
      h("div", {}, title && h("strong", {}, title), h("span", {}, text)),
      h("button", { type: "button", "aria-label": alert ? null : "Dismiss", onclick: () => toast.remove() }, alert ? "OK" : "×"),
    );
    element.append(toast);
    while (element.children.length > MOST) element.firstChild?.remove();
    if (alert) return;
    const leave = () => (toast.matches(":hover, :focus-within") ? setTimeout(leave, SHOWN_MS / 4) : toast.remove());
    setTimeout(leave, SHOWN_MS);
  }
  return { element, show };
}
