// Times: shown in the reader's own zone, with UTC at hand, and counted by the server's clock.

// A clock that differs by less is taken for right: the server names whole seconds, and answers take a while.
const TOLERANCE_SECONDS = 3;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

// The page speaks English; a reader of it in another language gets its times in English too.
const language = navigator.languages.find((name) => name.startsWith("en")) ?? "en-GB";
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
const dayAndClock = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const yearAndDay = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric" });
const weekday = new Intl.DateTimeFormat(language, { weekday: "short", timeZone: "UTC" });

let ahead = 0;

/** The present time in seconds since 1970, by the server's clock. */
export function now() {
  return Date.now() / 1000 + ahead;
}

/**
 * Take the server's time over, where this machine's clock is wrong.
 * @param {string} iso
 */
export function setServerTime(iso) {
  const difference = seconds(iso) - Date.now() / 1000;
  ahead = Math.abs(difference) > TOLERANCE_SECONDS ? difference : 0;
}

/**
 * Seconds since 1970.
 * @param {string} iso
 */
export function seconds(iso) {
  return Date.parse(iso) / 1000;
}

/**
 * A time as it is read best today: `13:45`, `22 Apr, 13:45`, or `22 Apr 2025`.
 * @param {string} iso
 */
export function spoken(iso) {
  const then = new Date(iso);
  const today = new Date(now() * 1000);
  if (then.toDateString() === today.toDateString()) {
    return clock.format(then);
  }
  return (then.getFullYear() === today.getFullYear() ? dayAndClock : yearAndDay).format(then);
}

/**
 * The time of day some seconds from now.
 * @param {number} later
 */
export function clockIn(later) {
  return clock.format(new Date((now() + later) * 1000));
}

/**
 * Have a `<time>` show a moment, with UTC in its title. `text` stands for what is shown otherwise.
 * @param {HTMLTimeElement} element
 * @param {string} iso
 * @param {string} [text]
 */
export function showTime(element, iso, text = spoken(iso)) {
  if (element.dateTime !== iso) {
    element.dateTime = iso;
    element.title = `${iso.replace("T", " ").replace("Z", "")} UTC`;
  }
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/**
 * A new `<time>` of a moment.
 * @param {string} iso
 */
export function timeElement(iso) {
  const element = document.createElement("time");
  showTime(element, iso);
  return element;
}

/**
 * What is left, counting down: `59:07`, `1:02:10`, `2 days`.
 * @param {number} left in seconds
 */
export function countdown(left) {
  const whole = Math.max(0, Math.ceil(left));
  if (whole >= 2 * DAY) {
    return `${Math.floor(whole / DAY)} days`;
  }
  const two = (/** @type {number} */ part) => String(part).padStart(2, "0");
  const minutes = Math.floor((whole % HOUR) / MINUTE);
  const clockFace = `${whole >= HOUR ? two(minutes) : minutes}:${two(whole % MINUTE)}`;
  return whole >= HOUR ? `${Math.floor(whole / HOUR)}:${clockFace}` : clockFace;
}

/**
 * The weekday of a date such as `2026-11-20`, in short.
 * @param {string} date
 */
export function weekdayOf(date) {
  return weekday.format(new Date(`${date}T00:00:00Z`));
}
