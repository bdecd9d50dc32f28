// Who is signed in. The link's token stands in the address for no longer than it takes to read it.

import { ApiError, call } from "./api.js";

/**
 * @typedef {{actor: string, scope: "read" | "pairing", expires_at: string, platforms: string[]}} Session
 */

/**
 * Take the token of a sign-in link out of the address, and out of the history.
 * @returns {string} empty where there is none
 */
export function takeToken() {
  const token = /^#token=(.+)$/u.exec(location.hash)?.[1] ?? "";
  if (token) {
    history.replaceState(null, "", location.pathname + location.search);
  }
  try {
    return decodeURIComponent(token);
  } catch {
    return token;
  }
}

/**
 * Use up a link.
 * @param {string} token
 * @returns {Promise<Session>}
 */
export function signIn(token) {
  return call("POST", "session", { token }, { signingIn: true });
}

/**
 * The session that this browser has.
 * @returns {Promise<Session>} ApiError 401 where it has none
 */
export function current() {
  return call("GET", "session", undefined, { signingIn: true });
}

/** End this session. One that is over already has nothing left to end. */
export async function signOut() {
  try {
    await call("DELETE", "session", undefined, { signingIn: true });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) {
      throw error;
    }
  }
}

/**
 * End every session and every unused link, whoever's they are.
 * @returns {Promise<{signed_out: number}>}
 */
export function signOutEverywhere() {
  return call("DELETE", "sessions");
}
