// The HTTP API, as the page uses it. The session's cookie goes along by itself and is out of a script's reach.

const PATIENCE_SECONDS = 15;

/** @type {() => void} */
let signedOut = () => {};

// Which signing-in a question belongs to: a late answer to an earlier one tells nothing of the session that there is now.
let signIns = 0;

/** An answer other than 2xx, or none at all (status 0). */
export class ApiError extends Error {
  /**
   * @param {number} status the HTTP status, 0 where nothing answered
   * @param {Record<string, any>} details the answer's body
   */
  constructor(status, details = {}) {
    super(String(details.error ?? ""));
    this.status = status;
    this.details = details;
  }

  /** @returns {number} how many seconds to wait before asking again, 0 where the answer does not say */
  get retryAfter() {
    return Number(this.details.retry_after_seconds) || 0;
  }
}

/**
 * Have `hook` called whenever an answer says that nobody is signed in here any more.
 * @param {() => void} hook
 */
export function whenSignedOut(hook) {
  signedOut = hook;
}

/** Note that somebody is signed in: from here on, or still. */
export function nowSignedIn() {
  signIns += 1;
}

/**
 * Ask the API. Paths are relative to the page, so that both may move together.
 * @param {"GET" | "POST" | "DELETE"} method
 * @param {string} path what follows `/api/`
 * @param {object} [body] sent as JSON
 * @param {{signingIn?: boolean}} [how] with `signingIn`, a 401 is an answer like any other
 * @returns {Promise<any>} the answer's JSON, null where it has no body
 * @throws {ApiError}
 */
export async function call(method, path, body, { signingIn = false } = {}) {
  /** @type {Response} */
  let response;
  let text = "";
  const asked = signIns;
  try {
    response = await fetch(`api/${path}`, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "same-origin",
      redirect: "error",
      signal: AbortSignal.timeout(PATIENCE_SECONDS * 1000),
    });
    text = await response.text();
  } catch {
    throw new ApiError(0);
  }
  const answer = parsed(text);
  if (response.ok) {
    return answer;
  }
  if (response.status === 401 && !signingIn) {
    if (asked === signIns) {
      signedOut();
    } else if (method === "GET") {
      return call(method, path);
    }
  }
  throw new ApiError(response.status, answer ?? {});
}

/**
 * The path of one person below `collection`.
 * @param {{platform: string, user_id: string}} person
 */
export function contactPath({ platform, user_id }) {
  return `pairing/contacts/${encodeURIComponent(platform)}/${encodeURIComponent(user_id)}`;
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
