/** Tells a person what runs now, how far it is and how long it will still take. One line that renews itself on a terminal. */
export class Progress {
  readonly #totalSeconds: number;
  readonly #startMs = performance.now();
  readonly #live = process.stderr.isTTY;
  #doneSeconds = 0;
  #lastLine = "";

  /** `totalSeconds` is the sum of the estimates of all steps. */
  constructor(totalSeconds: number) {
    this.#totalSeconds = totalSeconds;
  }

  /** A step begins. Off a terminal a line is printed only when `group` changes. */
  step(group: string, what: string): void {
    const percent = Math.round((this.#doneSeconds / this.#totalSeconds) * 100);
    const line = `${String(percent).padStart(3)} %  ${group}${this.#live ? ` · ${what}` : ""}`;
    const withRest = `${line}  (${formatRest(this.#restSeconds())} left)`;
    if (this.#live) process.stderr.write(`\r\u001B[K${withRest}`);
    else if (group !== this.#lastLine) process.stderr.write(`${withRest}\n`);
    this.#lastLine = group;
  }

  stepDone(estimatedSeconds: number): void {
    this.#doneSeconds += estimatedSeconds;
  }

  /** Prints a line that stays, without leaving bits of the progress line behind. */
  note(text: string): void {
    process.stderr.write(`${this.#live ? "\r\u001B[K" : ""}${text}\n`);
  }

  end(): void {
    if (this.#live) process.stderr.write("\r\u001B[K");
  }

  /** The estimates of what is left, stretched as much as what is done took longer than its estimates. */
  #restSeconds(): number {
    const estimated = this.#totalSeconds - this.#doneSeconds;
    if (this.#doneSeconds < 5) return estimated;
    return (estimated * (performance.now() - this.#startMs)) / 1000 / this.#doneSeconds;
  }
}

export function formatRest(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}
