// The only place that makes elements. Text goes in as text: nothing here, or anywhere on this page, reads markup.

/** Make an element: `class`, `data` (an object), `on…` (listeners), any other attribute; then its children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Change a text only if it is another one, so that a screen reader is not told the same twice. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const drawn = new WeakMap();

/**
 * Bring a parent's children into line with `entries` ({key, version, draw}), and touch only what changed.
 * What a reader had opened (`details`) or focused is open or focused again in what takes its place, found by `data-part`.
 */
export function keyed(parent, entries) {
  const known = drawn.get(parent) ?? new Map();
  const kept = new Map();
  const keys = new Set(entries.map((entry) => entry.key));
  for (const [key, { node }] of known) if (!keys.has(key)) node.remove();
  let cursor = parent.firstChild;
  for (const { key, version, draw } of entries) {
    const old = known.get(key);
    let node = old?.node;
    if (!old || old.version !== version) {
      node = draw();
      if (old) {
        if (cursor === old.node) cursor = node;
        replace(old.node, node);
      }
    }
    if (node === cursor) cursor = cursor.nextSibling;
    else parent.insertBefore(node, cursor);
    kept.set(key, { node, version });
  }
  drawn.set(parent, kept);
}

function replace(old, made) {
  const opened = [old, ...old.querySelectorAll("details")].filter((node) => node.open).map((node) => node.dataset.part);
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  old.replaceWith(made);
  for (const details of [made, ...made.querySelectorAll("details")]) {
    if (details.localName === "details" && opened.includes(details.dataset.part)) details.open = true;
  }
  if (focused) {
    const part = focused.dataset.part;
    const again = part && made.querySelector(`[data-part="${CSS.escape(part)}"]`);
    if (!again) made.tabIndex = -1;
    (again || made).focus({ preventScroll: true });
  }
}

/** Fill a select with [value, text] pairs or {label, options} groups; leave it alone while nothing changed. */
export function options(select, choices, chosen) {
  const shape = JSON.stringify(choices);
  if (select.dataset.shape !== shape) {
    const option = ([value, text]) => h("option", { value }, text);
    select.replaceChildren(
      ...choices.map((choice) =>
        Array.isArray(choice) ? option(choice) : h("optgroup", { label: choice.label }, choice.options.map(option)),
      ),
    );
    select.dataset.shape = shape;
  }
  if (select.value !== chosen) select.value = chosen;
}

/** A button that copies a text, and says that it did. */
export function copier(text, what = "Copy") {
  const button = h("button", { type: "button", class: "copy", data: { part: `copy ${what}` }, onclick: copy }, what);
  async function copy() {
    try {
      await navigator.clipboard.writeText(typeof text === "function" ? text() : text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => (button.textContent = what), 1500);
  }
  return button;
}

/** A command that can be copied. */
export function command(line) {
  return h("span", { class: "command" }, h("code", {}, line), copier(line));
}
