// The only place that makes elements. Text goes in as text: nothing here, or anywhere on this page, reads markup.

/** @typedef {import("./types.js").Child} Child */

/**
 * Make an element: `class`, `data` (an object), `on…` (listeners), any other attribute; then its children.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flatMap(flat));
  return element;
}

/**
 * @param {Child} child
 * @returns {(Node | string)[]}
 */
const flat = (child) => (Array.isArray(child) ? child.flatMap(flat) : child === null || child === undefined || child === false ? [] : [child]);

/**
 * Change a text only if it is another one, so that a screen reader is not told the same twice.
 * @param {Element} element
 * @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @type {WeakMap<Element, Map<string, {node: HTMLElement, version: string}>>} */
const drawn = new WeakMap();

/**
 * Bring a parent's children into line with `entries` ({key, version, draw}), and touch only what changed.
 * What a reader had opened (`details`) or focused is open or focused again in what takes its place, found by `data-part`.
 * @param {Element} parent
 * @param {import("./types.js").Entry[]} entries
 */
export function keyed(parent, entries) {
  const known = drawn.get(parent) ?? new Map();
  const kept = new Map();
  const keys = new Set(entries.map((entry) => entry.key));
  for (const [key, { node }] of known) if (!keys.has(key)) node.remove();
  /** @type {ChildNode | null} */
  let cursor = parent.firstChild;
  for (const { key, version, draw } of entries) {
    const old = known.get(key);
    const node = old?.version === version ? old.node : draw();
    if (old && node !== old.node) {
      if (cursor === old.node) cursor = node;
      replace(old.node, node);
    }
    if (node === cursor) cursor = node.nextSibling;
    else parent.insertBefore(node, cursor);
    kept.set(key, { node, version });
  }
  drawn.set(parent, kept);
}

/**
 * @param {HTMLElement} old
 * @param {HTMLElement} made
 */
function replace(old, made) {
  const opened = allDetails(old).filter((details) => details.open).map((details) => details.dataset.part);
  const focused = old.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
  old.replaceWith(made);
  for (const details of allDetails(made)) {
    if (opened.includes(details.dataset.part)) details.open = true;
  }
  if (focused) {
    const part = focused.dataset.part;
    /** @type {HTMLElement | null} */
    const again = part ? made.querySelector(`[data-part="${CSS.escape(part)}"]`) : null;
    if (!again) made.tabIndex = -1;
    (again ?? made).focus({ preventScroll: true });
  }
}

/** @param {HTMLElement} root */
const allDetails = (root) => [...(root instanceof HTMLDetailsElement ? [root] : []), ...root.querySelectorAll("details")];

/** @typedef {[value: string, text: string]} Choice */

/**
 * Fill a select with [value, text] pairs or {label, options} groups; leave it alone while nothing changed.
 * @param {HTMLSelectElement} select
 * @param {(Choice | {label: string, options: Choice[]})[]} choices
 * @param {string} chosen
 */
export function options(select, choices, chosen) {
  const shape = JSON.stringify(choices);
  if (select.dataset.shape !== shape) {
    const option = (/** @type {Choice} */ [value, text]) => h("option", { value }, text);
    select.replaceChildren(
      ...choices.map((choice) =>
        Array.isArray(choice) ? option(choice) : h("optgroup", { label: choice.label }, choice.options.map(option)),
      ),
    );
    select.dataset.shape = shape;
  }
  if (select.value !== chosen) select.value = chosen;
}

/**
 * A button that copies a text, and says that it did.
 * @param {string} text
 */
export function copier(text, what = "Copy") {
  const button = h("button", { type: "button", class: "copy", data: { part: `copy ${what}` }, onclick: copy }, what);
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => (button.textContent = what), 1500);
  }
  return button;
}

/**
 * A command that can be copied.
 * @param {string} line
 */
export function command(line) {
  return h("span", { class: "command" }, h("code", {}, line), copier(line));
}
