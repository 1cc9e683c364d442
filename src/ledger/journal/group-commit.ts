import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import type { JournalTail } from "./journal-tail.ts";
import type { Durable } from "./journal.ts";
import type { OpenExchanges, Waiter } from "./open-exchanges.ts";
import { RecordBuffer } from "./record-buffer.ts";
import { RECORD } from "./record-frame.ts";
import type { Seals } from "./seals.ts";

export interface GroupCommitParts {
  readonly tail: JournalTail;
  readonly exchanges: OpenExchanges;
  readonly seals: Seals;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Least time between the starts of two commits. */
  readonly commitSpacingMs: number;
}

/** Work that must not overlap a commit: rotation and deletion. */
export interface BetweenCommits {
  readonly due: boolean;
  /** Never rejects. */
  run(): Promise<void>;
}

/**
 * Collects settle records and makes them durable together: one write and one fdatasync for all that arrived since the
 * last. The write is synchronous, a copy into the page cache, so that records lie in the file in the order of their calls
 * and a killed process leaves no gap; the fdatasync runs in the thread pool, one at a time.
 */
export class GroupCommit {
  readonly #parts: GroupCommitParts;
  readonly #records = new RecordBuffer();
  #between: BetweenCommits | null = null;
  #waiting: Waiter[] = [];
  /** A commit is due or running. */
  #busy = false;
  /** Something came that the running commit does not cover. */
  #again = false;
  #lastStartMs = Number.NEGATIVE_INFINITY;
  #whenIdle: (() => void)[] = [];

  constructor(parts: GroupCommitParts) {
    this.#parts = parts;
  }

  /** What to do between two commits when it is due. */
  between(work: BetweenCommits): void {
    this.#between = work;
  }

  /** Queues a settle record. Throws JournalError `invalid_record`, having queued nothing. */
  add(json: string, waiter: Waiter): void {
    this.#records.add(RECORD.settle, json, this.#parts.tail.segment.seed);
    this.#waiting.push(waiter);
    this.schedule();
  }

  /** Calls back when everything written and queued so far is durable. */
  wait(durable: Durable): void {
    this.#waiting.push({ exchange: null, attempt: 0, durable, joined: null });
    this.schedule();
  }

  /** Makes a commit happen soon, also if nothing is queued. */
  schedule(): void {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    const { clock, commitSpacingMs } = this.#parts;
    const waitMs = commitSpacingMs === 0 ? 0 : this.#lastStartMs + commitSpacingMs - clock.monotonicMs();
    if (waitMs <= 0) setImmediate(this.#commit);
    else setTimeout(this.#commit, Math.ceil(waitMs));
  }

  /** Resolves when no commit is due or running. */
  idle(): Promise<void> {
    return this.#busy ? new Promise((resolve) => this.#whenIdle.push(resolve)) : Promise.resolve();
  }

  /**
   * Writes what is queued and returns who waits for it to become durable. When it cannot be written, they get the error
   * and nobody is returned.
   */
  write(): Waiter[] {
    const { tail, seals } = this.#parts;
    const waiters = this.#waiting;
    this.#waiting = [];
    try {
      seals.addTo(this.#records, tail.segment.seed);
      if (this.#records.length > 0) tail.append(this.#records);
      else if (tail.failure !== null) throw tail.failure;
      seals.paid();
      return waiters;
    } catch (error) {
      this.complete(waiters, error instanceof Error ? error : new Error(String(error)));
      return [];
    } finally {
      this.#records.clear();
    }
  }

  /** Tells the waiters how it ended. */
  complete(waiters: readonly Waiter[], error: Error | null): void {
    const { exchanges } = this.#parts;
    for (const { exchange, attempt } of waiters) {
      if (exchange === null) continue;
      exchange.settling = null;
      if (error === null) exchanges.settled(exchange.record.exchangeId, attempt);
    }
    for (const { durable, joined } of waiters) {
      this.#tell(durable, error);
      if (joined !== null) for (const other of joined) this.#tell(other, error);
    }
  }

  readonly #commit = (): void => {
    const { tail, clock } = this.#parts;
    this.#again = false;
    this.#lastStartMs = clock.monotonicMs();
    const waiters = this.write();
    if (tail.failure !== null) return this.#finish();
    tail.sync((error) => {
      this.complete(waiters, error);
      this.#housekeep(error === null);
    });
  };

  #housekeep(committed: boolean): void {
    if (committed && this.#between?.due === true) void this.#between.run().then(this.#finish);
    else this.#finish();
  }

  readonly #finish = (): void => {
    this.#busy = false;
    if (this.#again) return this.schedule();
    const resolvers = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of resolvers) resolve();
  };

  #tell(durable: Durable, error: Error | null): void {
    try {
      durable(error);
    } catch (thrown) {
      // One caller's mistake must not keep the others from hearing.
      this.#parts.logger.error({ err: thrown }, "a journal callback threw");
    }
  }
}
