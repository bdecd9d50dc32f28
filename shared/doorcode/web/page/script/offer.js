// After a denial: the offer to block the person too, as the prompts in the chats make it.

import { call } from "./api.js";
import { make, setBusy, write } from "./elements.js";
import { trouble, whom } from "./words.js";

/** @typedef {{open: boolean, busy: boolean}} Offer whether it still stands, and whether it is being taken */

/**
 * Put the button beside the outcome.
 * @param {import("./request.js").Waiting} record
 * @param {Record<string, any>} parts the row's
 * @param {() => void} done
 * @returns {Offer}
 */
export function offerToBlock(record, parts, done) {
  const offer = { open: true, busy: false };
  const button = make("button", { type: "button", class: "danger", "aria-label": `Block ${whom(record)}` }, "Block");
  button.addEventListener("click", async () => {
    if (offer.busy) {
      return;
    }
    offer.busy = true;
    setBusy(button, true);
    write(parts.problem, "");
    try {
      await call("POST", "pairing/block", { channel: record.platform, user_id: record.user_id });
      offer.open = false;
      done();
      button.remove();
    } catch (error) {
      write(parts.problem, trouble(error));
    } finally {
      offer.busy = false;
      setBusy(button, false);
    }
  });
  parts.outcome.append(button);
  return offer;
}
