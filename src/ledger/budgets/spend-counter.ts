import { windowAt, type WindowKind } from "../../core/calendar-window.ts";

/**
 * Spend of one subject in one window, in integer micro-dollars. A counter belongs to one window and is replaced, not reset,
 * when the window turns over: a reservation keeps the counters that it was made on, so it settles where it was reserved.
 */
export interface SpendCounter {
  readonly kind: WindowKind;
  readonly startMs: number;
  readonly endMs: number;
  /** Settled cost. */
  spent: number;
  /** Sum of open reservations. */
  reserved: number;
  /** Sum over open reservations of worst case minus reserved: how far they can pass what was reserved. */
  exposure: number;
  /** Whether a hard budget of this window has refused something. */
  refused: boolean;
}

export const WINDOW_KINDS: readonly WindowKind[] = ["day", "week", "month", "total"];

/** The four counters of one subject (an organisation, team, user or key). */
export class SubjectSpend {
  readonly timeZone: string;
  #counters: SpendCounter[];
  /** When the first of the windows turns over. */
  #nextTurnMs: number;

  constructor(timeZone: string, nowMs: number) {
    this.timeZone = timeZone;
    this.#counters = WINDOW_KINDS.map((kind) => newCounter(kind, nowMs, timeZone));
    this.#nextTurnMs = Math.min(...this.#counters.map((counter) => counter.endMs));
  }

  /** The counters of the windows at `nowMs`, in the order of WINDOW_KINDS. Time only goes forward. */
  at(nowMs: number): readonly SpendCounter[] {
    if (nowMs >= this.#nextTurnMs) {
      this.#counters = this.#counters.map((counter) =>
        nowMs >= counter.endMs ? newCounter(counter.kind, nowMs, this.timeZone) : counter,
      );
      this.#nextTurnMs = Math.min(...this.#counters.map((counter) => counter.endMs));
    }
    return this.#counters;
  }
}

function newCounter(kind: WindowKind, nowMs: number, timeZone: string): SpendCounter {
  return { kind, ...windowAt(kind, nowMs, timeZone), spent: 0, reserved: 0, exposure: 0, refused: false };
}
