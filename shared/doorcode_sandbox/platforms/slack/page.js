// Slack's messages, from the fields of chat.postMessage: https://docs.slack.dev/messaging/formatting-message-text

import { h } from "./dom.js";
import { inline, link, mention } from "./spans.js";

export const TITLE = "Slack";
export const PLACEHOLDER = "Message Doorcode as";
export const PROOF = "HMAC-SHA256 with the signing secret over v0:timestamp:raw body";
export const BOT_ID = "U0DOORCODE";
export const alone = (who) => `Only visible to ${who}`;

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };
const unescaped = (text) => text.replace(/&(?:lt|gt|amp);/g, (found) => ENTITIES[found]);

// What stands between < and >: a person, a channel, everyone, or a link.
function tag([, inside], _inner, { names }) {
  const [target, label] = inside.split("|", 2).map(unescaped);
  if (target.startsWith("@")) return mention(`@${names?.(target.slice(1)) || label || target.slice(1)}`);
  if (target.startsWith("#")) return mention(`#${label || target.slice(1)}`);
  if (target.startsWith("!")) return mention(`@${label || target.slice(1)}`);
  return link(target, label || target);
}

const TAG = [/<([^<>\n]+)>/, tag];
// A pair of signs counts at the edges of words only.
const pair = (sign) => new RegExp(`(?<![\\p{L}\\p{N}${sign}])[${sign}](?=\\S)([^${sign}\\n]*?)(?<=\\S)[${sign}](?![\\p{L}\\p{N}${sign}])`);
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

/** Return a text as Slack draws it: mrkdwn, or plain with only the tags. */
export const marked = (text, isMrkdwn = true, context = {}) => (isMrkdwn ? mrkdwn : plain)(text, context);

function words(object, context) {
  const text = String(object?.text ?? "");
  return object?.type === "plain_text" ? text : marked(text, true, context);
}

// What people type comes as rich text: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
const STYLES = { bold: "strong", italic: "em", strike: "s", code: "code" };
const RICH = {
  text: (one) => String(one.text ?? ""),
  user: (one, { names }) => mention(`@${names?.(one.user_id) || one.user_id}`),
  channel: (one) => mention(`#${one.channel_id}`),
  broadcast: (one) => mention(`@${one.range}`),
  emoji: (one) => `:${one.name}:`,
  link: (one) => link(String(one.url ?? ""), String(one.text || one.url || "")),
};

function rich(part, context) {
  if (Array.isArray(part.elements)) return h("div", { class: "text" }, part.elements.map((one) => rich(one, context)));
  const shown = (RICH[part.type] ?? RICH.text)(part, context);
  return Object.keys(STYLES).reduce((inner, style) => (part.style?.[style] ? h(STYLES[style], {}, inner) : inner), shown);
}

/** A row: the blocks where there are any, else the text. The n-th `actions` block holds the n-th row of buttons. */
export function draw({ shown, buttons, from }, { button, byline, foot, names }) {
  const rows = [...(buttons ?? [])];
  const context = { names };
  const actions = () => h("div", { class: "actions" }, (rows.shift() ?? []).map(button));
  const kinds = {
    section: (block) => [
      block.text && h("div", { class: "text" }, words(block.text, context)),
      (block.fields ?? []).map((field) => h("div", { class: "text field" }, words(field, context))),
    ],
    header: (block) => h("div", { class: "text heading" }, words(block.text, context)),
    context: (block) => h("div", { class: "small" }, (block.elements ?? []).map((one) => h("span", {}, words(one, context)))),
    rich_text: (block) => (block.elements ?? []).map((part) => rich(part, context)),
    divider: () => h("hr"),
    actions,
  };
  const blocks = Array.isArray(shown.blocks) ? shown.blocks : [];
  const text = String(shown.text ?? "");
  const body = blocks.length
    ? blocks.map((block) => (kinds[block.type] ?? (() => h("div", { class: "small" }, `[${block.type}]`)))(block))
    : h("div", { class: "text" }, from === "bot" ? marked(text, shown.mrkdwn !== false, context) : text);
  return [byline, body, rows.map((row) => h("div", { class: "actions" }, row.map(button))), foot];
}
