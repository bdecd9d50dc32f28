// One message of a chat: whose it is, what the platform's renderer makes of it, and what may be done with it.

import { h } from "./dom.js";
import { PLATFORMS } from "./platforms.js";

const HUES = 8;

/**
 * @typedef {import("./types.js").Message} Message
 * @typedef {import("./types.js").Button} Button
 */

/**
 * What a message is drawn by: where it stands, who looks at it, what people are called, what is on its way, and what
 * happens on the presses of it.
 * @typedef {object} Scenery
 * @property {string} platform
 * @property {string} viewer a person's id
 * @property {string} bot its name
 * @property {(id: string) => string} names empty where it is not known
 * @property {(id: string) => string} nameOf the id where it is not known
 * @property {Set<string>} busy
 * @property {(delivery: string) => string} reason
 * @property {(message: Message, button: Button, words?: string) => void} press
 * @property {(delivery: string) => void} redeliver
 * @property {(delivery: string) => void} inspect
 */

/**
 * The time of day, as people here write it.
 * @param {string} at
 * @param {boolean} [seconds]
 */
export function clock(at, seconds = false) {
  const time = new Date(at);
  /** @type {Intl.DateTimeFormatOptions} */
  const parts = { hour: "2-digit", minute: "2-digit", second: seconds ? "2-digit" : undefined };
  return Number.isNaN(time.getTime()) ? "" : time.toLocaleTimeString([], parts);
}

const first = (/** @type {string} */ name) => [...String(name).replace(/^[@\s]+/u, "")][0] ?? "?";

/**
 * A round or square picture of somebody: the first letter of the name, in a colour of its own.
 * @param {string} id
 * @param {string} name
 */
export function avatar(id, name) {
  const hue = [...String(id)].reduce((sum, sign) => (sum * 31 + (sign.codePointAt(0) ?? 0)) % HUES, 0);
  return h("span", { class: "avatar", data: { hue: id === "bot" ? "bot" : hue }, "aria-hidden": "true" }, first(name).toUpperCase());
}

/**
 * Draw a message.
 * @param {Message} message
 * @param {Scenery} context
 */
export function draw(message, context) {
  const { platform, viewer, bot, nameOf } = context;
  const isBot = message.from === "bot";
  const name = isBot ? bot : nameOf(message.from);
  const time = clock(message.at);
  const row = h(
    "article",
    {
      class: "message",
      data: { key: message.id, from: isBot ? "bot" : "person", mine: String(message.from === viewer) },
      "aria-label": `${name}, ${time}`,
    },
    avatar(message.from, name),
  );
  const byline = h(
    "div",
    { class: "byline" },
    h("span", { class: "who" }, name),
    isBot && h("span", { class: "badge" }, "app"),
    h("time", { datetime: message.at }, time),
  );
  const foot = h("span", { class: "foot" }, message.edited && h("span", { class: "edited" }, "edited"), h("time", { datetime: message.at }, time));
  const tools = { button: (/** @type {Button} */ one) => (one.asks ? field : button)(message, one, context), byline, foot, names: context.names, bot };
  row.append(
    h(
      "div",
      { class: "body" },
      PLATFORMS[platform]?.draw(message, tools),
      message.only_for && alone(platform, message.only_for === viewer ? "you" : nameOf(message.only_for)),
      isBot ? source(message) : ways(message, context),
    ),
  );
  return row;
}

/**
 * The line under what one person alone sees.
 * @param {string} platform
 * @param {string} who
 */
const alone = (platform, who) => h("div", { class: "alone" }, PLATFORMS[platform]?.alone?.(who) ?? `Only ${who} can see this`);

/**
 * @param {Message} message
 * @param {Button} one
 * @param {Scenery} context
 */
function button(message, one, { busy, press }) {
  const key = `${message.id} ${one.id}`;
  return h(
    "button",
    {
      type: "button",
      class: "press",
      data: { style: one.style || "plain", part: `button ${one.id}` },
      disabled: !one.id,
      "aria-busy": busy.has(key) ? "true" : null,
      onclick: () => !busy.has(key) && press(message, one),
    },
    one.text,
  );
}

/**
 * A field, and the button that sends what is typed there.
 * @param {Message} message
 * @param {Button} one
 * @param {Scenery} context
 */
function field(message, one, { busy, press }) {
  const words = h("input", { type: "text", "aria-label": one.asks, placeholder: one.asks, maxlength: 500, data: { part: `field ${one.id}` } });
  const sent = (/** @type {Event} */ event) => {
    event.preventDefault();
    const key = `${message.id} ${one.id}`;
    if (!busy.has(key)) press(message, one, words.value);
  };
  const send = h("button", { class: "press", data: { style: one.style || "plain", part: `button ${one.id}` }, disabled: !one.id }, one.text);
  return h("form", { class: "field", onsubmit: sent }, words, send);
}

/**
 * The call that made it, with its own fields.
 * @param {Message} message
 */
function source(message) {
  const call = message.call === "response" ? "in the webhook’s answer" : message.call;
  if (!call) return null;
  return h(
    "details",
    { class: "source", data: { part: "source" } },
    h("summary", {}, message.call === "response" ? call : h("code", {}, call)),
    h("pre", { tabindex: 0 }, JSON.stringify(message.shown, null, 2)),
  );
}

/**
 * @param {Message} message
 * @param {Scenery} context
 */
function ways({ delivery }, { redeliver, inspect, reason }) {
  if (!delivery) return null;
  const why = reason(delivery);
  return h(
    "div",
    { class: "ways" },
    h("button", { type: "button", data: { part: "again" }, title: "The platform delivers this again", onclick: () => redeliver(delivery) }, "↻ deliver again"),
    h("button", { type: "button", data: { part: "webhook" }, title: "Show the webhook that this was", onclick: () => inspect(delivery) }, why ? `webhook: ${why}` : "webhook"),
  );
}
