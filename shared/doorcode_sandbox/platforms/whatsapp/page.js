// WhatsApp's messages, from the fields of the Cloud API: https://faq.whatsapp.com/539178204879377

import { h } from "./dom.js";
import { inline, link } from "./spans.js";

export const TITLE = "WhatsApp";
export const PLACEHOLDER = "Message as";
export const PROOF = "HMAC-SHA256 by the app secret over the raw body";

/**
 * A pair of signs around words, which counts only where words begin and end.
 * @param {string} sign
 * @param {(inner: import("./types.js").Child[]) => import("./types.js").Child} element
 * @returns {import("./types.js").Rule}
 */
const around = (sign, element) => [
  new RegExp(String.raw`(?<![\w${sign}])${sign}(?=\S)([^\n]+?)(?<=\S)${sign}(?![\w${sign}])`),
  ([, text], inner) => element(inner(text)),
];

const markup = inline([
  [/```([^`]+)```/, ([, code]) => h("pre", {}, code)],
  [/`([^`\n]+)`/, ([, code]) => h("code", {}, code)],
  [/https?:\/\/[^\s<>]+/, ([address]) => link(address)],
  around(String.raw`\*`, (text) => h("strong", {}, text)),
  around("_", (text) => h("em", {}, text)),
  around("~", (text) => h("s", {}, text)),
  [/^> ([^\n]*)\n?/, ([, text], inner) => h("blockquote", {}, inner(text))],
]);

/**
 * Return a text as WhatsApp draws it.
 * @param {string} text
 */
export const marked = (text) => markup(text);

/** @param {Record<string, any>} shown */
export const textOf = (shown) => String(shown.drawn?.text ?? shown.interactive?.body?.text ?? shown.text?.body ?? shown.text ?? "");

/**
 * A bubble, and in it the buttons, each on a line of its own.
 * @type {import("./types.js").Draw}
 */
export function draw({ shown, buttons }, { button, byline, foot }) {
  return [
    h(
      "div",
      { class: "bubble" },
      byline,
      shown.quoted && h("div", { class: "quoted" }, String(shown.quoted)),
      h("div", { class: "text" }, marked(textOf(shown))),
      shown.interactive?.footer && h("div", { class: "small" }, String(shown.interactive.footer.text)),
      foot,
      buttons.length > 0 && h("div", { class: "replies" }, buttons.flat().map(button)),
    ),
  ];
}
