// One side of a platform: a person's chat as they see it, and where they type.

import { addPerson, press, redeliver, say as write } from "./backend.js";
import { cast } from "./cast.js";
import { composer } from "./composer.js";
import { h, keyed, say } from "./dom.js";
import { avatar, draw } from "./message.js";
import { PLATFORMS } from "./platforms.js";
import { follower } from "./scroll.js";
import { toasts } from "./toasts.js";
import { shortName } from "./world.js";

// What ships, and one in which nothing does.
const LANGUAGES = [
  ["en", "English"],
  ["de", "Deutsch"],
  ["es-ES", "Español"],
  ["fr", "Français"],
  ["pt-BR", "Português (Brasil)"],
  ["ru", "Русский"],
  ["ja", "日本語"],
];
const TITLE = { stranger: "A stranger", owner: "The owner" };
const EMPTY = {
  stranger: "Nobody has written yet. Say hello, as somebody whom the bot does not know.",
  owner: "Requests to approve or deny appear here, as messages of the bot.",
  group: "Codes are never given in groups, and by default the bot does not listen here.",
};

/**
 * @typedef {import("./types.js").Chat} Chat
 * @typedef {import("./types.js").Person} Person
 * @typedef {{name: string, handle: string, real: boolean}} Bot
 */

/**
 * A pane; call update() after `world` changed. `inspect` shows a webhook, `changed` fetches what is new.
 * @param {import("./world.js").World} world
 * @param {string} platform
 * @param {import("./types.js").Role} side
 * @param {{inspect: (delivery: string) => void, changed: () => Promise<void>}} tools
 */
export function pane(world, platform, side, { inspect, changed }) {
  const choices = cast(world, platform, side, update);
  const caption = h("p", { class: "caption" });
  const title = h("div", { class: "chat-title" });
  const list = h("div", { class: "messages", role: "log", tabindex: 0 });
  const follow = follower(list);
  const notices = toasts();
  const typing = composer(side === "owner" ? "Write as the owner" : "Write as the stranger", send);
  const screen = h("div", { class: "screen" }, title, list, follow.newer, notices.element, typing.element);
  const element = h(
    "section",
    { class: "pane", data: { side }, "aria-label": TITLE[side] },
    h("header", { class: "pane-head" }, h("h2", {}, TITLE[side]), choices.people, choices.chats),
    caption,
    screen,
    side === "owner" ? h("label", { class: "pressing" }, "Press buttons as ", choices.pressers) : newcomer(),
  );
  /** @type {Set<string>} */
  const busy = new Set();
  /** @type {Map<string, Set<string>>} the notes that were there already, by chat */
  const heard = new Map();
  /** @type {ReturnType<typeof choices.update> & {bot: Bot}} */
  let now = { at: platform, person: undefined, chat: undefined, presser: undefined, bot: { name: "", handle: "", real: false } };
  let shown = "";
  let count = 0;

  /** @param {() => Promise<unknown>} work */
  async function attempt(work) {
    try {
      await work();
      changed();
      return true;
    } catch (error) {
      notices.show(error instanceof Error ? error.message : String(error), { title: "That did not work. " });
      return false;
    }
  }

  /** @param {{text: string, mention: boolean}} said */
  async function send({ text, mention }) {
    const { at, chat, person } = now;
    if (!chat || !person) return false;
    return attempt(async () => {
      const { note } = await write({ platform: at, chat: chat.id, person: person.id, text, mention });
      if (note) notices.show(note);
    });
  }

  /**
   * @param {import("./types.js").Message} message
   * @param {import("./types.js").Button} button
   * @param {string} [words]
   */
  async function pressed(message, button, words) {
    const { at, chat, presser } = now;
    if (!chat || !presser) return;
    const key = `${message.id} ${button.id}`;
    busy.add(key);
    update();
    await attempt(() => press({ platform: at, chat: chat.id, person: presser.id, message: message.id, button: button.id, words }));
    busy.delete(key);
    update();
  }

  const again = (/** @type {string} */ delivery) =>
    attempt(async () => {
      await redeliver(delivery);
      world.did.add("redelivered");
      notices.show("Delivered once more: the same body, signed anew. Nothing must happen twice.");
    });

  function newcomer() {
    const name = h("input", { type: "text", "aria-label": "Name of the new stranger", placeholder: "Name", maxlength: 64, required: true });
    const language = h("select", { "aria-label": "Language of the new stranger" }, ...LANGUAGES.map(([tag, called]) => h("option", { value: tag }, called)));
    const form = h("form", { onsubmit: add }, name, language, h("button", { type: "submit" }, "Add"));
    const box = h("details", { class: "newcomer", ontoggle: () => box.open && name.focus() }, h("summary", {}, "+ Another stranger"), form);
    /** @param {Event} event */
    async function add(event) {
      event.preventDefault();
      await attempt(async () => {
        const answer = await addPerson(platform, name.value.trim(), language.value);
        name.value = "";
        box.open = false;
        await changed();
        choices.pick({ platform, id: answer.person.id });
        typing.focus();
      });
    }
    return box;
  }

  /** @param {string} id */
  const names = (id) => {
    const person = world.person(now.at, id);
    return person ? person.username || person.name : id === PLATFORMS[now.at]?.BOT_ID ? now.bot.name : "";
  };

  /**
   * @param {Chat} chat
   * @param {Person} person who looks at it
   */
  function entries(chat, person) {
    const { at, presser, bot } = now;
    const context = {
      platform: at,
      viewer: person.id,
      bot: bot.name,
      names,
      nameOf: (/** @type {string} */ id) => shortName(world.person(at, id)) || id,
      busy,
      reason: (/** @type {string} */ delivery) => world.reason(delivery),
      press: pressed,
      redeliver: again,
      inspect,
    };
    const sees = (/** @type {string} */ id) => id === person.id || id === presser?.id;
    return chat.messages
      .filter((message) => !message.only_for || sees(message.only_for))
      .map((message) => ({
        key: message.id,
        at: Date.parse(message.at) || 0,
        version: JSON.stringify([message, person.id, world.reason(message.delivery), [...busy].filter((key) => key.startsWith(`${message.id} `))]),
        draw: () => draw(message, context),
      }))
      .sort((one, other) => one.at - other.at);
  }

  /**
   * Notes that were there when the page was opened are not news.
   * @param {Chat} chat
   */
  function tell(chat) {
    const { at, person } = now;
    const place = `${at} ${chat.id}`;
    const known = heard.get(place);
    const notes = new Map(chat.notes.map((note) => [JSON.stringify(note), note]));
    heard.set(place, new Set(notes.keys()));
    for (const [key, note] of notes) {
      if (!known || known.has(key)) continue;
      const title = note.to === person?.id ? "" : `Only ${names(note.to)} sees this: `;
      notices.show(note.text, { title, alert: note.alert });
    }
  }

  function update() {
    const chosen = choices.update();
    const { bot: name = "Doorcode", handle = "", real = false } = world.platform(chosen.at) ?? {};
    now = { ...chosen, bot: { name, handle, real } };
    const { at, chat, person, presser, bot } = now;
    element.dataset.platform = at || platform;
    say(caption, world.caption(person) || "Nobody is here.");
    caption.dataset.state = (person && world.contact(at, person.id)?.state) ?? person?.role ?? "none";
    element.dataset.pressing = String(Boolean(presser && presser.id !== person?.id));
    const group = chat?.kind === "group" ? chat : undefined;
    screen.dataset.kind = chat?.kind ?? "direct";
    keyed(title, [heading(person, bot, group)]);
    list.setAttribute("aria-label", person ? `${shortName(person)}: ${group ? group.title : `chat with ${bot.name}`}` : "Chat");
    typing.update({ platform: at, person: shortName(person), group: Boolean(group), handle: bot.handle, real: bot.real });
    const found = chat && person ? entries(chat, person) : [];
    const empty = { key: "empty", version: String(Boolean(group)), draw: () => h("p", { class: "empty" }, EMPTY[group ? "group" : side]) };
    keyed(list, found.length ? found : [empty]);
    if (chat) tell(chat);
    const place = `${at} ${chat?.id} ${person?.id}`;
    if (place === shown) follow.settle(found.length > count);
    else follow.restart();
    shown = place;
    count = found.length;
  }

  return { element, update, restart: follow.restart, person: () => now.person };
}

/**
 * @param {Person | undefined} person
 * @param {Bot} bot
 * @param {Chat | undefined} group
 */
function heading(person, bot, group) {
  const members = group ? `${group.members.length + 1} members, the bot among them` : bot.handle;
  return {
    key: "title",
    version: JSON.stringify([group?.id, group?.title, members, bot.name, person?.id]),
    draw: () =>
      h(
        "div",
        {},
        group ? avatar(group.id, group.title) : avatar("bot", bot.name),
        h("div", {}, h("strong", {}, group ? group.title : bot.name), h("span", {}, members)),
        person && h("span", { class: "viewer" }, "as ", h("b", {}, shortName(person))),
      ),
  };
}
