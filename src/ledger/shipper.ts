import { setTimeout as sleep } from "node:timers/promises";

import type { Clock } from "../core/clock.ts";
import type { Component } from "../core/component.ts";
import type { Logger } from "../core/logger.ts";
import { StoreError } from "../store/ports/store-error.ts";
import type { UsageStore } from "../store/ports/usage.ts";
import type { JournalBatch, JournalPosition, JournalReader } from "./journal/journal.ts";
import { comparePositions } from "./journal/position.ts";

const DEFAULT_INTERVAL_MS = 250;
const DEFAULT_BATCH_BYTES = 1024 * 1024;
const BACKOFF_BASE_MS = 100;
const BACKOFF_MAX_MS = 5_000;
const STOP_PATIENCE_MS = 5_000;

/** The journal as the shipper reads it. */
export interface ShipSource extends JournalReader {
  /** Bytes on disk that have not been released. */
  readonly backlogBytes: number;
}

export interface ShipperOptions {
  readonly reader: ShipSource;
  readonly store: Pick<UsageStore, "cursor" | "ship">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Longest time that a durable entry waits while the store is well. */
  readonly intervalMs?: number;
  /** A batch of this size does not wait. */
  readonly batchBytes?: number;
  /** Gives numbers in [0, 1) that spread retries; replaced in tests. */
  readonly random?: () => number;
}

/**
 * How long to wait after the `failures`-th failure in a row: doubling from 200 ms to 5 s, of which the upper half is left to
 * chance, so that replicas do not come back in step.
 */
export function shipRetryDelayMs(failures: number, random: () => number): number {
  const longestMs = Math.min(BACKOFF_BASE_MS * 2 ** failures, BACKOFF_MAX_MS);
  return (longestMs / 2) * (1 + random());
}

/** How far the store is behind the journal. */
export interface ShipLag {
  readonly bytes: number;
  /** How long the oldest entry that is not in the store has waited, to within one interval; 0 when there is none. */
  readonly oldestMs: number;
}

/**
 * Moves durable entries from the journal to the usage store. The store's cursor, moved in one transaction with the rows, is
 * the only memory: after a failure whose outcome is unknown, or a restart, shipping goes on from it, and an entry that comes
 * twice is stored once. While the store is away the journal keeps everything; retries wait longer and longer.
 */
export class Shipper implements Component {
  readonly name = "shipper";
  readonly #options: Required<ShipperOptions>;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #passes: Promise<unknown> = Promise.resolve();
  /** Where to read next; null when the store has to be asked. */
  #position: JournalPosition | null = null;
  #failures = 0;
  #failure: Error | null = null;
  /** Everything durable at this time has been shipped. */
  #caughtUpMs: number;

  constructor(options: ShipperOptions) {
    this.#options = {
      intervalMs: DEFAULT_INTERVAL_MS,
      batchBytes: DEFAULT_BATCH_BYTES,
      random: Math.random,
      ...options,
    };
    this.#caughtUpMs = options.clock.monotonicMs();
  }

  /** Begins to ship. Does not wait for the store: the journal holds entries until it is there. */
  async start(): Promise<void> {
    this.#caughtUpMs = this.#options.clock.monotonicMs();
    this.#loop = this.#run();
  }

  /**
   * Ends shipping after the batch under way, which a frozen store is given a few seconds for: its outcome will be known from
   * the cursor. Call `drain` before, to leave nothing behind.
   */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const ended = new AbortController();
    const patience = sleep(STOP_PATIENCE_MS, undefined, { signal: ended.signal }).catch(() => {});
    await Promise.race([Promise.all([this.#loop, this.#passes]), patience]);
    ended.abort();
  }

  /**
   * Ships everything that is durable now, whether started or not. True when it is all in the store; false, having logged
   * why, when the store or the journal failed: then the entries stay in the journal.
   */
  drain(): Promise<boolean> {
    const end = this.#options.reader.durableEnd();
    return this.#exclusively(() => this.#pass((position) => comparePositions(position, end) >= 0));
  }

  lag(): ShipLag {
    const { reader, clock } = this.#options;
    const bytes = reader.backlogBytes;
    return { bytes, oldestMs: bytes === 0 ? 0 : clock.monotonicMs() - this.#caughtUpMs };
  }

  /** Why the last try failed; null while shipping goes well. */
  get failure(): Error | null {
    return this.#failure;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#exclusively(() => this.#pass((position, batch) => !this.#isWorthAnother(position, batch)));
      // Aborted: the loop ends.
      await sleep(this.#pauseMs(), undefined, { signal: this.#stopping.signal }).catch(() => {});
    }
  }

  /** After a small batch it pays to let entries gather; after a large one, or before the last segment, there is more. */
  #isWorthAnother(position: JournalPosition, batch: JournalBatch): boolean {
    const { reader, batchBytes } = this.#options;
    return batch.to.offset - batch.from.offset >= batchBytes / 2 || position.segment < reader.durableEnd().segment;
  }

  #pauseMs(): number {
    const { intervalMs, random } = this.#options;
    return this.#failures === 0 ? intervalMs : shipRetryDelayMs(this.#failures, random);
  }

  /** One pass at a time: a drain waits for the loop's pass and the other way round. */
  #exclusively<T>(pass: () => Promise<T>): Promise<T> {
    const result = this.#passes.then(pass);
    this.#passes = result;
    return result;
  }

  /** Ships batches until there are none or `isEnough`. Never rejects; false after a failure. */
  async #pass(isEnough: (position: JournalPosition, batch: JournalBatch) => boolean): Promise<boolean> {
    const { reader, clock, batchBytes } = this.#options;
    try {
      let position = this.#position ?? (await this.#resume());
      for (;;) {
        const readAtMs = clock.monotonicMs();
        const end = reader.durableEnd();
        const batch = comparePositions(position, end) === 0 ? null : await reader.read(position, batchBytes);
        if (batch !== null) position = await this.#ship(batch);
        if (batch === null || comparePositions(position, end) >= 0) this.#caughtUpMs = readAtMs;
        if (batch === null || isEnough(position, batch)) break;
      }
      this.#succeeded();
      return true;
    } catch (error) {
      this.#failed(error instanceof Error ? error : new Error(String(error)));
      return false;
    }
  }

  /** Where the store says that shipping stands. */
  async #resume(): Promise<JournalPosition> {
    const { reader, store } = this.#options;
    const cursor = await store.cursor(reader.journalId);
    if (cursor === null) return reader.oldest();
    // A cursor ahead of the journal is for `read` to refuse.
    if (comparePositions(cursor, reader.durableEnd()) <= 0) reader.release(cursor);
    this.#position = cursor;
    return cursor;
  }

  async #ship(batch: JournalBatch): Promise<JournalPosition> {
    const { reader, store } = this.#options;
    await store.ship(reader.journalId, batch.entries, batch.to);
    this.#position = batch.to;
    reader.release(batch.to);
    return batch.to;
  }

  #succeeded(): void {
    if (this.#failure !== null) this.#options.logger.info({ failures: this.#failures }, "shipping goes on");
    this.#failures = 0;
    this.#failure = null;
  }

  /** Says what is wrong once, not at every retry. */
  #failed(error: Error): void {
    this.#position = null;
    this.#failures += 1;
    const { logger } = this.#options;
    const fields = { err: error, ...this.lag() };
    const isNew = this.#failure?.message !== error.message;
    this.#failure = error;
    const isAway = error instanceof StoreError && error.kind === "unavailable";
    if (!isNew) logger.debug(fields, "shipping still fails");
    else if (isAway) logger.warn(fields, "the usage store is away; entries wait in the journal");
    else logger.error(fields, "shipping has stopped; entries wait in the journal");
  }
}
