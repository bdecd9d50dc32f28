// What this page asks of the sandbox, and how it hears of changes.

const AGAIN_MS = 1500;

/** What the sandbox refused, or that it does not answer (`gone`). */
export class BackendError extends Error {
  constructor(message, gone = false) {
    super(message);
    this.gone = gone;
  }
}

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

export const getScene = () => call("scene");
export const getInside = () => call("inside");
export const getDeliveries = () => call("deliveries");
export const say = (what) => call("say", what);
export const press = (what) => call("press", what);
export const redeliver = (delivery) => call("redeliver", { delivery });
export const addPerson = (platform, name) => call("people", { platform, role: "stranger", name });

/**
 * Listen for changes for ever. A browser gives up on some failures by itself, so a new stream is opened after each.
 * `changed` is called on every change and on every (re)connection, for what happened between is not told again.
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

/** Make a function that runs `work` once at a time, and once more if it was asked for meanwhile. */
export function oneAtATime(work) {
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
