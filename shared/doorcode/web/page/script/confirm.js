// A question that has to be answered before something is done.

import { byId, write } from "./elements.js";

/**
 * Ask, and give whether the answer was yes. Escape means no; the focus begins on Cancel and goes back to where it was.
 * @param {{title: string, whom?: string, text: string, yes: string}} question
 * @returns {Promise<boolean>}
 */
export function confirmed({ title, whom = "", text, yes }) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("confirm"));
  write(byId("confirm-title"), title);
  write(byId("confirm-whom"), whom);
  byId("confirm-whom").hidden = !whom;
  write(byId("confirm-text"), text);
  write(byId("confirm-yes"), yes);
  byId("confirm-yes").onclick = () => dialog.close("yes");
  byId("confirm-no").onclick = () => dialog.close("no");
  return new Promise((resolve) => {
    dialog.returnValue = "no";
    dialog.onclose = () => {
      // Whom it was about is nobody's business after signing out.
      write(byId("confirm-title"), "");
      write(byId("confirm-whom"), "");
      resolve(dialog.returnValue === "yes");
    };
    dialog.showModal();
    byId("confirm-no").focus();
  });
}

/** Take a question back that nobody can answer any more. */
export function dismiss() {
  byId("confirm").close("no");
}
