// For how long: one of the usual times, or any other as the command takes it.

import { make } from "./elements.js";

const USUAL = [["3600", "1 hour"], ["86400", "1 day"], ["604800", "1 week"], ["2592000", "30 days"]];
const OTHER = "other";
/** @type {Record<string, number>} */
const UNITS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** A choice of how long. */
export class Stay {
  /**
   * @param {string} name what readers hear of it
   * @param {[value: string, text: string][]} first what is offered before the usual times; the very first is chosen
   * @param {string} [chosen] another value that is chosen at first
   */
  constructor(name, first, chosen = first[0]?.[0] ?? "") {
    this.chosen = chosen;
    const options = [...first, ...USUAL, [OTHER, "Other …"]].map(([value = "", text = ""]) => make("option", { value }, text));
    this.select = make("select", { "aria-label": name }, ...options);
    this.other = make("input", {
      type: "text",
      "aria-label": `${name}: a number and s, m, h, d or w`,
      placeholder: "12h, 3d, 2w",
      pattern: "\\s*[1-9][0-9]{0,8}\\s*[smhdwSMHDW]\\s*",
      title: "For example 30m, 12h, 3d or 2w",
      maxlength: "12",
      autocapitalize: "off",
      spellcheck: "false",
      required: "",
    });
    // The focus stays where it is: whoever goes through the choices by keyboard is on the way to another one, maybe.
    this.select.addEventListener("change", () => this.#follow());
    this.reset();
  }

  /** The two fields. */
  get elements() {
    return [this.select, this.other];
  }

  /** How many seconds, undefined where the choice has none. */
  get seconds() {
    const { value } = this.select;
    if (value !== OTHER) {
      return value === "" ? undefined : Number(value);
    }
    const [, number = "", unit = ""] = /^\s*([0-9]+)\s*([smhdw])\s*$/iu.exec(this.other.value) ?? [];
    return Number(number) * (UNITS[unit.toLowerCase()] ?? 0);
  }

  /** Choose what was chosen at first. */
  reset() {
    this.select.value = this.chosen;
    this.other.value = "";
    this.#follow();
  }

  #follow() {
    this.other.hidden = this.select.value !== OTHER;
    // What nobody sees must not stand in the form's way.
    this.other.disabled = this.other.hidden;
  }
}

/**
 * Put one into a form's field, with a label that is seen.
 * @param {HTMLElement} field
 * @param {string} name
 * @param {[value: string, text: string][]} first
 * @param {string} [chosen]
 */
export function stayField(field, name, first, chosen) {
  const stay = new Stay(name, first, chosen);
  field.append(make("label", {}, name, stay.select), stay.other);
  stay.select.removeAttribute("aria-label");
  return stay;
}

/**
 * A length of time in words: `1 week`, `36 hours`, `90 seconds`.
 * @param {number} seconds
 */
export function lasting(seconds) {
  const words = /** @type {[number, string][]} */ ([[604_800, "week"], [86_400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]]);
  const [size, word] = words.find(([whole]) => seconds % whole === 0) ?? [1, "second"];
  const count = seconds / size;
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
