// What happened in the last days: sums, picture, and the same figures as a table.

import { call } from "./api.js";
import { SERIES, chart, sum } from "./chart.js";
import { byId, make, write } from "./elements.js";
import { weekdayOf } from "./times.js";
import { reasonName } from "./words.js";

const DAYS = 7;

/** The section about the last days. */
export class Activity {
  constructor() {
    this.shown = "";
    this.visit = 0;
    this.place = byId("activity-picture");
  }

  /** Read the figures and show them. */
  async refresh() {
    const { visit } = this;
    const { days } = await call("GET", `activity?days=${DAYS}`);
    const shown = JSON.stringify(days);
    if (visit !== this.visit) {
      return;
    }
    write(byId("activity-note"), days.length === 0 ? "Nothing is counted here: the stack's Monitoring is not full." : "");
    if (shown === this.shown || days.length === 0) {
      return;
    }
    const open = this.place.querySelector("details")?.open ?? false;
    this.shown = shown;
    this.place.replaceChildren(totals(days), chart(days, description(days)), ...reasons(days), figures(days, open));
    this.place.hidden = false;
  }

  /** Say that there are no new figures. */
  missing() {
    write(byId("activity-note"), "The figures could not be read just now.");
  }

  /** Forget everything. */
  clear() {
    this.shown = "";
    this.visit += 1;
    this.place.replaceChildren();
    this.place.hidden = true;
    write(byId("activity-note"), "");
  }
}

/** @typedef {import("./chart.js").Day} Day */

/** @param {Day[]} days */
function totals(days) {
  const each = SERIES.map(({ name, colour, of }) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, make("span", { class: `key ${colour}`, "aria-hidden": "true" }), String(sum(days.map(of))))),
  );
  return make("dl", { class: "totals" }, ...each);
}

/** @param {Day[]} days */
function description(days) {
  const counts = SERIES.map(({ name, of }) => `${sum(days.map(of))} ${name.toLowerCase()}`);
  return `Bars by day for the last ${days.length} days: ${counts.join(", ")}. The figures are in the table below.`;
}

/** @param {Day[]} days */
function reasons(days) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const [reason, count] of days.flatMap((day) => Object.entries(day.dropped))) {
    counts.set(reason, (counts.get(reason) ?? 0) + count);
  }
  const named = [...counts].filter(([, count]) => count > 0).sort(([, one], [, other]) => other - one);
  return named.length === 0 ? [] : [make("p", { class: "reasons quiet" }, `Dropped: ${listed(named)}.`)];
}

/** @param {[string, number][]} counts */
function listed(counts) {
  return counts.map(([reason, count]) => `${count} ${reasonName(reason)}`).join(", ");
}

/**
 * @param {Day[]} days
 * @param {boolean} open
 */
function figures(days, open) {
  const head = make("tr", {}, make("th", { scope: "col" }, "Day"), ...SERIES.map(({ name }) => make("th", { scope: "col" }, name)));
  const rows = days.map((day) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, make("time", { datetime: day.date }, `${weekdayOf(day.date)} ${Number(day.date.slice(8))}`)),
      ...SERIES.map(({ of }) => make("td", {}, String(of(day)))),
    ),
  );
  const table = make("table", {}, make("caption", { class: "for-readers" }, `The last ${days.length} days, UTC`), make("thead", {}, head), make("tbody", {}, ...rows));
  const details = make("details", { class: "figures" }, make("summary", {}, "As a table"), make("div", { class: "figures-scroll", tabindex: "0", role: "group", "aria-label": "Figures" }, table));
  details.open = open;
  return details;
}
