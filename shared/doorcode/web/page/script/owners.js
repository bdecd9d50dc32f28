// Owners: who is asked, and decides. A claim makes another one.

import { announce } from "./announcer.js";
import { ApiError, call } from "./api.js";
import { confirmed } from "./confirm.js";
import { Drawer } from "./drawer.js";
import { make, write } from "./elements.js";
import { Register, RegisterRow } from "./register.js";
import { timeElement } from "./times.js";
import { called, platformName, whom } from "./words.js";

/**
 * @typedef {object} Owner
 * @property {string} platform
 * @property {string} user_id
 * @property {string} name
 * @property {string} full_name
 * @property {string} label
 * @property {boolean} by_setting
 * @property {boolean} by_claim
 * @property {string | null} paired_at
 */

/** The section about owners. */
export class Owners {
  /** @param {{changed: () => void}} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.mayDecide = false;
    this.list = new Register("owners", {
      read: async () => (await call("GET", "owners")).owners,
      keyOf: ({ platform, user_id }) => `${platform}#${user_id}`,
      row: (record) => new OwnerRow(record, this.mayDecide, hooks.changed),
    });
    this.drawer = new Drawer("claim", () => this.#claim());
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
    this.list.clear();
  }

  async #claim() {
    const { platform } = this.drawer.parts;
    const { sitting } = this.list;
    const { ways, expires_at } = await call("POST", "owners/claim", platform.value ? { channel: platform.value } : {});
    this.drawer.close();
    this.drawer.form.reset();
    this.list.show(sitting, { heading: "Claim", what: "Whoever sends it to the bot first owns it there. The other owners hear of it.", ways, expires_at });
  }
}

/**
 * One owner.
 * @extends {RegisterRow<Owner>}
 */
class OwnerRow extends RegisterRow {
  /**
   * @param {Owner} record
   * @param {boolean} mayDecide
   * @param {() => void} changed
   */
  constructor(record, mayDecide, changed) {
    super(record, changed);
    this.remove = make("button", { type: "button", class: "danger", "aria-label": `Remove ${whom(record)} as an owner` }, "Remove");
    this.remove.addEventListener("click", () => void this.#ask());
    if (mayDecide) {
      this.parts.actions.append(this.remove);
    }
  }

  /** @param {Owner} record */
  update(record) {
    this.record = record;
    const { parts } = this;
    write(parts.name, called(record) || record.label || "No name");
    parts.name.classList.toggle("nameless", !record.name && !record.label);
    write(parts.label, record.label);
    parts.label.hidden = !record.label || !record.name;
    write(parts.platform, platformName(record.platform));
    write(parts.id, record.user_id);
    parts.actions.hidden = !record.by_claim;
    parts.history.replaceChildren(...source(record));
  }

  async #ask() {
    const { name, label, platform, user_id } = this.record;
    const question = {
      title: `Remove ${name || label || "this person"} as an owner?`,
      whom: `${platformName(platform)} ${user_id}`,
      text: "They are asked no more, and are not let in either.",
      yes: "Remove",
    };
    await this.once(this.remove, question, () => this.#removeEven(false));
  }

  /**
   * @param {boolean} last
   * @returns {Promise<void>}
   */
  async #removeEven(last) {
    const { platform, user_id } = this.record;
    try {
      await call("POST", "owners/remove", { channel: platform, user_id, last });
    } catch (error) {
      if (last || !(error instanceof ApiError) || error.details.reason !== "last_owner") {
        throw error;
      }
      const sure = await confirmed({
        title: "Remove the last owner?",
        whom: `${platformName(platform)} ${user_id}`,
        text: "Then nobody is asked in a chat who may come in. This page and the command still decide, and a claim makes a new owner.",
        yes: "Remove the last owner",
      });
      if (sure) {
        await this.#removeEven(true);
      }
      return;
    }
    announce(`${whom(this.record)}: no owner any more`);
    this.changed();
  }
}

/**
 * By what somebody is an owner.
 * @param {Owner} record
 */
function source({ by_setting, by_claim, paired_at }) {
  const claimed = by_claim ? ["By a claim", ...(paired_at ? [", since ", timeElement(paired_at)] : [])] : [];
  const set = by_setting ? [by_claim ? ", and by the setting OwnerUserIds" : "By the setting OwnerUserIds, and removed there"] : [];
  return [...claimed, ...set];
}
