// Slack's messages, from the fields of chat.postMessage: https://docs.slack.dev/messaging/formatting-message-text

import { h } from "./dom.js";
import { inline, link, mention } from "./spans.js";

export const TITLE = "Slack";
export const PLACEHOLDER = "Message Doorcode as";
export const PROOF = "HMAC-SHA256 with the signing secret over v0:timestamp:raw body";
export const BOT_ID = "U0DOORCODE";
export const alone = (/** @type {string} */ who) => `Only visible to ${who}`;

/**
 * @typedef {import("./types.js").Context} Context
 * @typedef {Record<string, any>} Block
 */

/** @type {Record<string, string>} */
const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };
const unescaped = (/** @type {string} */ text) => text.replace(/&(?:lt|gt|amp);/g, (found) => ENTITIES[found] ?? found);

/**
 * What stands between < and >: a person, a channel, everyone, or a link.
 * @type {import("./types.js").Rule[1]}
 */
function tag([, inside], _inner, { names }) {
  const [target = "", label] = inside.split("|", 2).map(unescaped);
  if (target.startsWith("@")) return mention(`@${names?.(target.slice(1)) || label || target.slice(1)}`);
  if (target.startsWith("#")) return mention(`#${label || target.slice(1)}`);
  if (target.startsWith("!")) return mention(`@${label || target.slice(1)}`);
  return link(target, label || target);
}

/** @type {import("./types.js").Rule} */
const TAG = [/<([^<>\n]+)>/, tag];
// A pair of signs counts at the edges of words only.
const pair = (/** @type {string} */ sign) => new RegExp(`(?<![\\p{L}\\p{N}${sign}])[${sign}](?=\\S)([^${sign}\\n]*?)(?<=\\S)[${sign}](?![\\p{L}\\p{N}${sign}])`);
const mrkdwn = inline(
  [
    [/```([^`]+)```/, ([, code]) => h("pre", {}, unescaped(code.trim()))],
    [/`([^`\n]+)`/, ([, code]) => h("code", {}, unescaped(code))],
    TAG,
    [pair("*"), ([, text], inner) => h("strong", {}, inner(text))],
    [pair("_"), ([, text], inner) => h("em", {}, inner(text))],
    [pair("~"), ([, text], inner) => h("s", {}, inner(text))],
    [/^&gt; ?([^\n]*)\n?/, ([, text], inner) => h("blockquote", {}, inner(text))],
  ],
  unescaped,
);
const plain = inline([TAG], unescaped);

/**
 * Return a text as Slack draws it: mrkdwn, or plain with only the tags.
 * @param {string} text
 * @param {boolean} [isMrkdwn]
 * @param {Context} [context]
 */
export const marked = (text, isMrkdwn = true, context = {}) => (isMrkdwn ? mrkdwn : plain)(text, context);

/**
 * @param {Block | undefined} object
 * @param {Context} context
 */
function words(object, context) {
  const text = String(object?.text ?? "");
  return object?.type === "plain_text" ? text : marked(text, true, context);
}

// What people type comes as rich text: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
/** @type {Record<string, "strong" | "em" | "s" | "code">} */
const STYLES = { bold: "strong", italic: "em", strike: "s", code: "code" };
/** @satisfies {Record<string, (one: Block, context: Context) => import("./types.js").Child>} */
const RICH = {
  text: (one) => String(one.text ?? ""),
  user: (one, { names }) => mention(`@${names?.(one.user_id) || one.user_id}`),
  channel: (one) => mention(`#${one.channel_id}`),
  broadcast: (one) => mention(`@${one.range}`),
  emoji: (one) => `:${one.name}:`,
  link: (one) => link(String(one.url ?? ""), String(one.text || one.url || "")),
};

/**
 * @param {Block} part
 * @param {Context} context
 * @returns {import("./types.js").Child}
 */
function rich(part, context) {
  if (Array.isArray(part.elements)) return h("div", { class: "text" }, part.elements.map((/** @type {Block} */ one) => rich(one, context)));
  const shown = (Object.hasOwn(RICH, part.type) ? RICH[/** @type {keyof typeof RICH} */ (part.type)] : RICH.text)(part, context);
  return Object.entries(STYLES).reduce((inner, [style, tag]) => (part.style?.[style] ? h(tag, {}, inner) : inner), shown);
}

/**
 * A row: the blocks where there are any, else the text. The n-th block of `actions` or `input` holds the n-th row of buttons.
 * @type {import("./types.js").Draw}
 */
export function draw({ shown, buttons, from }, { button, byline, foot, names }) {
  const rows = [...buttons];
  const context = { names };
  const actions = () => h("div", { class: "actions" }, (rows.shift() ?? []).map(button));
  /** @type {Record<string, (block: Block) => import("./types.js").Child>} */
  const kinds = {
    section: (block) => [
      block.text && h("div", { class: "text" }, words(block.text, context)),
      (block.fields ?? []).map((/** @type {Block} */ field) => h("div", { class: "text field" }, words(field, context))),
    ],
    header: (block) => h("div", { class: "text heading" }, words(block.text, context)),
    context: (block) => h("div", { class: "small" }, (block.elements ?? []).map((/** @type {Block} */ one) => h("span", {}, words(one, context)))),
    rich_text: (block) => (block.elements ?? []).map((/** @type {Block} */ part) => rich(part, context)),
    divider: () => h("hr"),
    actions,
    input: actions,
  };
  /** @type {Block[]} */
  const blocks = Array.isArray(shown.blocks) ? shown.blocks : [];
  const text = String(shown.text ?? "");
  const body = blocks.length
    ? blocks.map((block) => (kinds[block.type] ?? (() => h("div", { class: "small" }, `[${block.type}]`)))(block))
    : h("div", { class: "text" }, from === "bot" ? marked(text, shown.mrkdwn !== false, context) : text);
  return [byline, body, rows.map((row) => h("div", { class: "actions" }, row.map(button))), foot];
}
