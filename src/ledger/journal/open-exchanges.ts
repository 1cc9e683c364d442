import type { OpenRecord } from "../../message/entry.ts";
import type { Durable } from "./journal.ts";

/** How many settled exchanges are remembered at least, so that a late second settle is known for what it is. */
const REMEMBERED = 4096;

/** One who waits for a commit. */
export interface Waiter {
  /** The exchange that is being settled; null for an entry without one and for `flush`. */
  readonly exchange: OpenExchange | null;
  readonly attempt: number;
  readonly durable: Durable;
  /** Further settles of the same attempt, which share the outcome. */
  joined: Durable[] | null;
}

/** An exchange with an open record and no durable settle record. */
export interface OpenExchange {
  readonly record: OpenRecord;
  /** The segment that holds its latest open record. */
  segment: number;
  /** Its settle record on the way to the disk. */
  settling: Waiter | null;
}

/** The exchanges that are open, and the last few thousand that were. Memory is bounded by the exchanges in flight. */
export class OpenExchanges {
  readonly #open = new Map<string, OpenExchange>();
  #recent = new Map<string, number>();
  #earlier = new Map<string, number>();

  get size(): number {
    return this.#open.size;
  }

  get(exchangeId: string): OpenExchange | undefined {
    return this.#open.get(exchangeId);
  }

  add(record: OpenRecord, segment: number): void {
    this.#open.set(record.exchangeId, { record, segment, settling: null });
  }

  /** Notes that the settle record of `attempt` is durable. */
  settled(exchangeId: string, attempt: number): void {
    this.#open.delete(exchangeId);
    this.#recent.set(exchangeId, attempt);
    if (this.#recent.size < REMEMBERED) return;
    this.#earlier = this.#recent;
    this.#recent = new Map();
  }

  /** The attempt that a recently settled exchange was settled as. */
  settledAttempt(exchangeId: string): number | undefined {
    return this.#recent.get(exchangeId) ?? this.#earlier.get(exchangeId);
  }

  /** The exchanges whose latest open record lies in `segment` or before. */
  heldUpTo(segment: number): OpenExchange[] {
    return [...this.#open.values()].filter((exchange) => exchange.segment <= segment);
  }
}
