// A list that stays at its newest entry, unless its reader went up.

import { h } from "./dom.js";

const NEAR = 48;

/**
 * Watch a list: call `settle(grew)` after every change. Returns the button that leads back down, too.
 * @param {HTMLElement} list
 */
export function follower(list) {
  let below = true;
  let seen = 0; // where the list stood when it was last looked at
  const newer = h("button", { type: "button", class: "newer", hidden: true, onclick: newest }, "New messages ↓");
  const near = () => list.scrollHeight - list.scrollTop - list.clientHeight < NEAR;

  list.addEventListener("scroll", () => {
    below = near();
    seen = list.scrollTop;
    if (below) newer.hidden = true;
  });
  // Where the list gets smaller (a keyboard opens, a panel beside it), its newest entry stays in sight.
  new ResizeObserver(() => below && bottom()).observe(list);

  function bottom() {
    list.scrollTop = list.scrollHeight;
    seen = list.scrollTop;
  }

  function newest() {
    below = true;
    newer.hidden = true;
    bottom();
    list.focus({ preventScroll: true });
  }

  /** @param {boolean} grew */
  function settle(grew) {
    // The reader may have gone up a moment ago: the browser tells of that with its next frame only.
    if (list.scrollTop < seen && !near()) below = false;
    if (below) bottom();
    else if (grew) newer.hidden = false;
  }

  /** Another chat is shown now: begin at its end. */
  function restart() {
    below = true;
    newer.hidden = true;
    bottom();
  }

  return { newer, settle, restart };
}
