// Inline markup to elements: a list of [pattern, draw] rules, tried together, first match in the text wins.

import { h } from "./dom.js";

const DEEPEST = 8;

/**
 * Return a function (text, context) → nodes. `plain` turns what no rule takes into text.
 * @param {import("./types.js").Rule[]} rules
 * @param {(text: string) => string} [plain]
 */
export function inline(rules, plain = (text) => text) {
  const source = rules.map(([pattern], index) => `(?<r${index}>${pattern.source})`).join("|");
  /**
   * @param {string} text
   * @param {import("./types.js").Context} [context]
   * @param {number} [depth]
   * @returns {import("./types.js").Child[]}
   */
  return function nodes(text, context = {}, depth = 0) {
    const pattern = new RegExp(source, "gmu");
    /** @type {import("./types.js").Child[]} */
    const found = [];
    let at = 0;
    for (const match of depth < DEEPEST ? text.matchAll(pattern) : []) {
      if (match.index > at) found.push(plain(text.slice(at, match.index)));
      const rule = rules.find((_, number) => match.groups?.[`r${number}`] !== undefined);
      if (!rule) continue;
      const [single, draw] = rule;
      const groups = match[0].match(new RegExp(`^(?:${single.source})$`, "mu")) ?? [match[0], match[0]];
      found.push(draw(/** @type {import("./types.js").Groups} */ (/** @type {unknown} */ (groups)), (inner) => nodes(inner, context, depth + 1), context));
      at = match.index + match[0].length;
    }
    if (at < text.length) found.push(plain(text.slice(at)));
    return found;
  };
}

/**
 * A link as it would look. It leads nowhere: what a stranger wrote is not followed from this machine.
 * @param {string} address
 * @param {...import("./types.js").Child} shown
 */
export const link = (address, ...shown) => h("span", { class: "link", title: address }, shown.length ? shown : address);
export const mention = (/** @type {import("./types.js").Child} */ shown) => h("span", { class: "mention" }, shown);
