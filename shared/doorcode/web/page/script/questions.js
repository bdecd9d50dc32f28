// What agents and programs ask: the open questions, those answered before, and who is not heard.

import { announce } from "./announcer.js";
import { ApiError, call } from "./api.js";
import { confirmed } from "./confirm.js";
import { arrange, byId, make, partsOf, takeAway, write } from "./elements.js";
import { Question, fateOf, shownInFull } from "./question.js";
import { seconds, setServerTime, timeElement } from "./times.js";
import { visibleLine } from "./visible.js";
import { trouble } from "./words.js";

const LINGER_SECONDS = 6;

/** @typedef {{asker: string, asker_id: string}} Muted */

/** The section about questions. */
export class Questions {
  /** @param {{changed: () => void}} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.mayDecide = false;
    /** @type {Map<string, Question>} */
    this.rows = new Map();
    /** @type {Set<string>} those that were closed and taken away: an older answer must not bring them back */
    this.gone = new Set();
    this.seen = false;
    this.visit = 0;
    this.parts = partsOf(byId("questions"));
    this.title = byId("questions-title");
    this.parts.open.addEventListener("click", () => void this.#answered());
    setInterval(() => document.hidden || this.rows.forEach((row) => row.tick()), 1000);
  }

  /** Read the list and show it. */
  async refresh() {
    const { visit } = this;
    const answer = await call("GET", "asks");
    if (visit === this.visit) {
      setServerTime(answer.now);
      this.#show(answer.asks.filter((/** @type {import("./question.js").Asked} */ { state }) => state === "pending"));
      this.#muted(answer.muted ?? []);
      write(this.parts.note, "");
    }
  }

  /** Say that what is shown may be old. */
  missing() {
    write(this.parts.note, "This list may be out of date.");
  }

  /** Forget everything. */
  clear() {
    this.visit += 1;
    this.rows.clear();
    this.gone.clear();
    this.seen = false;
    this.parts.answered.hidden = true;
    this.parts.open.setAttribute("aria-expanded", "false");
    [this.parts.list, this.parts.answered, this.parts.muted].forEach((part) => part.replaceChildren());
    this.#count();
  }

  /** @param {import("./question.js").Asked[]} records */
  #show(records) {
    const listed = new Set(records.map(({ id }) => id));
    for (const record of records) {
      const row = this.rows.get(record.id);
      if (row) {
        row.update(record);
      } else if (!this.gone.has(record.id)) {
        this.#add(record);
      }
    }
    for (const [id, row] of this.rows) {
      if (!listed.has(id)) {
        void row.settle();
      }
    }
    const rows = [...this.rows.values()].sort((one, other) => seconds(one.record.created_at) - seconds(other.record.created_at));
    arrange(this.parts.list, rows.map((row) => row.element));
    this.seen = true;
    this.#count();
  }

  /** @param {import("./question.js").Asked} record */
  #add(record) {
    const { visit } = this;
    const row = new Question(record, {
      mayDecide: this.mayDecide,
      changed: this.hooks.changed,
      closed: (question, sentence) => visit === this.visit && this.#closed(question, sentence),
    });
    if (this.mayDecide) {
      const button = make("button", { type: "button", class: "plain mute", "aria-label": `Mute asker: ${visibleLine(record.asker)}` }, "Mute asker");
      button.addEventListener("click", () => void this.#mute(record));
      row.parts.form.append(button);
    }
    if (this.seen) {
      row.element.classList.add("arrives");
      announce(`${visibleLine(record.asker)} asks: ${visibleLine(record.title)}`);
    }
    this.rows.set(record.id, row);
  }

  /**
   * @param {Question} question
   * @param {string} sentence
   */
  #closed(question, sentence) {
    const { id, title } = question.record;
    announce(`${visibleLine(title)}: ${sentence}`);
    this.gone.add(id);
    this.#count();
    setTimeout(() => {
      if (this.rows.get(id) === question) {
        this.rows.delete(id);
        takeAway(question.element, this.title);
        this.#count();
      }
    }, LINGER_SECONDS * 1000);
  }

  #count() {
    const open = [...this.rows.values()].filter((row) => row.phase !== "closed").length;
    for (const part of [this.parts.count, byId("tab-questions")]) {
      write(part, open ? String(open) : "");
    }
    this.parts.empty.hidden = !this.seen || this.rows.size > 0;
  }

  /** @param {import("./question.js").Asked} record */
  async #mute({ asker, asker_id }) {
    const name = visibleLine(asker);
    const text = "Whatever it asks from now on is refused, and nobody hears of it. What it has asked already stays, to be answered.";
    if (await confirmed({ title: `Mute ${name}?`, text, yes: "Mute" })) {
      await this.#heard({ asker, asker_id }, true);
    }
  }

  /**
   * @param {Muted} who
   * @param {boolean} muted
   */
  async #heard({ asker, asker_id }, muted) {
    try {
      await call("POST", "asks/mute", { asker: asker_id, muted });
      announce(`${visibleLine(asker)}: ${muted ? "muted" : "heard again"}`);
      this.hooks.changed();
    } catch (error) {
      write(this.parts.note, trouble(error));
    }
  }

  /** @param {Muted[]} muted */
  #muted(muted) {
    const known = this.parts.muted.dataset.of ?? "";
    const of = JSON.stringify(muted.map(({ asker_id }) => asker_id));
    if (of === known) {
      return;
    }
    this.parts.muted.dataset.of = of;
    this.parts.muted.replaceChildren(
      ...muted.map((who) => {
        const button = make("button", { type: "button", class: "plain" }, `Hear ${visibleLine(who.asker)} again`);
        button.hidden = !this.mayDecide;
        button.addEventListener("click", () => void this.#heard(who, false));
        return button;
      }),
    );
  }

  /** Show those that were answered before, or put them away. */
  async #answered() {
    const { open, answered } = this.parts;
    const { visit } = this;
    const shows = open.getAttribute("aria-expanded") !== "true";
    open.setAttribute("aria-expanded", String(shows));
    answered.hidden = !shows;
    if (!shows) {
      return;
    }
    try {
      const { asks } = await call("GET", "asks?state=ended");
      if (visit === this.visit) {
        answered.replaceChildren(...(asks.length ? asks.map(answeredBefore) : [make("p", { class: "quiet" }, "None in the last 30 days.")]));
      }
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      write(this.parts.note, trouble(error));
    }
  }
}

/** @param {import("./question.js").Asked} record */
function answeredBefore(record) {
  const summary = make("summary", {}, make("bdi", {}, visibleLine(record.title)), " ", make("span", { class: "quiet" }, `${fateOf(record).sentence}. `, timeElement(record.decided_at ?? record.expires_at)));
  return make("details", {}, summary, make("p", { class: "quiet" }, `Asked by ${visibleLine(record.asker)}`), ...shownInFull(record));
}
