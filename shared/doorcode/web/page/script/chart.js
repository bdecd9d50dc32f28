// A small picture of some days: requests and decisions above, dropped messages below on a scale of their own, as a
// flood of them must not flatten the rest.

import { weekdayOf } from "./times.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 308;
const HEIGHT = 168;
const UPPER = { top: 16, height: 84 };
const LOWER = { top: 118, height: 32 };
const BAR = 8;

/**
 * @typedef {{date: string, requests: number, approved: number, denied: number, dropped: Record<string, number>}} Day
 */

/** What is counted: how it is called, its colour's class, and how many on a day. */
export const SERIES = [
  { name: "Requests", colour: "requests-colour", of: (/** @type {Day} */ day) => day.requests },
  { name: "Approved", colour: "approved-colour", of: (/** @type {Day} */ day) => day.approved },
  { name: "Denied", colour: "denied-colour", of: (/** @type {Day} */ day) => day.denied },
  { name: "Dropped", colour: "dropped-colour", of: (/** @type {Day} */ day) => sum(Object.values(day.dropped)) },
];

/** @param {number[]} numbers */
export function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

/**
 * The picture. It says the same as `description` to those who do not see it.
 * @param {Day[]} days
 * @param {string} description
 */
export function chart(days, description) {
  const picture = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", role: "img", "aria-label": description });
  panel(picture, days, SERIES.slice(0, 3), UPPER);
  panel(picture, days, SERIES.slice(3), LOWER);
  days.forEach((day, index) => {
    const label = draw("text", { x: middle(index, days.length), y: HEIGHT - 4 });
    label.textContent = weekdayOf(day.date);
    picture.append(label);
  });
  return picture;
}

/**
 * @param {Element} picture
 * @param {Day[]} days
 * @param {typeof SERIES} series
 * @param {{top: number, height: number}} place
 */
function panel(picture, days, series, { top, height }) {
  const most = Math.max(0, ...days.flatMap((day) => series.map(({ of }) => of(day))));
  const floor = top + height;
  picture.append(draw("line", { x1: 0, x2: WIDTH, y1: floor, y2: floor }));
  if (most === 0) {
    return;
  }
  const scale = draw("text", { x: 0, y: top - 4, class: "scale" });
  scale.textContent = String(most);
  picture.append(draw("line", { x1: 0, x2: WIDTH, y1: top, y2: top, "stroke-dasharray": "2 4" }), scale);
  days.forEach((day, index) => {
    series.forEach(({ colour, of }, place) => {
      const tall = of(day) === 0 ? 0 : Math.max(2, (of(day) / most) * height);
      const x = middle(index, days.length) + (place - series.length / 2) * (BAR + 1);
      picture.append(draw("rect", { x, y: floor - tall, width: BAR, height: tall, rx: 1.5, class: `chart-bar ${colour}` }));
    });
  });
}

/**
 * @param {number} index
 * @param {number} count
 */
function middle(index, count) {
  return ((index + 0.5) * WIDTH) / count;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 */
function draw(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, String(value));
  }
  return element;
}
