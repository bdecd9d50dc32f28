// Values as JSON that can be read and copied.

import { copier, h } from "./dom.js";

const TOKENS = /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|(-?\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b)/g;

/**
 * A JSON text is shown as what it says; anything else as it is.
 * @param {unknown} value
 * @returns {string}
 */
function readable(value) {
  if (typeof value !== "string") return JSON.stringify(value, null, 2) ?? "";
  try {
    const found = JSON.parse(value);
    return typeof found === "object" && found !== null ? JSON.stringify(found, null, 2) : value;
  } catch {
    return value;
  }
}

/** @param {string} text */
function coloured(text) {
  /** @type {import("./types.js").Child[]} */
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(TOKENS)) {
    nodes.push(text.slice(at, match.index));
    const [all, quoted, colon, word] = match;
    const kind = colon ? "name" : quoted ? "quoted" : word ? "word" : "number";
    nodes.push(h("span", { class: `json-${kind}` }, quoted ?? all), colon ?? "");
    at = match.index + all.length;
  }
  nodes.push(text.slice(at));
  return nodes;
}

/**
 * A titled box with a value and a button that copies it.
 * @param {string} title
 * @param {unknown} value
 */
export function json(title, value) {
  const text = readable(value);
  if (!text) return h("div", { class: "json" }, h("div", { class: "json-title" }, title, h("span", { class: "nothing" }, "empty")));
  const isJson = /^[[{]/.test(text);
  return h(
    "div",
    { class: "json" },
    h("div", { class: "json-title" }, title, copier(text)),
    h("pre", { tabindex: 0, "aria-label": title }, isJson ? coloured(text) : text),
  );
}
