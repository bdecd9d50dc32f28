// One request in the waiting room: who asks, with which code, until when, and what was decided.

import { ApiError, call, contactPath } from "./api.js";
import { fromTemplate, setBusy, write } from "./elements.js";
import { offerToBlock } from "./offer.js";
import { Stay } from "./stay.js";
import { countdown, now, seconds, showTime } from "./times.js";
import { called, fate, platformName, trouble, whom } from "./words.js";

const SOON_SECONDS = 120;

/**
 * @typedef {object} Waiting
 * @property {string} platform
 * @property {string} user_id
 * @property {string | null} name
 * @property {string | null} [full_name] where the name is a username
 * @property {string} requested_at
 * @property {string} expires_at
 * @property {string} [first_message] how they began, where owners are shown that
 * @property {string} [code] absent for those who may only look, empty where it cannot be made
 */

/** A row. It is open, busy with a decision, or closed by one: its own or another's. */
export class Request {
  /**
   * @param {Waiting} record
   * @param {{mayDecide: boolean, decided: (request: Request) => void, closed: (request: Request, sentence: string) => void}} hooks
   *   `decided` after an answer to a decision made here, `closed` after any
   */
  constructor(record, hooks) {
    this.record = record;
    this.hooks = hooks;
    /** @type {"open" | "busy" | "asking" | "closed"} */
    this.phase = "open";
    /** @type {import("./offer.js").Offer | undefined} what there is still to press after the decision */
    this.offer = undefined;
    const { element, parts } = fromTemplate("request-row");
    this.element = element;
    this.parts = parts;
    write(parts.platform, platformName(record.platform));
    write(parts.id, record.user_id);
    showTime(parts.since, record.requested_at);
    parts.form.hidden = !hooks.mayDecide;
    this.stay = new Stay(`How long ${whom(record)} stays`, [["0", "For ever"]]);
    parts.stay.append(...this.stay.elements);
    parts.form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      void this.#decide("approve");
    });
    parts.deny.addEventListener("click", () => void this.#decide("deny"));
    this.update(record);
    this.tick();
  }

  /**
   * Show what may still change of an open request: a name that was looked up late, a code that could not be made.
   * @param {Waiting} record
   */
  update(record) {
    if (this.phase !== "open") {
      return;
    }
    const { parts } = this;
    this.record = record;
    write(parts.name, called(record) || "No name");
    parts.name.classList.toggle("nameless", !record.name);
    parts.saidbox.hidden = !record.first_message;
    write(parts.said, record.first_message ?? "");
    parts.codebox.hidden = !record.code;
    write(parts.code1, record.code?.slice(0, 4) ?? "");
    write(parts.code2, record.code?.slice(4) ?? "");
    const person = whom(record);
    parts.label.setAttribute("aria-label", `Label for ${person}, if you like`);
    parts.approve.setAttribute("aria-label", `Approve ${person}`);
    parts.deny.setAttribute("aria-label", `Deny ${person}`);
  }

  /**
   * Whether it is on that platform, if one is given, and has that in its name or id.
   * @param {string} platform
   * @param {string} text in lower case
   */
  fits(platform, text) {
    const { record } = this;
    return (!platform || record.platform === platform) && `${called(record)}\n${record.user_id}`.toLowerCase().includes(text);
  }

  /** Show what is left of the time, and close when it is over. */
  tick() {
    if (this.phase === "closed") {
      return;
    }
    const { requested_at, expires_at } = this.record;
    const left = seconds(expires_at) - now();
    const whole = seconds(expires_at) - seconds(requested_at);
    showTime(this.parts.expiry, expires_at, countdown(left));
    this.parts.drain.style.setProperty("--left", String(Math.max(0, Math.min(1, left / whole))));
    this.element.classList.toggle("soon", left <= SOON_SECONDS);
    if (left <= 0 && this.phase === "open") {
      this.close(fate({ state: "expired" }));
    }
  }

  /**
   * The server does not list it any more: ask what became of it.
   */
  async settle() {
    if (this.phase !== "open") {
      return;
    }
    this.phase = "asking";
    try {
      const contact = await this.#contact();
      if (contact?.state !== "pending" || contact.requested_at !== this.record.requested_at) {
        const lapsed = seconds(this.record.expires_at) <= now() && contact?.state === "none";
        this.close(fate(lapsed ? { state: "expired" } : contact));
        return;
      }
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
    }
    // Still waiting, or unknown for now: the next refresh asks again.
    this.phase = "open";
    this.tick();
  }

  /**
   * Say what became of it. The row stays until its list takes it away.
   * @param {{sentence: string, tone: string}} fate
   */
  close({ sentence, tone }) {
    const { parts, element } = this;
    const focused = element.contains(document.activeElement);
    this.phase = "closed";
    element.classList.add("closed");
    write(parts.fate, sentence);
    parts.outcome.hidden = false;
    parts.outcome.className = `outcome ${tone}`;
    parts.form.hidden = true;
    write(parts.problem, "");
    if (focused) {
      parts.heading.focus();
    }
    this.hooks.closed(this, sentence);
  }

  /** @param {"approve" | "deny"} verb */
  async #decide(verb) {
    if (this.phase !== "open") {
      return;
    }
    const { parts, record } = this;
    this.#work(verb, true);
    try {
      const label = parts.label.value.trim();
      // Code and id together: only this very request is meant, not a newer one of the same person.
      // Without a code, the secret behind it is out of reach: the id alone has to do.
      const body = { channel: record.platform, user_id: record.user_id, ...(record.code && { code: record.code }) };
      const grant = { ...(label && { label }), ...(this.stay.seconds && { for: this.stay.seconds }) };
      await call("POST", `pairing/${verb}`, verb === "approve" ? { ...body, ...grant } : body);
      this.#work(verb, false);
      if (verb === "approve") {
        this.close({ sentence: "Approved by you", tone: "good" });
      } else {
        this.offer = offerToBlock(record, this.parts, () => this.close({ sentence: "Denied and blocked by you", tone: "bad" }));
        this.close({ sentence: "Denied by you", tone: "bad" });
      }
      this.hooks.decided(this);
    } catch (error) {
      this.#work(verb, false);
      await this.#refused(error);
    }
  }

  /** @param {unknown} error */
  async #refused(error) {
    if (error instanceof ApiError && error.status === 409 && error.details.state) {
      const { sentence, tone } = fate(/** @type {any} */ (error.details));
      this.close({ sentence: sentence.replace(/^[ADB]/u, (first) => `Already ${first.toLowerCase()}`), tone });
      this.hooks.decided(this);
    } else if (error instanceof ApiError && error.status === 404) {
      await this.settle();
      if (this.phase === "open") {
        write(this.parts.problem, trouble(error));
      }
    } else {
      write(this.parts.problem, trouble(error));
    }
  }

  /** @returns {Promise<any>} null where nothing is known of the person */
  async #contact() {
    try {
      return (await call("GET", contactPath(this.record))).contact;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) {
        return null;
      }
      throw error;
    }
  }

  /**
   * @param {"approve" | "deny"} verb
   * @param {boolean} busy
   */
  #work(verb, busy) {
    const { parts } = this;
    this.phase = busy ? "busy" : "open";
    parts.label.readOnly = busy;
    this.stay.select.disabled = busy;
    this.stay.other.readOnly = busy;
    setBusy(parts.approve, busy);
    setBusy(parts.deny, busy);
    const idle = verb === "approve" ? "Approve" : "Deny";
    const active = verb === "approve" ? "Approving …" : "Denying …";
    write(parts[verb], busy ? active : idle);
    parts[verb].setAttribute("aria-label", `${busy ? active : idle} ${whom(this.record)}`);
    if (busy) {
      write(parts.problem, "");
    }
  }
}
