// The list of those who are paired, or of those who are blocked: searched on the server, shown page by page.

import { announce } from "./announcer.js";
import { ApiError, call } from "./api.js";
import { arrange, byId, partsOf, takeAway, write } from "./elements.js";
import { Person } from "./person.js";
import { whom } from "./words.js";

// On a phone, where a row is tall, what comes below must not be screens away.
const STEP = matchMedia("(max-width: 44rem)").matches ? 8 : 25;
// A search that finds little reads on, this many times at once; "Show more" goes on from there.
const READS = 4;
const TYPING_SECONDS = 0.3;
const LINGER_SECONDS = 4;
// Fewer people than this need no search.
const SEARCHED_FROM = 6;

const EMPTY = {
  paired: "Nobody is paired yet. Approve who waits, add somebody by their id, or make an invite and send it to them.",
  blocked: "Nobody is blocked. Block somebody at their row, or anybody by their id: whatever they write is then dropped.",
};

/** A list of people in one state. */
export class People {
  /**
   * @param {"paired" | "blocked"} kind
   * @param {import("./person.js").Action[]} actions
   * @param {{changed: () => void, shown?: (count: number) => void}} hooks `changed` after a decision made here; `shown`
   *   is told how many are listed, 0 where somebody is searched for
   */
  constructor(kind, actions, hooks) {
    this.kind = kind;
    this.actions = actions;
    this.hooks = hooks;
    this.mayDecide = false;
    this.wanted = STEP;
    this.turn = 0;
    // A decision that was on its way when everything was forgotten is not announced to whoever comes next.
    this.visit = 0;
    /** @type {Map<string, Person>} */
    this.rows = new Map();
    this.parts = partsOf(byId(kind));
    this.title = byId(`${kind}-title`);
    this.parts.query.addEventListener("input", () => this.#typed());
    this.parts.only.addEventListener("change", () => this.#search());
    this.parts.search.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#search();
    });
    this.parts.more.addEventListener("click", () => {
      this.wanted = this.rows.size + STEP;
      void this.#quietly();
    });
    setInterval(() => document.hidden || this.rows.forEach((row) => row.tick()), 1000);
  }

  /** Read the list as far as it is shown, and show it. */
  async refresh() {
    this.turn += 1;
    const { turn } = this;
    const search = this.parts.query.value.trim();
    const platform = this.platform;
    const found = new Map();
    const reads = READS + Math.ceil(this.wanted / STEP);
    let cursor = "";
    for (let read = 0; read < reads && found.size < this.wanted && (cursor || read === 0); read += 1) {
      const asked = new URLSearchParams({ ...(cursor && { cursor }), ...(search && { search }), ...(platform && { platform }) });
      const answer = await call("GET", `pairing/${this.kind}${asked.size ? `?${asked}` : ""}`);
      if (turn !== this.turn) {
        return;
      }
      for (const record of answer[this.kind]) {
        found.set(`${record.platform}#${record.user_id}`, record);
      }
      cursor = answer.cursor;
    }
    this.#show(new Map([...found].slice(0, this.wanted)), { narrowed: Boolean(search || platform), known: found.size, unread: Boolean(cursor) });
  }

  /** The platform that the list is narrowed to, empty for all. */
  get platform() {
    return this.parts.only.value;
  }

  /**
   * Say that what is shown may be old; with an empty sentence, that it is not.
   * @param {string} sentence
   */
  note(sentence) {
    write(this.parts.note, sentence);
  }

  /** Forget everything. */
  clear() {
    this.turn += 1;
    this.visit += 1;
    this.wanted = STEP;
    this.rows.clear();
    this.parts.search.reset();
    this.parts.list.replaceChildren();
    write(this.parts.count, "");
    this.parts.more.hidden = true;
    this.parts.empty.hidden = true;
    this.parts.search.hidden = true;
  }

  /**
   * @param {Map<string, import("./person.js").Known>} found
   * @param {{narrowed: boolean, known: number, unread: boolean}} how `known` fit, as far as the server's list was read;
   *   `narrowed`: they were searched for
   */
  #show(found, { narrowed, known, unread }) {
    const { visit } = this;
    const more = unread || known > found.size;
    for (const [key, record] of found) {
      const row = this.rows.get(key);
      if (row && !row.closed) {
        row.update(record);
      } else if (!row) {
        this.rows.set(key, this.#row(record, key, visit));
      }
    }
    for (const [key, row] of this.rows) {
      if (!found.has(key) && !row.closed && !row.busy) {
        takeAway(row.element, this.title);
        this.rows.delete(key);
      }
    }
    this.#arrange([...found.keys()]);
    const { parts } = this;
    write(parts.count, known ? `${known}${unread ? "+" : ""}` : "");
    parts.more.hidden = !more;
    this.hooks.shown?.(parts.query.value.trim() ? 0 : found.size);
    parts.search.hidden = !narrowed && !more && found.size < SEARCHED_FROM && !parts.search.contains(document.activeElement);
    parts.empty.hidden = this.rows.size > 0;
    write(parts.empty, narrowed ? (more ? "Nobody found so far." : "Nobody found.") : EMPTY[this.kind]);
  }

  /**
   * @param {import("./person.js").Known} record
   * @param {string} key
   * @param {number} visit
   */
  #row(record, key, visit) {
    const done = (/** @type {Person} */ person, /** @type {import("./person.js").Action} */ action) => visit === this.visit && this.#done(key, person, action);
    return new Person(record, { actions: this.mayDecide ? this.actions : [], edited: this.mayDecide && this.kind === "paired" ? this.hooks.changed : undefined, done });
  }

  /**
   * In the server's order; who was decided on just now and is not listed any more keeps the place.
   * @param {string[]} keys
   */
  #arrange(keys) {
    const order = keys.map((key) => this.rows.get(key)?.element);
    const shown = [...this.parts.list.children];
    for (const row of this.rows.values()) {
      if (row.closed && !order.includes(row.element)) {
        const before = shown[shown.indexOf(row.element) - 1];
        order.splice(before ? order.indexOf(/** @type {HTMLElement} */ (before)) + 1 : 0, 0, row.element);
      }
    }
    arrange(this.parts.list, /** @type {HTMLElement[]} */ (order.filter(Boolean)));
  }

  /**
   * @param {string} key
   * @param {Person} person
   * @param {import("./person.js").Action} action
   */
  #done(key, person, action) {
    announce(`${whom(/** @type {any} */ (person.record))}: ${action.done}`);
    this.hooks.changed();
    setTimeout(() => {
      if (this.rows.get(key) === person) {
        this.rows.delete(key);
        takeAway(person.element, this.title);
        void this.#quietly();
      }
    }, LINGER_SECONDS * 1000);
  }

  #typed() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.#search(), TYPING_SECONDS * 1000);
  }

  #search() {
    clearTimeout(this.typing);
    this.wanted = STEP;
    void this.#quietly();
  }

  async #quietly() {
    try {
      await this.refresh();
      this.note("");
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this.note("This list could not be read just now.");
    }
  }
}
