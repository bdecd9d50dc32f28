// On a narrow screen, one part of the page at a time; on a wide one, all of it, and no tabs. Which part stands in the
// address, so that going back and reloading do what they do everywhere.

import { byId } from "./elements.js";

const FIRST = "waiting";

/** Begin to follow the address. */
export function startTabs() {
  addEventListener("hashchange", follow);
  byId("tabs").addEventListener("click", (/** @type {MouseEvent} */ event) => {
    const link = /** @type {Element} */ (event.target).closest("a");
    if (link) {
      // Not as a link does it, which would scroll to where the part begins, behind the tabs.
      event.preventDefault();
      goTo(new URL(link.href).hash);
    }
  });
  follow();
}

/**
 * Show the part of that name.
 * @param {string} hash with its `#`
 */
export function goTo(hash) {
  if (location.hash !== hash) {
    history.pushState(null, "", hash);
  }
  follow();
  scrollTo(0, 0);
}

addEventListener("popstate", () => follow());

function follow() {
  const links = [.../** @type {NodeListOf<HTMLAnchorElement>} */ (byId("tabs").querySelectorAll("a"))];
  const names = links.map((link) => new URL(link.href).hash.slice(1));
  const wanted = location.hash.slice(1);
  const shown = names.includes(wanted) ? wanted : FIRST;
  links.forEach((link, at) => (names[at] === shown ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
  for (const section of document.querySelectorAll("section[data-tab]")) {
    section.classList.toggle("elsewhere", /** @type {HTMLElement} */ (section).dataset.tab !== shown);
  }
  for (const column of document.querySelectorAll(".column")) {
    column.classList.toggle("elsewhere", !column.querySelector("section:not(.elsewhere)"));
  }
}
