// A claim or an invite as it was made: shown once, and gone with the press that puts it away.

import { announce } from "./announcer.js";
import { fromTemplate, write } from "./elements.js";
import { countdown, now, seconds, showTime, spoken } from "./times.js";
import { platformName } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
// What is light around the dark: https://www.qrcode.com/en/howto/code.html
const MARGIN = 4;
const COPIED_SECONDS = 3;

/**
 * @typedef {object} Way how it is used on a platform
 * @property {string} platform
 * @property {string} text
 * @property {string} link empty where there is none
 * @property {{size: number, path: string} | null} qr
 */

/** The card that shows one. */
export class Ticket {
  /**
   * @param {{heading: string, what: string, ways: Way[], expires_at: string}} made
   * @param {() => void} done called when it was put away
   */
  constructor({ heading, what, ways, expires_at }, done) {
    this.ends = expires_at;
    const { element, parts } = fromTemplate("ticket-card");
    this.element = element;
    this.parts = parts;
    write(parts.heading, heading);
    write(parts.what, what);
    parts.ways.append(...ways.map(wayElement));
    parts.done.addEventListener("click", done);
    this.tick();
  }

  /** Show what is left of its time. */
  tick() {
    const left = seconds(this.ends) - now();
    showTime(this.parts.until, this.ends, left > 0 ? `${spoken(this.ends)} (${countdown(left)} left)` : `${spoken(this.ends)}: it is over`);
  }
}

/** @param {Way} way */
function wayElement({ platform, text, link, qr }) {
  const { element, parts } = fromTemplate("ticket-way");
  const name = platformName(platform);
  write(parts.platform, name);
  write(parts.how, link ? "Open this link, and press Start:" : "Send this to the bot, in a direct chat:");
  write(parts.text, link || text);
  parts.copy.setAttribute("aria-label", `Copy ${link ? "the link" : "the text"} for ${name}`);
  parts.copy.addEventListener("click", () => void copy(link || text, parts));
  if (qr) {
    parts.qr.append(picture(qr, `The link for ${name} as a QR code`));
    parts.qr.hidden = false;
  }
  return element;
}

/**
 * @param {string} text
 * @param {Record<string, any>} parts
 */
async function copy(text, parts) {
  try {
    await navigator.clipboard.writeText(text);
    write(parts.copy, "Copied");
    announce("Copied");
  } catch {
    // Where the browser does not let us, it is at least marked.
    getSelection()?.selectAllChildren(parts.text);
    write(parts.copy, "Marked: copy it");
    announce("It could not be copied, and is marked.");
  }
  setTimeout(() => write(parts.copy, "Copy"), COPIED_SECONDS * 1000);
}

/**
 * Dark on light, whatever the page's colours: some cameras read nothing else.
 * @param {{size: number, path: string}} qr
 * @param {string} name
 */
function picture({ size, path }, name) {
  const whole = size + 2 * MARGIN;
  const svg = drawn("svg", { viewBox: `${-MARGIN} ${-MARGIN} ${whole} ${whole}`, role: "img", "aria-label": name, "shape-rendering": "crispEdges" });
  svg.append(drawn("rect", { x: String(-MARGIN), y: String(-MARGIN), width: String(whole), height: String(whole), fill: "#fff" }), drawn("path", { d: path, fill: "#000" }));
  return svg;
}

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 */
function drawn(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  return element;
}
