// Telegrams, as they are written down.

import { h } from "./dom.js";

export const TITLE = "Morse";
export const PLACEHOLDER = "Wire as";
export const PROOF = "the key";

export function draw({ shown, buttons }, { button, byline, foot }) {
  return [byline, h("div", { class: "text" }, `${shown.text} STOP`), (buttons ?? []).flat().map(button), foot];
}
