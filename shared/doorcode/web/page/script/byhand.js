// Letting somebody in, or blocking them, by platform and id: they need not have written.

import { announce } from "./announcer.js";
import { call } from "./api.js";
import { Drawer } from "./drawer.js";
import { stayField } from "./stay.js";
import { whom } from "./words.js";

/**
 * Make the form that lets somebody in.
 * @param {() => void} changed
 */
export function adding(changed) {
  const drawer = new Drawer("add", async ({ label }) => {
    const named = label.value.trim();
    await send(drawer, "add", "let in", { ...(named && { label: named }), ...(stay.seconds && { for: stay.seconds }) });
    stay.reset();
    changed();
  });
  const stay = stayField(drawer.parts.stay, "They stay", [["0", "For ever"]]);
  return drawer;
}

/**
 * Make the form that blocks somebody.
 * @param {() => void} changed
 */
export function blocking(changed) {
  const drawer = new Drawer("block", async () => {
    await send(drawer, "block", "blocked", {});
    changed();
  });
  return drawer;
}

/**
 * @param {Drawer} drawer
 * @param {"add" | "block"} verb
 * @param {string} done
 * @param {object} more
 */
async function send(drawer, verb, done, more) {
  const { platform, id } = drawer.parts;
  const user_id = id.value.trim();
  await call("POST", `pairing/${verb}`, { channel: platform.value, user_id, ...more });
  announce(`${whom({ platform: platform.value, user_id })}: ${done}`);
  // Whoever adds one often adds another, on the same platform.
  const chosen = platform.value;
  drawer.form.reset();
  platform.value = chosen;
  drawer.close();
}
