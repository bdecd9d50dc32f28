// Turning away everybody who waits, when there are too many to look at each.

import { announce } from "./announcer.js";
import { call } from "./api.js";
import { confirmed } from "./confirm.js";
import { byId, setBusy, write } from "./elements.js";
import { platformName, trouble } from "./words.js";

// One person is turned away at their own request.
const FROM = 2;

/** Two buttons under the list of requests. */
export class Everybody {
  /**
   * @param {() => import("./request.js").Request[]} waiting gives the requests that can be decided on
   * @param {() => {only: string, searched: boolean}} narrowed the platform that the list is narrowed to, empty for all, and
   *   whether somebody is searched for: whoever sees few of many is not offered to turn away all
   * @param {() => void} changed called when somebody was turned away
   */
  constructor(waiting, narrowed, changed) {
    this.waiting = waiting;
    this.narrowed = narrowed;
    this.changed = changed;
    this.busy = false;
    const ask = { title: "Deny everybody who waits", text: "They can ask again later, and have to wait longer each time.", yes: "Deny all" };
    const askBlock = { title: "Deny and block everybody who waits", text: "Whatever they send is dropped until you unblock them.", yes: "Block all" };
    byId("deny-all").addEventListener("click", () => this.#turnAway(false, ask));
    byId("block-all").addEventListener("click", () => this.#turnAway(true, askBlock));
  }

  /** @param {boolean} mayDecide */
  show(mayDecide) {
    const { only, searched } = this.narrowed();
    byId("everybody").hidden = !mayDecide || (!this.busy && (searched || this.#meant(only).length < FROM));
  }

  /** @param {string} only */
  #meant(only) {
    return this.waiting().filter(({ record }) => !only || record.platform === only);
  }

  /**
   * @param {boolean} block
   * @param {{title: string, text: string, yes: string}} question
   */
  async #turnAway(block, question) {
    const { only } = this.narrowed();
    const title = `${question.title}${only ? ` on ${platformName(only)}` : ""}?`;
    if (this.busy || !(await confirmed({ ...question, title }))) {
      return;
    }
    this.#work(true);
    const outcome = block ? "Denied and blocked by you" : "Denied by you";
    let count = 0;
    let failed = 0;
    try {
      for (const channel of new Set(this.#meant(only).map((request) => request.record.platform))) {
        const answer = await call("POST", "pairing/clear-pending", { channel, block });
        count += answer.cleared.length;
        failed += answer.failed.length;
        const cleared = new Set(answer.cleared);
        for (const request of this.waiting()) {
          if (request.record.platform === channel && cleared.has(request.record.user_id)) {
            request.close({ sentence: outcome, tone: "bad" });
          }
        }
      }
      announce(`${count} ${count === 1 ? "request" : "requests"}: ${outcome}`);
      write(byId("everybody-problem"), failed ? `${failed} could not be turned away. Try again.` : "");
    } catch (error) {
      write(byId("everybody-problem"), trouble(error));
    } finally {
      this.#work(false);
      this.changed();
    }
  }

  /** @param {boolean} busy */
  #work(busy) {
    this.busy = busy;
    for (const id of ["deny-all", "block-all"]) {
      setBusy(/** @type {HTMLButtonElement} */ (byId(id)), busy);
    }
    if (busy) {
      write(byId("everybody-problem"), "");
    }
  }
}
