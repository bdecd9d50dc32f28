// The waiting room: the requests as the server lists them, and for some seconds those that have just been decided.

import { announce } from "./announcer.js";
import { call } from "./api.js";
import { arrange, byId, partsOf, takeAway, write } from "./elements.js";
import { Everybody } from "./everybody.js";
import { Request } from "./request.js";
import { countdown, now, seconds, setServerTime } from "./times.js";
import { platformName, whom } from "./words.js";

const LINGER_SECONDS = 6;
// Longer where there is still something to do.
const OFFER_SECONDS = 12;
const LEAVE_SECONDS = 0.25;
// Fewer than this are seen at a glance, and need neither a search nor a summary.
const CROWD = 6;

/**
 * A request's own key: a later one of the same person is another.
 * @param {import("./request.js").Waiting} record
 */
function keyOf({ platform, user_id, requested_at }) {
  return `${platform}#${user_id}#${requested_at}`;
}

/** The list of requests. */
export class WaitingRoom {
  /** @param {{changed: () => void}} hooks `changed` when somebody was decided on, here or elsewhere */
  constructor(hooks) {
    this.hooks = hooks;
    this.mayDecide = false;
    /** @type {Map<string, Request>} */
    this.rows = new Map();
    /** @type {Set<string>} those that were closed and taken away: an older answer must not bring them back */
    this.gone = new Set();
    /** @type {Map<string, ReturnType<typeof setTimeout>>} */
    this.leaving = new Map();
    this.seen = false;
    // An answer that was on its way when everything was forgotten is not shown to whoever comes next.
    this.visit = 0;
    this.list = byId("requests");
    const { search, only, query } = partsOf(byId("waiting"));
    this.filter = { search, only, query };
    const narrowed = () => ({ only: only.value, searched: Boolean(query.value.trim()) });
    this.everybody = new Everybody(() => this.#open(), narrowed, () => {
      this.#count();
      this.hooks.changed();
    });
    search.addEventListener("input", () => this.#arrange());
    search.addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());
    setInterval(() => this.#tick(), 1000);
  }

  /** Read the list and show it. */
  async refresh() {
    const { visit } = this;
    const answer = await call("GET", "pairing/pending");
    if (visit === this.visit) {
      setServerTime(answer.now);
      this.#show(answer.pending);
    }
  }

  /** Forget everything. */
  clear() {
    this.visit += 1;
    this.rows.clear();
    this.gone.clear();
    this.seen = false;
    this.filter.search.reset();
    this.#arrange();
  }

  /** @param {import("./request.js").Waiting[]} records */
  #show(records) {
    const listed = new Set(records.map(keyOf));
    for (const record of records) {
      this.rows.get(keyOf(record))?.update(record);
    }
    const arrivals = records.filter((record) => !this.rows.has(keyOf(record)) && !this.gone.has(keyOf(record)));
    for (const record of arrivals) {
      this.#add(record);
    }
    for (const [key, row] of this.rows) {
      if (!listed.has(key)) {
        void row.settle();
      }
    }
    const first = !this.seen;
    this.seen = true;
    this.#arrange();
    if (!first) {
      this.#announce(arrivals);
    }
  }

  /** @param {import("./request.js").Waiting} record */
  #add(record) {
    const key = keyOf(record);
    const { visit } = this;
    const row = new Request(record, {
      mayDecide: this.mayDecide,
      decided: () => this.hooks.changed(),
      // A decision may have been on its way when everything was forgotten.
      closed: (request, sentence) => visit === this.visit && this.#closed(key, request, sentence),
    });
    if (this.seen) {
      row.element.classList.add("arrives");
    }
    this.rows.set(key, row);
  }

  /**
   * @param {string} key
   * @param {Request} request
   * @param {string} sentence
   */
  #closed(key, request, sentence) {
    announce(`${whom(request.record)}: ${sentence}`);
    this.gone.add(key);
    this.#count();
    this.hooks.changed();
    clearTimeout(this.leaving.get(key));
    this.leaving.set(key, setTimeout(() => this.#leave(key, request), (request.offer?.open ? OFFER_SECONDS : LINGER_SECONDS) * 1000));
  }

  /**
   * @param {string} key
   * @param {Request} request
   */
  #leave(key, request) {
    if (!request.offer?.busy) {
      request.element.classList.add("leaves");
      setTimeout(() => this.#remove(key, request), LEAVE_SECONDS * 1000);
    }
  }

  /**
   * @param {string} key
   * @param {Request} request
   */
  #remove(key, request) {
    if (this.rows.get(key) !== request) {
      return;
    }
    this.rows.delete(key);
    this.leaving.delete(key);
    takeAway(request.element, byId("waiting-title"));
    this.#arrange();
  }

  /** Those who are searched for, oldest first, so that an arrival moves nobody. */
  #arrange() {
    const text = this.filter.query.value.trim().toLowerCase();
    const fitting = [...this.rows.values()].filter((row) => row.fits(this.filter.only.value, text));
    const rows = fitting.sort((one, other) => seconds(one.record.requested_at) - seconds(other.record.requested_at));
    arrange(this.list, rows.map((row) => row.element));
    this.#count();
  }

  #open() {
    return [...this.rows.values()].filter((row) => row.phase !== "closed");
  }

  #count() {
    const waiting = this.#open().length;
    for (const id of ["waiting-count", "tab-count"]) {
      write(byId(id), waiting ? String(waiting) : "");
    }
    const { search, only, query } = this.filter;
    search.hidden = waiting < CROWD && !only.value && !query.value && !search.contains(document.activeElement);
    byId("waiting-unfound").hidden = this.rows.size === 0 || this.list.childElementCount > 0;
    this.#summarise();
    byId("waiting-empty").hidden = !this.seen || this.rows.size > 0;
    byId("waiting-hint").hidden = this.rows.size === 0;
    this.everybody.show(this.mayDecide);
    document.title = waiting ? `(${waiting}) Doorcode` : "Doorcode";
  }

  /** A crowd in one sentence: who can look at each, and before when. */
  #summarise() {
    const open = this.#open();
    byId("waiting-digest").hidden = open.length < CROWD;
    if (open.length < CROWD) {
      return;
    }
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const { record } of open) {
      counts.set(record.platform, (counts.get(record.platform) ?? 0) + 1);
    }
    const where = [...counts].sort(([, one], [, other]) => other - one).map(([platform, count]) => `${count} on ${platformName(platform)}`);
    const first = Math.min(...open.map(({ record }) => seconds(record.expires_at)));
    write(byId("waiting-digest"), `${open.length} people wait: ${where.join(", ")}. The first of these requests expires in ${countdown(first - now())}.`);
  }

  /** @param {import("./request.js").Waiting[]} arrivals */
  #announce(arrivals) {
    const [first, ...others] = arrivals;
    if (first && others.length === 0) {
      announce(`New request from ${whom(first)}`);
    } else if (first) {
      announce(`${arrivals.length} new requests`);
    }
  }

  #tick() {
    if (!document.hidden) {
      for (const row of this.rows.values()) {
        row.tick();
      }
      this.#summarise();
    }
  }
}
