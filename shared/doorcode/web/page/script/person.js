// One person who is paired or blocked.

import { call } from "./api.js";
import { confirmed } from "./confirm.js";
import { Editor } from "./editor.js";
import { fromTemplate, make, setBusy, write } from "./elements.js";
import { countdown, now, seconds, showTime, timeElement } from "./times.js";
import { called, decider, platformName, trouble, whom } from "./words.js";

/**
 * @typedef {object} Known
 * @property {string} platform
 * @property {string} user_id
 * @property {string | null} name
 * @property {string | null} [full_name] where the name is a username
 * @property {string | null} label
 * @property {string | null} paired_at
 * @property {string | null} paired_until
 * @property {string | null} decided_by
 * @property {string | null} [decided_by_name]
 * @property {string | null} decided_via
 */

/**
 * What may be done to a person: what its button says, what it says at work and afterwards, and what is asked first.
 * @typedef {{verb: string, name: string, active: string, done: string, question?: string}} Action
 */

/** @satisfies {Record<string, Action>} */
export const ACTIONS = {
  revoke: {
    verb: "revoke",
    name: "Revoke",
    active: "Revoking …",
    done: "Revoked",
    question: "Their next message will not reach the agent. They may ask again.",
  },
  block: {
    verb: "block",
    name: "Block",
    active: "Blocking …",
    done: "Blocked",
    question: "Whatever they write is dropped, and they cannot ask again until you unblock them.",
  },
  unblock: { verb: "unblock", name: "Unblock", active: "Unblocking …", done: "Unblocked: they may ask again" },
};

/** A row, and what may be done to that person. */
export class Person {
  /**
   * @param {Known} record
   * @param {{actions: Action[], edited?: () => void, done: (person: Person, action: Action) => void}} hooks
   *   `edited`, where label and end may be changed, is called when they were
   */
  constructor(record, { actions, edited, done }) {
    this.done = done;
    this.busy = false;
    this.closed = false;
    /** @type {Known} */
    this.record = record;
    const { element, parts } = fromTemplate("person-row");
    this.element = element;
    this.parts = parts;
    this.shown = "";
    this.update(record);
    if (edited) {
      const open = make("button", { type: "button", class: "plain", "aria-label": `Edit ${whom(record)}`, "aria-expanded": "false" }, "Edit");
      const editor = new Editor(this, open, edited);
      open.addEventListener("click", () => editor.toggle());
      parts.actions.append(open);
    }
    for (const action of actions) {
      const button = make("button", { type: "button", class: action.verb === "unblock" ? "plain" : "danger" }, action.name);
      button.setAttribute("aria-label", `${action.name} ${whom(record)}`);
      button.addEventListener("click", () => void this.#act(action, button));
      parts.actions.append(button);
    }
  }

  /** @param {Known} record */
  update(record) {
    const shown = JSON.stringify(record);
    if (this.closed || shown === this.shown) {
      return;
    }
    this.shown = shown;
    this.record = record;
    const { parts } = this;
    write(parts.name, called(record) || record.label || "No name");
    parts.name.classList.toggle("nameless", !record.name && !record.label);
    write(parts.platform, platformName(record.platform));
    write(parts.id, record.user_id);
    // Where there is no name, the label stands in its place.
    write(parts.label, record.label ?? "");
    parts.label.hidden = !record.label || !record.name;
    parts.history.replaceChildren(...history(record));
    parts.guest.hidden = !record.paired_until;
    this.tick();
  }

  /** Show what is left of a guest's time. */
  tick() {
    const until = this.record?.paired_until;
    if (until) {
      const left = seconds(until) - now();
      showTime(this.parts.left, until, left > 0 ? countdown(left) : "over");
    }
  }

  /**
   * @param {Action} action
   * @param {HTMLButtonElement} button
   */
  async #act(action, button) {
    if (this.busy || this.closed) {
      return;
    }
    const { parts, record } = this;
    const { name, label, platform, user_id } = record;
    const who = name || label || "this person";
    if (action.question && !(await confirmed({ title: `${action.name} ${who}?`, whom: `${platformName(platform)} ${user_id}`, text: action.question, yes: action.name }))) {
      return;
    }
    this.busy = true;
    setBusy(button, true);
    write(button, action.active);
    write(parts.problem, "");
    try {
      await call("POST", `pairing/${action.verb}`, { channel: platform, user_id });
      this.#close(action);
    } catch (error) {
      write(parts.problem, trouble(error));
    } finally {
      this.busy = false;
      setBusy(button, false);
      write(button, action.name);
    }
  }

  /** @param {Action} action */
  #close(action) {
    const { parts, element } = this;
    const focused = element.contains(document.activeElement);
    this.closed = true;
    parts.actions.hidden = true;
    write(parts.outcome, action.done);
    parts.outcome.hidden = false;
    if (focused) {
      parts.heading.focus();
    }
    this.done(this, action);
  }
}

/**
 * Since when, by whom, until when.
 * @param {Known} record
 */
function history(record) {
  const by = decider(record);
  if (record.paired_at) {
    return ["Since ", timeElement(record.paired_at), by && `,${by}`, ...(record.paired_until ? [", until ", timeElement(record.paired_until)] : [])];
  }
  return by ? [by.trim().replace(/^b/u, "B")] : [];
}
