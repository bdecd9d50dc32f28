// Small moves on the document. Text goes in as text, never as markup.

const SETTLE_SECONDS = 0.4;

/** @type {WeakMap<Element, ReturnType<typeof setTimeout>>} */
const settling = new WeakMap();

/**
 * The element with that id, which the page has.
 * @param {string} id
 * @returns {any}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) {
    throw new Error(`the page has no #${id}`);
  }
  return found;
}

/**
 * The elements below `root` that carry `data-part`, by its value.
 * @param {ParentNode} root
 * @returns {Record<string, any>}
 */
export function partsOf(root) {
  const found = /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-part]"));
  return Object.fromEntries([...found].map((element) => [element.dataset.part, element]));
}

/**
 * A copy of a template's one element, with its parts.
 * @param {string} id
 * @returns {{element: HTMLElement, parts: Record<string, any>}}
 */
export function fromTemplate(id) {
  const copy = document.importNode(byId(id).content, true);
  return { element: copy.firstElementChild, parts: partsOf(copy) };
}

/**
 * Make an element.
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/**
 * Write a text where it is another one: what stays the same is not read out again, nor its selection lost.
 * @param {Element} element
 * @param {string} text
 */
export function write(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/**
 * Put `wanted` into `list` in that order, and nothing else. What is in its place is not touched: moving the element
 * that has the focus would take it away.
 * @param {Element} list
 * @param {Element[]} wanted
 */
export function arrange(list, wanted) {
  const keep = new Set(wanted);
  let moved = false;
  for (const child of [...list.children]) {
    if (!keep.has(child)) {
      child.remove();
      moved = true;
    }
  }
  let place = list.firstElementChild;
  for (const element of wanted) {
    if (element === place) {
      place = place.nextElementSibling;
    } else {
      list.insertBefore(element, place);
      moved = true;
    }
  }
  if (moved) {
    settle(list);
  }
}

/**
 * Rows have moved: for a moment, a press aimed at what was there before does nothing.
 * @param {Element} list
 */
export function settle(list) {
  list.classList.add("settling");
  clearTimeout(settling.get(list));
  settling.set(list, setTimeout(() => list.classList.remove("settling"), SETTLE_SECONDS * 1000));
}

/**
 * Take a row away, and hand the focus on if it was inside: to the next row's heading, or else to `otherwise`.
 * @param {HTMLElement} row
 * @param {HTMLElement} otherwise
 */
export function takeAway(row, otherwise) {
  if (row.parentElement) {
    settle(row.parentElement);
  }
  if (row.contains(document.activeElement)) {
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    /** @type {HTMLElement} */ (neighbour?.querySelector("h3") ?? otherwise).focus();
  }
  row.remove();
}

/**
 * Show that a button is at work. It keeps the focus, which a disabled one would lose.
 * @param {HTMLButtonElement} button
 * @param {boolean} busy
 */
export function setBusy(button, busy) {
  if (busy) {
    button.setAttribute("aria-disabled", "true");
  } else {
    button.removeAttribute("aria-disabled");
  }
}
