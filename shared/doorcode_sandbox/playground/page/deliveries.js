// The webhooks as they were sent and answered.

import { h } from "./dom.js";
import { json } from "./json.js";
import { clock } from "./message.js";
import { PLATFORMS } from "./platforms.js";

const NOTHING = "Nothing was sent yet. Write something as a stranger.";

/**
 * Entries for keyed(), newest first.
 * @param {import("./world.js").World} world
 * @returns {import("./types.js").Entry[]}
 */
export function deliveryEntries(world) {
  if (!world.deliveries.length) return [nothing(NOTHING)];
  return world.deliveries.map((delivery) => ({
    key: String(delivery.id),
    version: JSON.stringify(delivery),
    draw: () => drawn(delivery, world.reason(delivery.id)),
  }));
}

/** The entry of a list that is empty. */
export const nothing = (/** @type {string} */ text) => ({ key: "nothing", version: text, draw: () => h("p", { class: "nothing" }, text) });

/**
 * @param {import("./types.js").Delivery} delivery
 * @param {string} reason
 */
function drawn(delivery, reason) {
  const { id, platform, path, at, status, ms, signature, again_of: again, headers, body, answer, log } = delivery;
  const fits = Boolean(signature?.fits);
  const kind = signature?.kind ?? "no signature";
  // A press has no reason of the gate's: what was done is said instead.
  const decided = reason || (log ?? []).at(-1)?.message;
  return h(
    "details",
    { class: "entry", data: { part: `delivery ${id}`, delivery: String(id) } },
    h(
      "summary",
      {},
      h("span", { class: "dot", data: { platform }, "aria-hidden": "true" }),
      h("code", {}, path || `/${platform}`),
      again && h("span", { class: "chip", data: { tone: "info" } }, "again"),
      h("span", { class: "chip", data: { tone: fits ? "good" : "bad" } }, `${fits ? "✓" : "✗"} ${kind}`),
      decided && h("span", { class: "chip" }, decided),
      h("span", { class: "numbers" }, h("b", { data: { tone: status < 300 ? "good" : "bad" } }, String(status ?? "…")), ` ${Math.round(ms ?? 0)} ms`),
    ),
    h(
      "div",
      { class: "detail" },
      h("p", {}, `${clock(at, true)}. `, fits ? "The signature fits: " : "The signature does not fit: ", PLATFORMS[platform]?.PROOF ?? kind, "."),
      again && h("p", {}, "The same bytes as an earlier delivery, as a platform sends them when it heard no answer."),
      json("Headers", headers ?? {}),
      json("Body", body ?? ""),
      json("Our answer", answer ?? ""),
      (log ?? []).length > 0 && json("Log", log),
    ),
  );
}
