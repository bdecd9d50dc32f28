// The platforms that there are, as the server says.

import { make } from "./elements.js";
import { platformName } from "./words.js";

/**
 * Offer them wherever one is chosen. What is chosen there already stays so.
 * @param {string[]} platforms
 */
export function offerPlatforms(platforms) {
  for (const select of /** @type {NodeListOf<HTMLSelectElement>} */ (document.querySelectorAll("select[data-platforms]"))) {
    if (select.options.length === 0) {
      const all = select.dataset.platforms;
      select.append(...(all ? [make("option", { value: "" }, all)] : []), ...platforms.map((platform) => make("option", { value: platform }, platformName(platform))));
    }
  }
}
