// Discord's messages, from the fields of a message: https://docs.discord.com/developers/reference#message-formatting

import { h } from "./dom.js";
import { inline, link, mention } from "./spans.js";

export const TITLE = "Discord";
export const PLACEHOLDER = "as";
export const PROOF = "Ed25519 by the application’s key over timestamp and raw body";
// A bot hears only its command, so what is typed becomes `/chat message:…`.
export const COMMAND = { name: "/chat", option: "message:" };

const LETTERS = String.raw`(?:\\[^]|[^\\])+?`;
/**
 * @param {string} sign
 * @param {(inner: import("./types.js").Child[]) => import("./types.js").Child} element
 * @returns {import("./types.js").Rule}
 */
const around = (sign, element) => [
  new RegExp(`${sign}(?=\\S)(${LETTERS})(?<=\\S)${sign}`),
  ([, text], inner) => element(inner(text)),
];

const markdown = inline([
  [/\\([^A-Za-z0-9\s])/, ([, sign]) => sign],
  [/```(?:[a-z]*\n)?([^`]+)```/, ([, code]) => h("pre", {}, code)],
  [/`([^`\n]+)`/, ([, code]) => h("code", {}, code)],
  [/<@[!&]?([0-9]+)>/, ([, id], _inner, { names }) => mention(`@${names?.(id) || id}`)],
  [/<#([0-9]+)>/, ([, id]) => mention(`#${id}`)],
  [/<a?:(\w+):[0-9]+>/, ([, name]) => `:${name}:`],
  [/<\/([^:>\n]+):[0-9]+>/, ([, name]) => mention(`/${name}`)],
  [/<t:(-?[0-9]{1,12})(?::[a-zA-Z])?>/, ([, seconds]) => h("time", {}, new Date(Number(seconds) * 1000).toLocaleString())],
  [/@(?:everyone|here)\b/, ([all]) => mention(all)],
  [/\[([^\]\n]+)\]\((https?:[^)\s]+)\)/, ([, label, address]) => link(address, label)],
  [/https?:\/\/[^\s<>]+/, ([address]) => link(address)],
  around("\\*\\*", (text) => h("strong", {}, text)),
  around("__", (text) => h("u", {}, text)),
  around("~~", (text) => h("s", {}, text)),
  around("\\|\\|", (text) => h("span", { class: "spoiler", tabindex: 0 }, text)),
  around("\\*", (text) => h("em", {}, text)),
  [/(?<!\w)_(?=\S)((?:\\[^]|[^\\_])+?)(?<=\S)_(?!\w)/, ([, text], inner) => h("em", {}, inner(text))],
  [/^-# ([^\n]+)/, ([, text], inner) => h("small", {}, inner(text))],
  [/^#{1,3} ([^\n]+)/, ([, text], inner) => h("strong", { class: "heading" }, inner(text))],
  [/^> ([^\n]*)\n?/, ([, text], inner) => h("blockquote", {}, inner(text))],
]);

/**
 * Return a content as Discord draws it.
 * @param {string} text
 * @param {import("./types.js").Context} [context]
 */
export const marked = (text, context = {}) => markdown(text, context);

/**
 * @param {Record<string, any>} shown
 * @param {import("./types.js").Context} context
 */
function embed(shown, context) {
  const text = (/** @type {unknown} */ value) => value ? marked(String(value), context) : null;
  const card = h(
    "div",
    { class: "embed" },
    shown.author?.name && h("div", { class: "small" }, String(shown.author.name)),
    shown.title && h("div", { class: "heading" }, text(shown.title)),
    shown.description && h("div", { class: "text" }, text(shown.description)),
    (shown.fields ?? []).map((/** @type {Record<string, unknown>} */ field) =>
      h("div", { class: "text field" }, h("strong", {}, text(field.name)), h("div", {}, text(field.value))),
    ),
    shown.footer?.text && h("div", { class: "small" }, String(shown.footer.text)),
  );
  if (Number.isInteger(shown.color)) {
    card.style.setProperty("--stripe", `#${(shown.color & 0xffffff).toString(16).padStart(6, "0")}`);
  }
  return card;
}

/**
 * A row: content, embeds, rows of components. A deferred answer thinks until it is edited.
 * @type {import("./types.js").Draw}
 */
export function draw({ shown, buttons, deferred, from }, { button, byline, foot, names, bot }) {
  const context = { names };
  const content = String(shown.content ?? shown.title ?? shown.text ?? "");
  const thinking = h("div", { class: "thinking" }, `${bot} is thinking`, h("span", { class: "dots", "aria-hidden": "true" }, "…"));
  const said = from === "bot" ? marked(content, context) : content;
  return [
    byline,
    deferred ? thinking : h("div", { class: "text" }, said),
    (shown.embeds ?? []).map((/** @type {Record<string, any>} */ one) => embed(one, context)),
    buttons.map((row) => h("div", { class: "actions" }, row.map(button))),
    foot,
  ];
}
