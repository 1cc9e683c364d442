/** Where delays come from, so that tests can hold them. */
export interface Scheduler {
  /** Calls `run` once after `delayMs`; the returned function prevents it. A waiting call does not keep the process alive. */
  after(delayMs: number, run: () => void): () => void;
}

/** Longest delay that Node's timers take. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The timers of this process. */
export const systemScheduler: Scheduler = {
  after: (delayMs, run) => {
    const timer = setTimeout(run, Math.min(Math.max(delayMs, 0), MAX_TIMER_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
