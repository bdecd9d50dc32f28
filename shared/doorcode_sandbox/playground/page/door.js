// "Behind the door": the webhooks, the table, the agent, the events, the log, and the commands that do the same.

import { commands } from "./commands.js";
import { deliveryEntries } from "./deliveries.js";
import { h, keyed } from "./dom.js";
import { conversationEntries, eventEntries, itemEntries, logEntries } from "./inside.js";
import { tabs } from "./tabs.js";

/** @type {[id: string, title: string, text: string][]} */
const PARTS = [
  ["webhooks", "Webhooks", "What the platforms sent to the edge, newest first: whether the signature fits, and what was answered within the response."],
  ["table", "Table", "Every item of the one DynamoDB table. A person the bot does not know has none. No code is stored: it is computed from the nonce."],
  ["agent", "Agent", "What the agent was given and what it answered, by conversation, as it remembers them: the latest first."],
  ["events", "Events", "What was published on the EventBridge bus, newest first. No code, name or text in it: attach your own consumers."],
  ["log", "Log", "What the functions logged, newest first. Every drop has one reason; texts and codes are never repeated."],
  ["commands", "Commands", "The same decisions from a terminal. They follow the person shown on the left."],
];

/**
 * Fill the aside `root`; `opened` is called whenever there is need of news.
 * @param {HTMLElement} root
 * @param {import("./world.js").World} world
 * @param {{opened: () => void, closed: () => void}} hooks
 */
export function door(root, world, { opened, closed }) {
  /** @type {Map<string, HTMLElement>} */
  const lists = new Map();
  const panels = PARTS.map(([id, title, text]) => {
    const list = h("div", { class: "door-list" });
    lists.set(id, list);
    const panel = h("section", { class: "door-panel", id: `door-${id}-panel` }, h("p", { class: "caption" }, text), list);
    return { id: `door-${id}`, title, panel };
  });
  const bar = h("div", { class: "door-tabs", role: "tablist", "aria-label": "Behind the door" });
  const close = h("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: () => toggle(false) }, "×");
  root.append(
    h("header", {}, h("h2", { id: "door-title" }, "Behind the door"), close),
    bar,
    h("div", { class: "door-body" }, panels.map(({ panel }) => panel)),
  );
  const choice = tabs(bar, panels, () => isOpen() && opened());
  /** @type {string | null} */
  let selected = null;
  choice.show("door-webhooks");

  function isOpen() {
    return !root.hidden;
  }

  /** Open or close it; brought into view where it opens below the chats, unless it only stays open. */
  function toggle(open = root.hidden, bring = open) {
    root.hidden = !open;
    document.body.dataset.door = open ? "open" : "closed";
    if (open) {
      world.did.add("looked");
      opened();
    } else closed();
    if (bring && matchMedia("(max-width: 899px)").matches) root.scrollIntoView();
  }

  /**
   * @param {string} id
   * @param {import("./types.js").Entry[]} entries
   */
  function fill(id, entries) {
    const list = lists.get(id);
    if (list) keyed(list, entries);
  }

  /**
   * Show one webhook, opened. It is scrolled to once it is there.
   * @param {string} delivery
   */
  function inspect(delivery) {
    selected = delivery;
    toggle(true);
    choice.show("door-webhooks");
    update(null);
  }

  /** @param {import("./types.js").Person | null | undefined} subject whom the commands are about; null: as before */
  function update(subject) {
    if (!isOpen()) return;
    fill("webhooks", deliveryEntries(world));
    fill("table", itemEntries(world.inside.items));
    fill("agent", conversationEntries(world.inside.conversations));
    fill("events", eventEntries(world.inside.events));
    fill("log", logEntries(world.inside.log));
    if (subject !== null) fill("commands", commands(subject, subject && world.contact(subject.platform, subject.id), world.scene));
    /** @type {HTMLDetailsElement | null | undefined} */
    const found = selected === null ? null : lists.get("webhooks")?.querySelector(`[data-delivery="${CSS.escape(selected)}"]`);
    if (!found) return;
    selected = null;
    found.open = true;
    found.scrollIntoView({ block: "nearest" });
    found.querySelector("summary")?.focus({ preventScroll: true });
  }

  return { toggle, inspect, update, isOpen };
}
