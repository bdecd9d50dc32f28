// The table's items, what the agent remembers, the events and the log.

import { nothing } from "./deliveries.js";
import { h } from "./dom.js";
import { json } from "./json.js";
import { clock } from "./message.js";

/**
 * @typedef {import("./types.js").Item} Item
 * @typedef {import("./types.js").Entry} Entry
 */

/** @type {Record<string, string>} */
const TONES = { paired: "good", pending: "info", blocked: "bad", denied: "bad" };
/** @type {[title: string, belongs: (item: Item) => boolean, text: string][]} */
const KINDS = [
  ["Contacts", (item) => item.sk === "contact", "One person on one platform, and how they stand."],
  ["Prompts", (item) => String(item.pk).startsWith("prompts#"), "Where each owner was asked, so that it can be closed wherever the decision is made."],
  ["Seats", (item) => String(item.pk).startsWith("seats#"), "A request holds a seat; a decision or expiry frees it. A full room costs paired people nothing."],
  ["Others", () => true, "Lockouts, sign-in links, sessions, tokens, budgets: each ends by itself."],
];

/**
 * Entries for keyed(): the items, by what they are.
 * @param {Item[]} items
 * @returns {Entry[]}
 */
export function itemEntries(items) {
  if (!items.length) return [nothing("The table is empty: nobody has written yet.")];
  const rest = new Set(items);
  return KINDS.flatMap(([title, belongs, text]) => {
    const found = [...rest].filter(belongs);
    for (const item of found) rest.delete(item);
    if (!found.length) return [];
    const heading = { key: `kind ${title}`, version: "", draw: () => h("h3", { title: text }, title, h("span", {}, text)) };
    return [heading, ...found.map((item) => ({ key: `item ${item.pk} ${item.sk}`, version: JSON.stringify(item), draw: () => drawnItem(item) }))];
  });
}

/** @param {Item} item */
function drawnItem(item) {
  const seat = String(item.pk).startsWith("seats#") && (item.freed_at ? "free" : "held");
  const said = item.state ?? (seat || "");
  return h(
    "details",
    { class: "entry", data: { part: `item ${item.pk} ${item.sk}` } },
    h("summary", {}, h("code", {}, String(item.pk)), h("code", { class: "faint" }, String(item.sk)), said && h("span", { class: "chip", data: { tone: TONES[said] ?? "" } }, String(said))),
    h("div", { class: "detail" }, json("Item", item)),
  );
}

/**
 * Entries for keyed(): the agent's conversations, each with its turns.
 * @param {import("./types.js").Conversation[]} conversations
 * @returns {Entry[]}
 */
export function conversationEntries(conversations) {
  if (!conversations.length) return [nothing("The agent was given nothing yet: nobody who is let in has written.")];
  return conversations.map((one, number) => ({
    key: `conversation ${one.conversation}`,
    version: JSON.stringify(one),
    draw: () =>
      h(
        "details",
        // The one that goes on is what somebody looks for.
        { class: "entry", open: number === 0, data: { part: `conversation ${one.conversation}` } },
        h("summary", {}, h("code", {}, one.conversation), h("span", { class: "numbers" }, `${one.turns.length} turns`)),
        h(
          "dl",
          { class: "turns" },
          one.turns.flatMap(({ role, text }) => [h("dt", {}, role === "user" ? "given" : "answered"), h("dd", {}, text)]),
        ),
      ),
  }));
}

/**
 * @template {{at: string}} T
 * @param {T[]} list
 */
const newestFirst = (list) => list.map((entry, number) => ({ entry, number })).sort((one, other) => Date.parse(other.entry.at) - Date.parse(one.entry.at) || other.number - one.number);

/**
 * Entries for keyed(): the events, newest first.
 * @param {import("./types.js").Published[]} events
 * @returns {Entry[]}
 */
export function eventEntries(events) {
  if (!events.length) return [nothing("No event yet. A new request is the first.")];
  return newestFirst(events).map(({ entry, number }) => ({
    key: `event ${entry.at} ${number}`,
    version: JSON.stringify(entry),
    draw: () =>
      h(
        "details",
        { class: "entry", data: { part: `event ${number}` } },
        h("summary", {}, h("code", {}, String(entry["detail-type"])), entry.detail?.platform && h("span", { class: "chip" }, `${entry.detail.platform} ${entry.detail.user_id ?? ""}`), h("span", { class: "numbers" }, clock(entry.at))),
        h("div", { class: "detail" }, json("Detail", entry.detail ?? {})),
      ),
  }));
}

/**
 * Entries for keyed(): the log's lines, newest first.
 * @param {import("./types.js").Line[]} log
 * @returns {Entry[]}
 */
export function logEntries(log) {
  if (!log.length) return [nothing("Nothing was logged yet.")];
  return newestFirst(log).map(({ entry, number }) => ({
    key: `line ${entry.at} ${entry.function} ${number}`,
    version: JSON.stringify(entry),
    draw: () => drawnLine(entry, number),
  }));
}

/**
 * @param {import("./types.js").Line} line
 * @param {number} number
 */
function drawnLine(line, number) {
  const level = String(line.level ?? "").toUpperCase();
  const tone = level === "ERROR" || level === "CRITICAL" ? "bad" : level === "WARNING" || level === "WARN" ? "warn" : "";
  return h(
    "details",
    { class: "entry", data: { part: `line ${line.at} ${number}` } },
    h(
      "summary",
      {},
      h("code", {}, String(line.function ?? "")),
      tone && h("span", { class: "chip", data: { tone } }, level.toLowerCase()),
      h("span", { class: "words" }, String(line.message ?? "")),
      line.reason && h("span", { class: "chip" }, String(line.reason)),
      h("span", { class: "numbers" }, clock(line.at)),
    ),
    h("div", { class: "detail" }, json("Line", line)),
  );
}
