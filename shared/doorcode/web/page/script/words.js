// What the page says.

import { ApiError } from "./api.js";
import { clockIn } from "./times.js";

const PLATFORMS = new Map(Object.entries({ telegram: "Telegram", slack: "Slack", discord: "Discord", whatsapp: "WhatsApp" }));
const REASONS = new Map(Object.entries({
  blocked: "blocked",
  group_policy: "in groups",
  group_unknown: "strangers in groups",
  over_budget: "over the budget",
  policy_deny: "not asked for",
  bad_signature: "not from the platform",
  rate_limited: "asked again too soon",
  waiting_room_full: "no seat was free",
  claim_refused: "a claim that does not work",
  invite_refused: "an invite that does not work",
  locked_out: "too many wrong codes",
}));
const STATES = new Map(Object.entries({ paired: "Approved", denied: "Denied", blocked: "Blocked", revoked: "Revoked", expired: "Expired" }));

/**
 * A platform's name.
 * @param {string} platform
 */
export function platformName(platform) {
  return PLATFORMS.get(platform) ?? platform;
}

/**
 * Why messages were dropped.
 * @param {string} reason
 */
export function reasonName(reason) {
  return REASONS.get(reason) ?? reason.replaceAll("_", " ");
}

/**
 * What somebody is called: the username with the full name, or as much of it as there is.
 * @param {{name?: string | null, full_name?: string | null}} person
 */
export function called({ name, full_name }) {
  return name && full_name ? `${name} (${full_name})` : name || "";
}

/**
 * Whom a button or an announcement is about: the name, and what tells who it really is.
 * @param {{name?: string | null, full_name?: string | null, label?: string | null, platform: string, user_id: string}} person
 */
export function whom({ label, platform, user_id, ...names }) {
  return `${called(names) || label || "someone without a name"} (${platformName(platform)} ${user_id})`;
}

/**
 * Who decided, and how: ` by alice@laptop (cli)`, ` by @olivia (123456789, button)`.
 * @param {{decided_by?: string | null, decided_by_name?: string | null, decided_via?: string | null}} record
 */
export function decider({ decided_by, decided_by_name, decided_via }) {
  if (decided_by && decided_by_name) {
    return ` by ${decided_by_name} (${decided_by}, ${decided_via})`;
  }
  return `${decided_by ? ` by ${decided_by}` : ""}${decided_via ? ` (${decided_via})` : ""}`;
}

/**
 * What became of a request that is no longer waiting: the sentence and its tone.
 * @param {{state: string, decided_by?: string | null, decided_by_name?: string | null, decided_via?: string | null} | null} record null: nothing is known
 * @returns {{sentence: string, tone: "good" | "bad" | ""}}
 */
export function fate(record) {
  if (record?.state === "pending") {
    return { sentence: "Asked again: see the new request", tone: "" };
  }
  if (record?.state === "expired") {
    return { sentence: "Expired", tone: "" };
  }
  if (record && STATES.has(record.state)) {
    const tone = record.state === "paired" ? "good" : record.state === "revoked" ? "" : "bad";
    return { sentence: `${STATES.get(record.state)}${decider(record)}`, tone };
  }
  return { sentence: "No longer waiting", tone: "" };
}

/**
 * Why something did not work, and what to do.
 * @param {unknown} error
 */
export function trouble(error) {
  if (!(error instanceof ApiError)) {
    throw error;
  }
  switch (error.status) {
    case 0:
      return "No answer from Doorcode. Trying once more does no harm.";
    case 401:
      return "You are signed out. Sign in and try again.";
    case 403:
      return "You may look, but not decide here.";
    case 429:
      return error.retryAfter ? `Too many attempts. Locked out until ${clockIn(error.retryAfter)}.` : "Too many requests. Try again in a moment.";
    default:
      return error.message ? sentence(error.message) : `That did not work (${error.status}).`;
  }
}

/** @param {string} text */
function sentence(text) {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/u.test(first) ? first : `${first}.`;
}
