/** Ends what `every` began. */
export type StopTicking = () => void;

/** Calls a task again and again; a test ticks by hand. */
export interface Ticker {
  every(intervalMs: number, task: () => void): StopTicking;
}

/** Ticks by the machine's timers, without keeping the process alive. */
export const systemTicker: Ticker = {
  every(intervalMs, task) {
    const timer = setInterval(task, intervalMs);
    timer.unref();
    return () => clearInterval(timer);
  },
};
