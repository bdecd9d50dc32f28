// Telegram's messages, from the fields of sendMessage: https://core.telegram.org/bots/api#messageentity

import { h } from "./dom.js";
import { link, mention } from "./spans.js";

export const TITLE = "Telegram";
export const PLACEHOLDER = "Message as";
export const PROOF = "the header X-Telegram-Bot-Api-Secret-Token repeats our secret";

/**
 * @typedef {import("./types.js").Child} Child
 * @typedef {{type: string, offset: number, length: number, url?: string}} Entity
 */

/** @type {Record<string, (shown: Child, entity: Entity) => Child>} */
const ENTITIES = {
  bold: (shown) => h("strong", {}, shown),
  italic: (shown) => h("em", {}, shown),
  underline: (shown) => h("u", {}, shown),
  strikethrough: (shown) => h("s", {}, shown),
  spoiler: (shown) => h("span", { class: "spoiler", tabindex: 0 }, shown),
  code: (shown) => h("code", {}, shown),
  pre: (shown) => h("pre", {}, shown),
  blockquote: (shown) => h("blockquote", {}, shown),
  text_link: (shown, entity) => link(String(entity.url ?? ""), shown),
  text_mention: mention,
  mention,
};

/**
 * Return a text with its entities drawn. Their offsets count UTF-16 code units, as JavaScript does.
 * @param {string} text
 * @param {Entity[]} [entities]
 */
export function marked(text, entities = []) {
  const sorted = entities
    .filter((entity) => Number.isInteger(entity.offset) && Number.isInteger(entity.length) && entity.length > 0)
    .map((entity) => ({ ...entity, end: entity.offset + entity.length }))
    .sort((one, other) => one.offset - other.offset || other.end - one.end);
  return span(text, sorted, 0, text.length);
}

/**
 * @param {string} text
 * @param {(Entity & {end: number})[]} entities
 * @param {number} start
 * @param {number} end
 */
function span(text, entities, start, end) {
  /** @type {Child[]} */
  const nodes = [];
  let at = start;
  for (const [index, entity] of entities.entries()) {
    if (entity.offset < at || entity.end > end) continue;
    nodes.push(text.slice(at, entity.offset));
    const inner = entities.slice(index + 1).filter((other) => other.end <= entity.end);
    const draw = ENTITIES[entity.type] ?? ((/** @type {Child} */ shown) => link(text.slice(entity.offset, entity.end), shown));
    nodes.push(draw(span(text, inner, entity.offset, entity.end), entity));
    at = entity.end;
  }
  nodes.push(text.slice(at, end));
  return nodes;
}

/**
 * A bubble, and under it the inline keyboard.
 * @type {import("./types.js").Draw}
 */
export function draw({ shown, buttons }, { button, byline, foot }) {
  const text = String(shown.text ?? "");
  return [
    h("div", { class: "bubble" }, byline, h("div", { class: "text" }, marked(text, shown.entities ?? [])), foot),
    buttons.length > 0 &&
      h("div", { class: "keyboard" }, buttons.map((row) => h("div", { class: "keys" }, row.map(button)))),
  ];
}
