// What this page asks of the sandbox, and how it hears of changes.

const AGAIN_MS = 1500;

/** What the sandbox refused, or that it does not answer (`gone`). */
export class BackendError extends Error {
  /**
   * @param {string} message
   * @param {boolean} [gone]
   */
  constructor(message, gone = false) {
    super(message);
    this.gone = gone;
  }
}

/**
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>}
 */
async function call(path, body) {
  const options = body && {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  let answer;
  let found;
  try {
    answer = await fetch(`/playground/${path}`, { cache: "no-store", ...options });
    found = await answer.json();
  } catch {
    throw new BackendError("The sandbox does not answer.", true);
  }
  if (!answer.ok) throw new BackendError(found?.error || `The sandbox answered ${answer.status}.`);
  return found;
}

/** @returns {Promise<import("./types.js").Scene>} */
export const getScene = () => call("scene");
/** @returns {Promise<import("./types.js").Inside>} */
export const getInside = () => call("inside");
/** @returns {Promise<{deliveries: import("./types.js").Delivery[]}>} */
export const getDeliveries = () => call("deliveries");
/**
 * @param {{platform: string, chat: string, person: string, text: string, mention: boolean}} what
 * @returns {Promise<{note?: string}>}
 */
export const say = (what) => call("say", what);
/** @param {{platform: string, chat: string, person: string, message: string, button: string, words?: string}} what */
export const press = (what) => call("press", what);
/** @param {string} delivery */
export const redeliver = (delivery) => call("redeliver", { delivery });
/**
 * @param {string} platform
 * @param {string} name
 * @param {string} language
 * @returns {Promise<{person: import("./types.js").Person}>}
 */
export const addPerson = (platform, name, language) => call("people", { platform, role: "stranger", name, language });

/**
 * Listen for changes for ever. A browser gives up on some failures by itself, so a new stream is opened after each.
 * `changed` is called on every change and on every (re)connection, for what happened between is not told again.
 * @param {{changed: () => void, connected: () => void, lost: () => void}} hooks
 */
export function follow({ changed, connected, lost }) {
  const source = new EventSource("/playground/changes");
  source.addEventListener("open", () => {
    connected();
    changed();
  });
  source.addEventListener("message", changed);
  source.addEventListener("error", () => {
    source.close();
    lost();
    setTimeout(() => follow({ changed, connected, lost }), AGAIN_MS);
  });
}

/**
 * Make a function that runs `work` once at a time, and once more if it was asked for meanwhile.
 * @param {() => Promise<void>} work
 */
export function oneAtATime(work) {
  /** @type {Promise<void> | null} */
  let running = null;
  let again = false;
  return function run() {
    if (running) {
      again = true;
      return running;
    }
    running = (async () => {
      do {
        again = false;
        await work();
      } while (again);
    })().finally(() => (running = null));
    return running;
  };
}
