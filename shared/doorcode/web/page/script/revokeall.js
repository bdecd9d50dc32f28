// Revoking everybody who is paired, on one platform or on all.

import { announce } from "./announcer.js";
import { call } from "./api.js";
import { confirmed } from "./confirm.js";
import { byId, setBusy, write } from "./elements.js";
import { platformName, trouble } from "./words.js";

// One person is revoked at their own row.
const FROM = 2;

/** The button under the list of the paired. */
export class RevokeAll {
  /**
   * @param {{platforms: () => string[], narrowed: () => string, changed: () => void}} hooks which there are, and which one
   *   the list is narrowed to
   */
  constructor(hooks) {
    this.hooks = hooks;
    this.busy = false;
    this.button = byId("revoke-all");
    this.button.addEventListener("click", () => void this.#ask());
  }

  /**
   * @param {number} count how many are listed, 0 where somebody is searched for: whoever sees few of many is not offered
   *   to revoke all
   * @param {boolean} mayDecide
   */
  show(count, mayDecide) {
    byId("revoke-everybody").hidden = !mayDecide || (count < FROM && !this.busy);
  }

  async #ask() {
    const only = this.hooks.narrowed();
    const where = only ? ` on ${platformName(only)}` : "";
    const question = {
      title: `Revoke everybody${where}?`,
      text: `Everybody who is paired${where}, whether they are shown here or not: their next message will not reach the agent. They may ask again. Owners stay.`,
      yes: "Revoke all",
    };
    if (this.busy || !(await confirmed(question))) {
      return;
    }
    this.busy = true;
    setBusy(this.button, true);
    write(byId("revoke-all-problem"), "");
    let [count, failed] = [0, 0];
    try {
      for (const channel of only ? [only] : this.hooks.platforms()) {
        let cursor = "";
        do {
          const answer = await call("POST", "pairing/clear", { channel, cursor });
          count += answer.revoked.length;
          failed += answer.failed.length;
          cursor = answer.cursor;
        } while (cursor);
      }
      announce(`${count} revoked`);
      write(byId("revoke-all-problem"), failed ? `${failed} could not be revoked. Try again.` : "");
    } catch (error) {
      write(byId("revoke-all-problem"), trouble(error));
    } finally {
      this.busy = false;
      setBusy(this.button, false);
      this.hooks.changed();
    }
  }
}
