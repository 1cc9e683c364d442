import type { Clock } from "../../core/clock.ts";
import type { Terminal } from "../terminal/terminal.ts";

const SPACING_MS = 100;

/** A line on a terminal's stderr that is written over and over; nothing where nobody watches. */
export class ProgressLine {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #isShown: boolean;
  #lastMs = -Infinity;
  #hasLine = false;

  constructor(terminal: Terminal, clock: Clock, isShown: boolean) {
    this.#terminal = terminal;
    this.#clock = clock;
    this.#isShown = isShown && terminal.err.isTty;
  }

  show(text: string): void {
    const nowMs = this.#clock.monotonicMs();
    if (!this.#isShown || nowMs - this.#lastMs < SPACING_MS) return;
    this.#lastMs = nowMs;
    this.#hasLine = true;
    this.#terminal.err.write(`\r\u001B[K${text}`);
  }

  clear(): void {
    if (this.#hasLine) this.#terminal.err.write("\r\u001B[K");
    this.#hasLine = false;
  }
}
