// Invites: codes that let in whoever sends one, and nobody is asked.

import { announce } from "./announcer.js";
import { call } from "./api.js";
import { Drawer } from "./drawer.js";
import { make, write } from "./elements.js";
import { Register, RegisterRow } from "./register.js";
import { lasting, stayField } from "./stay.js";
import { countdown, now, seconds, showTime } from "./times.js";
import { platformName } from "./words.js";

const DAY = "86400";

/**
 * @typedef {object} Invite
 * @property {string} id
 * @property {string | null} platform
 * @property {number} uses
 * @property {number} left
 * @property {string} label
 * @property {number} for_seconds
 * @property {string} created_by
 * @property {string} expires_at
 */

/** The section about invites. */
export class Invites {
  /** @param {{changed: () => void}} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.mayDecide = false;
    this.list = new Register("invites", {
      read: async () => (await call("GET", "invites")).invites,
      keyOf: ({ id }) => id,
      row: (record) => new InviteRow(record, this.mayDecide, hooks.changed),
    });
    this.drawer = new Drawer("invite", () => this.#create());
    this.stay = stayField(this.drawer.parts.stay, "They stay", [["0", "For ever"]]);
    this.expires = stayField(this.drawer.parts.expires, "It works for", [], DAY);
  }

  /** @param {boolean} may */
  set decides(may) {
    this.mayDecide = may;
    this.drawer.offer(may);
  }

  refresh() {
    return this.list.refresh();
  }

  clear() {
    this.drawer.clear();
    this.#reset();
    this.list.clear();
  }

  async #create() {
    const { platform, uses, label } = this.drawer.parts;
    const { sitting } = this.list;
    const made = await call("POST", "invites", {
      ...(platform.value && { channel: platform.value }),
      ...(label.value.trim() && { label: label.value.trim() }),
      uses: Number(uses.value),
      for: this.stay.seconds ?? 0,
      expires_in: this.expires.seconds,
    });
    this.drawer.close();
    this.#reset();
    this.list.show(sitting, {
      heading: `Invite${made.label ? ` for ${made.label}` : ""}`,
      what: described(made),
      ways: made.ways,
      expires_at: made.expires_at,
    });
    this.hooks.changed();
  }

  #reset() {
    this.drawer.form.reset();
    this.stay.reset();
    this.expires.reset();
  }
}

/** @param {Invite} made */
function described({ uses, for_seconds }) {
  const stay = for_seconds ? `, and stays for ${lasting(for_seconds)}` : "";
  return `Whoever sends it to the bot is let in at once${stay}. It works for ${uses === 1 ? "one person" : `${uses} people`}.`;
}

/**
 * One invite that works.
 * @extends {RegisterRow<Invite>}
 */
class InviteRow extends RegisterRow {
  /**
   * @param {Invite} record
   * @param {boolean} mayDecide
   * @param {() => void} changed
   */
  constructor(record, mayDecide, changed) {
    super(record, changed);
    this.ends = make("time");
    if (mayDecide) {
      const button = make("button", { type: "button", class: "danger", "aria-label": `Revoke the invite ${record.label || record.id}` }, "Revoke");
      button.addEventListener("click", () => void this.#revoke(button));
      this.parts.actions.append(button);
    }
  }

  /** @param {Invite} record */
  update(record) {
    this.record = record;
    const { parts } = this;
    write(parts.name, record.label || "No label");
    parts.name.classList.toggle("nameless", !record.label);
    write(parts.platform, record.platform ? platformName(record.platform) : "Every platform");
    write(parts.id, record.id);
    const people = record.uses === 1 ? "one person" : `${record.left} more of ${record.uses} people`;
    const stay = record.for_seconds ? `, for ${lasting(record.for_seconds)}` : "";
    parts.history.replaceChildren(`For ${people}${stay}. By ${record.created_by}. Works `, this.ends);
    this.tick();
  }

  /** Show what is left of its time. */
  tick() {
    const left = seconds(this.record.expires_at) - now();
    showTime(this.ends, this.record.expires_at, left > 0 ? `for another ${countdown(left)}` : "no more");
  }

  /** @param {HTMLButtonElement} button */
  async #revoke(button) {
    const { label, id } = this.record;
    const ask = { title: `Revoke the invite ${label || id}?`, text: "It lets nobody in any more. Who came in with it stays.", yes: "Revoke" };
    await this.once(button, ask, async () => {
      await call("DELETE", `invites/${id}`);
      announce(`Invite ${label || id}: revoked`);
      this.changed();
    });
  }
}
