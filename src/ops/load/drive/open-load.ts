import type { Arrival } from "../arrival/schedule.ts";
import type { Clock } from "../../../core/clock.ts";
import { turn, type Pacer } from "./pacer.ts";

/** Requests sent at a stretch when they are overdue, before answers are read again. */
const MAX_BURST = 64;

/** Sends one request; resolves when it has ended. Must not throw. */
type SendArrival = (arrival: Arrival, sequence: number, dueMs: number) => Promise<void>;

interface OpenLoadOptions {
  readonly clock: Clock;
  readonly pacer: Pacer;
  readonly measureFromMs: number;
  readonly signal: AbortSignal;
  /** Which of the arrivals are this thread's. */
  readonly mine: (sequence: number) => boolean;
  readonly send: SendArrival;
  /** A request that was due when the load was stopped, and was not sent. */
  readonly onUnsent: (dueMs: number) => void;
}

/**
 * Sends each arrival when it is due, whatever became of those before. One that is due already goes at once with its due time
 * unchanged, so a stall of the target or of this machine is measured and not left out. Resolves with the last answer.
 */
export async function runOpenLoad(arrivals: Iterable<Arrival>, options: OpenLoadOptions): Promise<void> {
  const { clock, pacer, measureFromMs, signal, mine, send, onUnsent } = options;
  const running = new Set<Promise<void>>();
  let sequence = -1;
  let burst = 0;
  for (const arrival of arrivals) {
    sequence += 1;
    if (!mine(sequence)) continue;
    const dueMs = measureFromMs + arrival.atMs;
    if (!signal.aborted && dueMs > clock.monotonicMs()) {
      burst = 0;
      await pacer.until(dueMs, signal);
    } else if (!signal.aborted && ++burst >= MAX_BURST) {
      burst = 0;
      await turn();
    }
    if (signal.aborted) {
      if (dueMs > clock.monotonicMs()) break;
      onUnsent(dueMs);
      continue;
    }
    const sent = send(arrival, sequence, dueMs);
    running.add(sent);
    void sent.then(() => running.delete(sent));
  }
  await Promise.all(running);
}
