// A form that a button opens, for what is not done every day.

import { byId, partsOf, setBusy, write } from "./elements.js";
import { trouble } from "./words.js";

/** The form and its button. */
export class Drawer {
  /**
   * @param {string} id the form's; its button's is that with `-open`
   * @param {(parts: Record<string, any>) => Promise<void>} work what submitting it does
   */
  constructor(id, work) {
    this.work = work;
    this.busy = false;
    this.form = byId(id);
    this.opener = byId(`${id}-open`);
    this.parts = partsOf(this.form);
    this.opener.addEventListener("click", () => (this.form.hidden ? this.open() : this.close()));
    this.parts.cancel.addEventListener("click", () => this.close());
    this.form.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape") {
        this.close();
      }
    });
    this.form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      void this.#submit();
    });
  }

  /** Offer it, or do not. */
  offer(/** @type {boolean} */ may) {
    this.opener.hidden = !may;
    if (!may) {
      this.form.hidden = true;
    }
  }

  /** Open it, and go to its first field. */
  open() {
    this.form.hidden = false;
    this.opener.setAttribute("aria-expanded", "true");
    this.form.querySelector("select, input").focus();
  }

  /** Close it. What was typed is kept until it is sent. */
  close() {
    const focused = this.form.contains(document.activeElement);
    this.form.hidden = true;
    this.opener.setAttribute("aria-expanded", "false");
    write(this.parts.problem, "");
    if (focused) {
      this.opener.focus();
    }
  }

  /** Forget everything. */
  clear() {
    this.close();
    this.form.reset();
    this.opener.hidden = true;
  }

  async #submit() {
    if (this.busy) {
      return;
    }
    this.busy = true;
    setBusy(this.parts.submit, true);
    write(this.parts.problem, "");
    try {
      await this.work(this.parts);
    } catch (error) {
      write(this.parts.problem, trouble(error));
    } finally {
      this.busy = false;
      setBusy(this.parts.submit, false);
    }
  }
}
