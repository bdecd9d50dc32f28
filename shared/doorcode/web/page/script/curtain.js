// The sign-in notice: alone at first, later in place of the page, which comes back as it was.

import { byId, write } from "./elements.js";

/** @satisfies {Record<string, [title: string, text: string]>} */
const NOTICES = {
  none: ["Sign in", "This page is for the bot's owner."],
  spent: ["This link does not work any more", "It has expired, or was used before."],
  over: ["You are signed out", "Your session has ended. What you typed is still here."],
  left: ["You are signed out", "See you."],
  unreachable: ["Doorcode does not answer", "The connection may be down, or Doorcode is being updated."],
};

const COVERED = ["top", "trouble", "tabs", "page", "foot"];

/** @type {HTMLElement | null} */
let focused = null;

/**
 * Show why nobody is signed in, and what to do.
 * @param {keyof typeof NOTICES} why
 * @param {string} [more] a sentence that says it more exactly
 */
export function raise(why, more) {
  const curtain = byId("curtain");
  const page = byId("page");
  const [title, text] = NOTICES[why];
  const again = !curtain.hidden && byId("curtain-title").textContent === title;
  write(byId("curtain-title"), title);
  write(byId("curtain-why"), more ?? text);
  byId("curtain-how").hidden = why === "unreachable";
  if (curtain.hidden) {
    focused = page.hidden ? null : /** @type {HTMLElement | null} */ (document.activeElement);
  }
  byId("loading").hidden = true;
  curtain.hidden = false;
  curtain.classList.toggle("before", !page.hidden);
  cover(true);
  if (!again) {
    byId("curtain-title").focus();
  }
}

/** Show the page, and go on where the reader was. */
export function lift() {
  byId("loading").hidden = true;
  byId("curtain").hidden = true;
  cover(false);
  byId("page").hidden = false;
  focused?.focus();
  focused = null;
}

/** @param {boolean} covered */
function cover(covered) {
  for (const id of COVERED) {
    byId(id).inert = covered;
  }
}

/** Whether the notice is shown. */
export function raised() {
  return !byId("curtain").hidden;
}
