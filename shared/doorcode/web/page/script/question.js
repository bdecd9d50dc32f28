// One question of an agent or a program: all that was asked, and what was decided about exactly that.

import { ApiError, call } from "./api.js";
import { fromTemplate, make, setBusy, write } from "./elements.js";
import { countdown, now, seconds, showTime, spoken } from "./times.js";
import { visible, visibleLine } from "./visible.js";
import { decider, trouble } from "./words.js";

const SOON_SECONDS = 120;
const FATES = new Map(Object.entries({ approved: "Approved", used: "Approved", denied: "Denied", expired: "Expired", cancelled: "Taken back", lapsed: "Approved, and not used in time" }));

/**
 * @typedef {object} Asked
 * @property {string} id
 * @property {string} state
 * @property {string} digest
 * @property {string} title
 * @property {string} details
 * @property {Record<string, unknown> | null} arguments
 * @property {string[]} choices
 * @property {number[]} numbers
 * @property {string} asker
 * @property {string} asker_id
 * @property {string | null} on_behalf_of
 * @property {number} approvals
 * @property {number} approvals_left
 * @property {string} created_at
 * @property {string} expires_at
 * @property {string | null} usable_until
 * @property {string | null} decided_by
 * @property {string | null} decided_by_name
 * @property {string | null} decided_via
 * @property {string | null} decided_at
 * @property {string | null} choice
 * @property {string | null} reason
 * @property {string | null} used_at
 */

/** Which of the choices, counted from 1, or which number; neither where there is nothing to pick. @typedef {{choice?: number, match?: number}} Picked */

/** A row. It is open, busy with a decision, or closed by one: its own or another's. */
export class Question {
  /**
   * @param {Asked} record
   * @param {{mayDecide: boolean, changed: () => void, closed: (question: Question, sentence: string) => void}} hooks
   */
  constructor(record, hooks) {
    this.record = record;
    this.hooks = hooks;
    /** @type {"open" | "busy" | "closed"} */
    this.phase = "open";
    const { element, parts } = fromTemplate("question-row");
    this.element = element;
    this.parts = parts;
    write(parts.title, visibleLine(record.title));
    write(parts.asker, visibleLine(record.asker));
    parts.asked.replaceChildren(...shownInFull(record));
    showTime(parts.since, record.created_at);
    parts.form.hidden = !hooks.mayDecide;
    parts.reason.setAttribute("aria-label", `Reason for your answer to ${visibleLine(record.title)}`);
    parts.form.addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());
    /** @type {HTMLButtonElement[]} */
    this.buttons = [...answers(record)].map(([label, verb, picked], at) => this.#button(label, verb, picked, at));
    parts.form.append(...this.buttons);
    this.update(record);
  }

  /**
   * Show what may change while it is open: how many have approved, that it was approved and is yet to be used.
   * @param {Asked} record
   */
  update(record) {
    if (this.phase === "busy") {
      return;
    }
    this.record = record;
    write(this.parts.terms, terms(record));
    if (record.state !== "pending" && this.phase === "open") {
      this.close();
    }
    this.tick();
  }

  /** Show what is left of its time. */
  tick() {
    const { created_at, expires_at } = this.record;
    const left = seconds(expires_at) - now();
    showTime(this.parts.expiry, expires_at, countdown(left));
    this.parts.drain.style.setProperty("--left", String(Math.max(0, Math.min(1, left / (seconds(expires_at) - seconds(created_at))))));
    this.element.classList.toggle("soon", left <= SOON_SECONDS);
  }

  /** Say what became of it. The row stays until its list takes it away. */
  close() {
    const { parts, element } = this;
    const focused = element.contains(document.activeElement);
    const { sentence, tone } = fateOf(this.record);
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

  /**
   * @param {string} label
   * @param {"approve" | "deny"} verb
   * @param {Picked} picked
   * @param {number} at
   */
  #button(label, verb, picked, at) {
    const kind = verb === "deny" ? "danger" : at === 0 && !Object.keys(picked).length ? "primary" : "plain";
    const button = make("button", { type: "button", class: kind, "aria-label": `${label}: ${visibleLine(this.record.title)}` }, label);
    button.addEventListener("click", () => void this.#decide(button, verb, picked));
    return button;
  }

  /**
   * @param {HTMLButtonElement} button
   * @param {"approve" | "deny"} verb
   * @param {Picked} picked
   */
  async #decide(button, verb, picked) {
    if (this.phase !== "open") {
      return;
    }
    const { parts, record } = this;
    const reason = parts.reason.value.trim();
    this.phase = "busy";
    setBusy(button, true);
    write(parts.problem, "");
    try {
      // The digest is of what stands here: nothing else is decided on.
      const body = { digest: record.digest, ...(reason && { reason }), ...picked };
      const decided = await call("POST", `asks/${record.id}/${verb}`, body);
      this.phase = "open";
      this.update(decided);
    } catch (error) {
      this.phase = "open";
      write(parts.problem, trouble(error));
      if (error instanceof ApiError && [404, 409, 410].includes(error.status)) {
        await this.settle();
      }
    } finally {
      setBusy(button, false);
      this.hooks.changed();
    }
  }

  /** It is not open any more, or not as it stands here: show what became of it. */
  async settle() {
    if (this.phase !== "open") {
      return;
    }
    try {
      this.update(await call("GET", `asks/${this.record.id}`));
    } catch (error) {
      write(this.parts.problem, trouble(error));
    }
  }
}

/**
 * All that was asked, and is under the digest: with every character that would not be seen.
 * @param {Asked} record
 */
export function shownInFull(record) {
  const shown = record.details ? [make("p", { class: "said-in-full" }, visible(record.details))] : [];
  const named = Object.entries(record.arguments ?? {});
  const list = make("dl", { class: "arguments" });
  for (const [name, value] of named) {
    // Each as JSON, as in the chats: a text keeps its quotes, and cannot pass for a number or for two lines.
    list.append(make("dt", {}, visibleLine(name)), make("dd", {}, visibleLine(JSON.stringify(value))));
  }
  return named.length ? [...shown, list] : shown;
}

/**
 * What became of it: the sentence and its tone.
 * @param {Asked} record
 * @returns {{sentence: string, tone: "good" | "bad" | ""}}
 */
export function fateOf(record) {
  const { state, choice, reason, used_at } = record;
  const told = [FATES.get(state) ?? state, choice ? `: ${visibleLine(choice)}` : "", decider(record)].join("");
  const why = reason ? `. “${visibleLine(reason)}”` : "";
  const used = used_at ? `, used at ${spoken(used_at)}` : state === "approved" ? ", not used yet" : "";
  return { sentence: `${told}${used}${why}`, tone: ["approved", "used"].includes(state) ? "good" : state === "denied" ? "bad" : "" };
}

/** @param {Asked} record */
function terms({ on_behalf_of, approvals, approvals_left, numbers }) {
  const whom = on_behalf_of ? `says it asks for ${visibleLine(on_behalf_of)}` : "";
  const still = approvals > 1 ? `needs ${approvals} approvals, ${approvals_left} more` : "";
  const match = numbers.length ? "to approve it, press the number that the asker shows you: any other one denies it" : "";
  return [whom, still, match].filter(Boolean).join("; ");
}

/**
 * The buttons: what they say, what they do, and what they pick.
 * @param {Asked} record
 * @returns {[string, "approve" | "deny", Picked][]}
 */
function answers({ choices, numbers }) {
  /** @type {[string, "approve" | "deny", Picked][]} */
  const chosen = choices.map((choice, at) => [visibleLine(choice), "approve", { choice: at + 1 }]);
  /** @type {[string, "approve" | "deny", Picked][]} */
  const matched = numbers.map((number) => [String(number), "approve", { match: number }]);
  const yes = [...chosen, ...matched];
  return [...(yes.length ? yes : [/** @type {[string, "approve", Picked]} */ (["Approve", "approve", {}])]), ["Deny", "deny", {}]];
}
