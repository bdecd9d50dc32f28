// What invites and owners have in common: a short list, and what was made last, shown once.

import { confirmed } from "./confirm.js";
import { arrange, byId, fromTemplate, partsOf, setBusy, takeAway, write } from "./elements.js";
import { Ticket } from "./ticket.js";
import { trouble } from "./words.js";

/**
 * One row of the list.
 * @typedef {{element: HTMLElement, update: (record: any) => void, tick?: () => void}} Row
 */

/**
 * What stands in a row, and what is done there once it was asked for twice.
 * @template Kept
 */
export class RegisterRow {
  /**
   * @param {Kept} record
   * @param {() => void} changed
   */
  constructor(record, changed) {
    const { element, parts } = fromTemplate("person-row");
    this.element = element;
    this.parts = parts;
    this.record = record;
    this.changed = changed;
    this.busy = false;
  }

  /**
   * Ask, and do it; say in the row what went wrong.
   * @param {HTMLButtonElement} button
   * @param {Parameters<typeof confirmed>[0]} question
   * @param {() => Promise<void>} act
   */
  async once(button, question, act) {
    if (this.busy || !(await confirmed(question))) {
      return;
    }
    this.busy = true;
    setBusy(button, true);
    write(this.parts.problem, "");
    try {
      await act();
    } catch (error) {
      write(this.parts.problem, trouble(error));
    } finally {
      this.busy = false;
      setBusy(button, false);
    }
  }
}

/** A list of few, which comes whole. */
export class Register {
  /**
   * @param {string} id the section's
   * @param {{read: () => Promise<any[]>, keyOf: (record: any) => string, row: (record: any) => Row}} how
   */
  constructor(id, { read, keyOf, row }) {
    this.read = read;
    this.keyOf = keyOf;
    this.row = row;
    this.visit = 0;
    // What was asked for before everything was forgotten is not shown to whoever comes next.
    this.sitting = 0;
    this.parts = partsOf(byId(id));
    this.title = byId(`${id}-title`);
    /** @type {Map<string, Row>} */
    this.rows = new Map();
    /** @type {Ticket | undefined} */
    this.made = undefined;
    setInterval(() => this.#tick(), 1000);
  }

  /** Read the list and show it. */
  async refresh() {
    this.visit += 1;
    const { visit } = this;
    const records = await this.read();
    if (visit !== this.visit) {
      return;
    }
    const found = new Map(records.map((record) => [this.keyOf(record), record]));
    for (const [key, row] of this.rows) {
      if (!found.has(key)) {
        takeAway(row.element, this.title);
        this.rows.delete(key);
      }
    }
    for (const [key, record] of found) {
      const row = this.rows.get(key) ?? this.row(record);
      row.update(record);
      this.rows.set(key, row);
    }
    arrange(this.parts.list, [...found.keys()].map((key) => /** @type {Row} */ (this.rows.get(key)).element));
    write(this.parts.count, found.size ? String(found.size) : "");
    this.parts.empty.hidden = found.size > 0;
    write(this.parts.note, "");
  }

  /**
   * Show what was made in this sitting, in the place of what was made before.
   * @param {number} sitting
   * @param {ConstructorParameters<typeof Ticket>[0]} made
   */
  show(sitting, made) {
    if (sitting !== this.sitting) {
      return;
    }
    const ticket = new Ticket(made, () => {
      this.#putAway();
      this.title.focus();
    });
    this.made = ticket;
    this.parts.made.replaceChildren(ticket.element);
    ticket.parts.heading.focus();
  }

  /** Say that what is shown may be old. */
  missing() {
    write(this.parts.note, "This list may be out of date.");
  }

  /** Forget everything, what was made above all. */
  clear() {
    this.visit += 1;
    this.sitting += 1;
    this.#putAway();
    this.rows.clear();
    this.parts.list.replaceChildren();
    this.parts.empty.hidden = true;
    write(this.parts.count, "");
    write(this.parts.note, "");
  }

  #putAway() {
    this.made = undefined;
    this.parts.made.replaceChildren();
  }

  #tick() {
    if (!document.hidden) {
      this.made?.tick();
      this.rows.forEach((row) => row.tick?.());
    }
  }
}
