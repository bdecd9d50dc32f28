// "Try this": a few steps that tick themselves off as they happen.

import { h, keyed } from "./dom.js";
import { PLATFORMS } from "./platforms.js";

const HIDDEN = "doorcode-guide-hidden";

/**
 * @typedef {import("./world.js").World} World
 * @typedef {import("./types.js").Chat} Chat
 * @typedef {import("./types.js").Message} Message
 * @typedef {{id: string, title: string, hint: string, done: (world: World) => boolean}} Step
 */

const directChats = (/** @type {World} */ world) =>
  world.scene.chats.flatMap((chat) => {
    const [member = ""] = chat.kind === "direct" ? chat.members : [];
    const person = world.person(chat.platform, member);
    return person?.role === "stranger" ? [{ chat, person }] : [];
  });
const isAnswer = (/** @type {Message} */ message) => message.from === "bot" && !message.deferred;
const textOf = (/** @type {Chat} */ chat, /** @type {Message} */ { shown }) =>
  PLATFORMS[chat.platform]?.textOf?.(shown) ?? String(shown?.text ?? shown?.content ?? "");
const approvedAt = (/** @type {Chat} */ chat) => chat.messages.findIndex((message) => isAnswer(message) && textOf(chat, message).startsWith("You've been approved!"));

/**
 * What to do, why it is worth it, and how to see that it happened.
 * @type {Step[]}
 */
const STEPS = [
  {
    id: "asked",
    title: "Write as the stranger",
    hint: "Type anything in the stranger’s chat and press Enter. The bot turns them away and asks the owner.",
    done: (world) => directChats(world).some(({ chat, person }) => chat.messages.some((message) => message.from === person.id)),
  },
  {
    id: "approved",
    title: "Approve as the owner",
    hint: "The owner was asked with buttons, in their own chat. What the stranger is told comes by itself.",
    done: (world) =>
      world.inside.items.some((item) => item.sk === "contact" && item.state === "paired") ||
      world.inside.events.some((event) => event["detail-type"] === "pairing_approved") ||
      directChats(world).some(({ chat }) => approvedAt(chat) >= 0),
  },
  {
    id: "talked",
    title: "Write again",
    hint: "The same stranger, now let in: the message goes straight to the agent, which answers.",
    done: (world) =>
      directChats(world).some(({ chat, person }) => {
        const later = chat.messages.slice(approvedAt(chat) + 1);
        const asked = approvedAt(chat) < 0 ? -1 : later.findIndex((message) => message.from === person.id);
        return asked >= 0 && later.slice(asked).some((message) => isAnswer(message) && !message.only_for);
      }),
  },
  {
    id: "looked",
    title: "Open “Behind the door”",
    hint: "The signed webhooks, our answers, the table’s items, the events, and the reason of every drop.",
    done: (world) => world.did.has("looked"),
  },
  {
    id: "refused",
    title: "Press as somebody else",
    hint: "Let another stranger ask; below the owner’s chat choose “Press buttons as” a stranger, and press Approve.",
    done: (world) => world.scene.chats.some((chat) => (chat.notes ?? []).some((note) => note.text.includes("Only the owner can do this")))
      || world.scene.chats.some((chat) => chat.messages.some((message) => isAnswer(message) && textOf(chat, message).includes("Only the owner can do this"))),
  },
  {
    id: "redelivered",
    title: "Deliver again",
    hint: "Platforms repeat webhooks. Under a message, “↻ deliver again” does it: nothing happens twice.",
    done: (world) => world.did.has("redelivered") || world.deliveries.some((delivery) => delivery.again_of !== null),
  },
];

/**
 * Fill the section `root`; call update() after `world` changed.
 * @param {HTMLElement} root
 * @param {World} world
 */
export function guide(root, world) {
  const steps = h("ol", { class: "steps" });
  const hint = h("p", { class: "hint", role: "status" });
  const body = h("div", {}, steps, hint);
  const hide = h("button", { type: "button", class: "quiet", onclick: toggle });
  const ticked = new Set();
  let hidden = sessionStorage.getItem(HIDDEN) === "yes";
  root.append(h("header", {}, h("h2", { id: "guide-title" }, "Try this"), hide), body);

  function toggle() {
    hidden = !hidden;
    sessionStorage.setItem(HIDDEN, hidden ? "yes" : "no");
    update();
  }

  function update() {
    for (const step of STEPS) if (step.done(world)) ticked.add(step.id);
    const next = STEPS.find((step) => !ticked.has(step.id));
    body.hidden = hidden;
    hide.textContent = hidden ? `Show the guide (${ticked.size} of ${STEPS.length} done)` : "Hide";
    hide.setAttribute("aria-expanded", String(!hidden));
    keyed(
      steps,
      STEPS.map((step, index) => {
        const state = ticked.has(step.id) ? "done" : step === next ? "next" : "later";
        return { key: step.id, version: state, draw: () => drawn(step, index + 1, state) };
      }),
    );
    const said = next ? next.hint : "All done. The command line and the owner’s page decide in the same way: see “Behind the door”, Commands.";
    if (hint.textContent !== said) hint.textContent = said;
  }

  return { update };
}

/**
 * @param {Step} step
 * @param {number} number
 * @param {"done" | "next" | "later"} state
 */
function drawn(step, number, state) {
  return h(
    "li",
    { data: { state, step: step.id }, title: step.hint, "aria-current": state === "next" ? "step" : null },
    h("span", { class: "tick", "aria-hidden": "true" }, state === "done" ? "✓" : String(number)),
    h("span", {}, step.title, state === "done" && h("span", { class: "unseen" }, " (done)")),
  );
}
