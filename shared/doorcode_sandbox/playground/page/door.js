// "Behind the door": the webhooks, the table, the events, the log, and the commands that do the same.

import { commands } from "./commands.js";
import { deliveryEntries } from "./deliveries.js";
import { h, keyed } from "./dom.js";
import { eventEntries, itemEntries, logEntries } from "./inside.js";
import { tabs } from "./tabs.js";

const PARTS = [
  ["webhooks", "Webhooks", "What the platforms sent to the edge, newest first: whether the signature fits, and what was answered within the response."],
  ["table", "Table", "Every item of the one DynamoDB table. A person the bot does not know has none. No code is stored: it is computed from the nonce."],
  ["events", "Events", "What was published on the EventBridge bus, newest first. No code, name or text in it: attach your own consumers."],
  ["log", "Log", "What the functions logged, newest first. Every drop has one reason; texts and codes are never repeated."],
  ["commands", "Commands", "The same decisions from a terminal. They follow the person shown on the left."],
];

/** Fill the aside `root`; `opened` is called whenever there is need of news. */
export function door(root, world, { opened, closed }) {
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

  /** Show one webhook, opened. It is scrolled to once it is there. */
  function inspect(delivery) {
    selected = delivery;
    toggle(true);
    choice.show("door-webhooks");
    update(null);
  }

  function update(subject) {
    if (!isOpen()) return;
    keyed(lists.get("webhooks"), deliveryEntries(world));
    keyed(lists.get("table"), itemEntries(world.inside.items));
    keyed(lists.get("events"), eventEntries(world.inside.events));
    keyed(lists.get("log"), logEntries(world.inside.log));
    if (subject !== null) keyed(lists.get("commands"), commands(subject, world.contact(subject?.platform, subject?.id), world.scene));
    const found = selected && lists.get("webhooks").querySelector(`[data-delivery="${CSS.escape(selected)}"]`);
    if (!found) return;
    selected = null;
    found.open = true;
    found.scrollIntoView({ block: "nearest" });
    found.querySelector("summary").focus({ preventScroll: true });
  }

  return { toggle, inspect, update, isOpen };
}
