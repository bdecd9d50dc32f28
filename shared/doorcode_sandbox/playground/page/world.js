// What is known of the sandbox, and what can be read from it.

/**
 * @typedef {import("./types.js").Scene} Scene
 * @typedef {import("./types.js").Person} Person
 */

/** @type {Record<string, string>} */
const STATES = {
  pending: "is waiting: one contact item and one seat of the waiting room. The code itself is stored nowhere.",
  paired: "is paired: every message goes straight to the agent",
  denied: "was denied. The request’s code is gone; a new request is possible after the cooldown.",
  blocked: "is blocked: every message is dropped, whatever else holds.",
  revoked: "was let out again: a stranger from the next message on.",
  expired: "asked, and nobody decided in time. A stranger again.",
};

export class World {
  /** @type {Scene} */
  scene = { version: 0, program: "", where: "", platforms: [], people: [], chats: [] };
  /** @type {import("./types.js").Inside} */
  inside = { items: [], conversations: [], events: [], log: [] };
  /** @type {import("./types.js").Delivery[]} */
  deliveries = [];
  /** @type {Set<string>} what was done on this page and leaves no trace in the scene */
  did = new Set();

  /** @param {string} name */
  platform(name) {
    return this.scene.platforms.find((platform) => platform.name === name);
  }

  /**
   * @param {string} platform
   * @param {string} id
   */
  person(platform, id) {
    return this.scene.people.find((person) => person.platform === platform && person.id === id);
  }

  /** @param {import("./types.js").Role} role */
  people(role) {
    return this.scene.people.filter((person) => person.role === role);
  }

  /**
   * @param {string} platform
   * @param {string} personId
   */
  chats(platform, personId) {
    const found = this.scene.chats.filter((chat) => chat.platform === platform && chat.members.includes(personId));
    return found.sort((one, other) => (one.kind === "direct" ? 0 : 1) - (other.kind === "direct" ? 0 : 1));
  }

  /**
   * @param {string} platform
   * @param {string} id
   */
  chat(platform, id) {
    return this.scene.chats.find((chat) => chat.platform === platform && chat.id === id);
  }

  /**
   * @param {string} platform
   * @param {string} id
   */
  contact(platform, id) {
    return this.inside.items.find((item) => item.sk === "contact" && item.pk === `${platform}#${id}`);
  }

  /**
   * Why a webhook ended as it did: the last reason that the log has for it; empty as long as it has none.
   * @param {string | null} deliveryId
   */
  reason(deliveryId) {
    const delivery = this.deliveries.find((one) => one.id === deliveryId);
    return (delivery?.log ?? []).map((line) => line.reason).findLast(Boolean) ?? "";
  }

  /**
   * How many messages of the bot a platform's chats hold.
   * @param {string} platform
   */
  answers(platform) {
    const chats = this.scene.chats.filter((chat) => chat.platform === platform);
    return chats.reduce((sum, chat) => sum + chat.messages.filter((message) => message.from === "bot").length, 0);
  }

  /**
   * One sentence about somebody, for the caption over a chat.
   * @param {Person | undefined} person
   */
  caption(person) {
    if (!person) return "";
    const item = this.contact(person.platform, person.id);
    if (item && STATES[item.state]) {
      const by = item.state === "paired" ? `${item.decided_via ? ` (decided by ${item.decided_via})` : ""}.` : "";
      return `${person.name} ${STATES[item.state]}${by}`;
    }
    if (person.role === "owner") return `${person.name} is an owner: named in OWNER_USER_IDS, let in by the gate, asked about strangers.`;
    return `${person.name} is a stranger: there is no item in the table yet.`;
  }
}

/**
 * How somebody is called where there is room for little.
 * @param {Person | undefined} person
 */
export const shortName = (person) => (person ? person.name || (person.username && `@${person.username}`) || person.id : "");
