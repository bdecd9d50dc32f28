// Asking again and again: while somebody looks, ever more rarely while there is trouble, and never twice at once.

const LONGEST_SECONDS = 60;

/** Repeats `work` while the page is visible. */
export class Poller {
  /**
   * @param {() => Promise<unknown>} work
   * @param {number} interval in seconds
   * @param {{trouble?: (error: unknown, wait: number) => void, well?: () => void}} [hooks] `trouble` is told what went
   *   wrong and in how many seconds it is tried again
   */
  constructor(work, interval, hooks = {}) {
    this.work = work;
    this.interval = interval;
    this.hooks = hooks;
    this.running = false;
    this.busy = false;
    this.again = false;
    this.failures = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    document.addEventListener("visibilitychange", () => this.soon());
  }

  /** Begin, at once. */
  start() {
    this.running = true;
    this.failures = 0;
    this.soon();
  }

  /** Make no further attempt. */
  stop() {
    this.running = false;
    clearTimeout(this.timer);
  }

  /** Ask now, if anybody looks; if a question is on its way, once more after its answer, which may be from before. */
  soon() {
    clearTimeout(this.timer);
    if (this.busy) {
      this.again = true;
    } else if (this.running && !document.hidden) {
      void this.#ask();
    }
  }

  async #ask() {
    this.busy = true;
    this.again = false;
    let wait = this.interval;
    try {
      await this.work();
      this.failures = 0;
      this.hooks.well?.();
    } catch (error) {
      this.failures += 1;
      const named = /** @type {{retryAfter?: number}} */ (error).retryAfter ?? 0;
      wait = Math.max(named, Math.min(LONGEST_SECONDS, this.interval * 2 ** this.failures));
      if (this.running) {
        this.hooks.trouble?.(error, wait);
      }
    } finally {
      this.busy = false;
    }
    if (this.again) {
      this.soon();
    } else if (this.running) {
      this.timer = setTimeout(() => this.soon(), wait * 1000);
    }
  }
}
