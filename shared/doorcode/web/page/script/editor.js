// Label and end of somebody who is in, changed in place. Whoever was revoked meanwhile is not let in by it: the server sees to that.

import { announce } from "./announcer.js";
import { call } from "./api.js";
import { make, setBusy, write } from "./elements.js";
import { Stay } from "./stay.js";
import { spoken } from "./times.js";
import { trouble, whom } from "./words.js";

/** The form below a person's row, while it is open. */
export class Editor {
  /**
   * @param {import("./person.js").Person} person
   * @param {HTMLButtonElement} opener
   * @param {() => void} edited called when something was changed
   */
  constructor(person, opener, edited) {
    this.person = person;
    this.opener = opener;
    this.edited = edited;
    this.busy = false;
    /** @type {HTMLFormElement | undefined} */
    this.form = undefined;
  }

  /** Open it, or close it. */
  toggle() {
    if (this.form) {
      this.#close();
    } else {
      this.#open();
    }
  }

  #open() {
    const { record, element } = this.person;
    const until = record.paired_until;
    const keep = /** @type {[string, string]} */ (["", until ? `Until ${spoken(until)}` : "For ever"]);
    const stay = new Stay(`How long ${whom(record)} stays`, until ? [keep, ["0", "For ever"]] : [keep]);
    const label = make("input", { type: "text", maxlength: "64", placeholder: "Label", spellcheck: "false", "aria-label": `Label for ${whom(record)}` });
    const save = make("button", { type: "submit", class: "primary" }, "Save");
    const cancel = make("button", { type: "button", class: "plain" }, "Cancel");
    const form = make("form", { class: "edit", autocomplete: "off" }, label, make("span", { class: "stay" }, ...stay.elements), save, cancel);
    label.value = record.label ?? "";
    cancel.addEventListener("click", () => this.#close());
    form.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && this.#close());
    form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      void this.#save(label.value.trim(), stay.seconds, save);
    });
    this.form = form;
    this.opener.setAttribute("aria-expanded", "true");
    element.append(form);
    label.select();
  }

  #close() {
    const focused = this.form?.contains(document.activeElement);
    this.form?.remove();
    this.form = undefined;
    this.opener.setAttribute("aria-expanded", "false");
    write(this.person.parts.problem, "");
    if (focused) {
      this.opener.focus();
    }
  }

  /**
   * @param {string} label
   * @param {number | undefined} stay
   * @param {HTMLButtonElement} button
   */
  async #save(label, stay, button) {
    const { person } = this;
    const { platform, user_id } = person.record;
    const change = { ...(label !== (person.record.label ?? "") && { label }), ...(stay !== undefined && { for: stay }) };
    if (this.busy) {
      return;
    }
    if (Object.keys(change).length === 0) {
      this.#close();
      return;
    }
    this.busy = true;
    setBusy(button, true);
    write(person.parts.problem, "");
    try {
      await call("POST", "pairing/change", { channel: platform, user_id, ...change });
      announce(`${whom(person.record)}: saved`);
      person.update({ ...person.record, ...("label" in change && { label }) });
      this.#close();
      this.edited();
    } catch (error) {
      write(person.parts.problem, trouble(error));
    } finally {
      this.busy = false;
      setBusy(button, false);
    }
  }
}
