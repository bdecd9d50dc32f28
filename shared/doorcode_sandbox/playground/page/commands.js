// The command lines that do what the buttons do, for whoever is shown.

import { command, h } from "./dom.js";

/** @typedef {[title: string, said: string]} Way */

/** @type {Way[]} */
const GENERAL = [
  ["Who waits, and who is paired", "pairing list"],
  ["A sign-in link to the owner’s page", "web"],
  ["What is right with the stack, and what is wrong", "doctor"],
];

/**
 * Entries for keyed(): what fits the state of `person`, then what always does; `program` and `where` are how it is called for this sandbox.
 * @param {import("./types.js").Person | undefined} person
 * @param {import("./types.js").Item | undefined} contact
 * @param {{program: string, where: string}} called
 * @returns {import("./types.js").Entry[]}
 */
export function commands(person, contact, { program, where }) {
  const lines = person ? fitting(person, contact?.state) : [];
  return [...lines, ...GENERAL].map(([title, said]) => {
    const line = `${program} ${said} ${where}`;
    return { key: line, version: title, draw: () => h("div", { class: "way" }, h("span", {}, title), command(line)) };
  });
}

/**
 * @param {import("./types.js").Person} person
 * @param {string} [state]
 */
function fitting({ platform, id, name }, state = "") {
  const does = (/** @type {string} */ verb, rest = "") => `pairing ${verb} ${platform} ${id}${rest}`;
  /** @type {Way} */
  const add = [`Let ${name} in without a request`, does("add")];
  /** @type {Way} */
  const block = [`Drop whatever ${name} sends`, does("block")];
  /** @type {Record<string, Way[]>} */
  const ways = {
    pending: [[`Approve ${name}’s request`, `pairing approve ${platform} --user ${id}`], block],
    paired: [[`Let ${name} out again`, does("revoke")], [`Let ${name} in for a week`, does("add", " --for 7d")], block],
    blocked: [[`Let ${name} ask again`, does("unblock")]],
  };
  return ways[state] ?? [add, block];
}
