// Who is looked over the shoulder on one side, and in which of their chats.

import { h, options } from "./dom.js";
import { PLATFORMS } from "./platforms.js";
import { shortName } from "./world.js";

/** @typedef {import("./types.js").Person} Person */

/**
 * @param {string} value
 * @returns {[platform: string, id: string]}
 */
const split = (value) => {
  const at = value.indexOf(" ");
  return [value.slice(0, at), value.slice(at + 1)];
};

/**
 * The choices of a pane: person, chat, and as whom its buttons are pressed. `changed` is called when one is made.
 * @param {import("./world.js").World} world
 * @param {string} platform
 * @param {import("./types.js").Role} side
 * @param {() => void} changed
 */
export function cast(world, platform, side, changed) {
  let person = "";
  let chat = "";
  let presser = "";
  const label = side === "owner" ? "Owner" : "Stranger";
  const people = h("select", { "aria-label": label, onchange: () => pick(people.value) });
  const chats = h("select", { "aria-label": `Chat of the ${label.toLowerCase()}`, onchange: () => ((chat = chats.value), changed()) });
  const pressers = h("select", { "aria-label": "Press buttons as", onchange: () => ((presser = pressers.value), changed()) });

  /** @param {string} value */
  function pick(value) {
    person = value;
    chat = "";
    presser = "";
    changed();
  }

  /** Return who and where it is now, after the world changed. Owners of other platforms may be asked, too. */
  function update() {
    const everyone = world.people(side).filter((one) => side === "owner" || one.platform === platform);
    const own = everyone.filter((one) => one.platform === platform);
    const others = everyone.filter((one) => one.platform !== platform);
    const [first] = [...own, ...others];
    if (!everyone.some((one) => key(one) === person)) person = first ? key(first) : "";
    /** @returns {[string, string]} */
    const named = (/** @type {Person} */ one) => [key(one), `${shortName(one)}${one.platform === platform ? "" : ` (${PLATFORMS[one.platform]?.TITLE ?? one.platform})`}`];
    options(people, [...own.map(named), ...(others.length ? [{ label: "Elsewhere", options: others.map(named) }] : [])], person);
    people.hidden = everyone.length < 2 && side === "owner";

    const [at, id] = split(person);
    const found = world.chats(at, id);
    if (!found.some((one) => one.id === chat)) chat = found[0]?.id ?? "";
    options(chats, found.map((one) => [one.id, one.kind === "direct" ? "Direct chat" : one.title || "Group"]), chat);
    chats.hidden = found.length < 2;

    const pressing = world.scene.people.filter((one) => one.platform === at);
    if (!pressing.some((one) => one.id === presser)) presser = id;
    options(pressers, pressing.map((one) => [one.id, `${shortName(one)} (${one.role})`]), presser);
    return { at, person: world.person(at, id), chat: world.chat(at, chat), presser: world.person(at, presser) };
  }

  return { people, chats, pressers, pick: (/** @type {{platform: string, id: string}} */ one) => pick(key(one)), update };
}

/** @param {{platform: string, id: string}} person */
const key = (person) => `${person.platform} ${person.id}`;
