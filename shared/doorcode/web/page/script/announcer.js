// Tells what happens to those who do not see it: screen readers read what is put here, when they are done with the rest.

import { raised } from "./curtain.js";
import { byId } from "./elements.js";

const KEPT_SECONDS = 15;

/**
 * Say a sentence, unless nobody is signed in: it may be about somebody.
 * @param {string} sentence
 */
export function announce(sentence) {
  if (raised()) {
    return;
  }
  const line = document.createElement("p");
  line.textContent = sentence;
  byId("announcer").append(line);
  setTimeout(() => line.remove(), KEPT_SECONDS * 1000);
}

/** Take back what was said. */
export function hush() {
  byId("announcer").replaceChildren();
}
