import { mkdir } from "node:fs/promises";
import path from "node:path";

import type { Component } from "../../core/component.ts";
import type { Entry, OpenRecord } from "../../message/entry.ts";
import { DirectoryLock, LOCK_REFRESH_MS } from "./directory-lock.ts";
import { entryJson, openJson } from "./entry-json.ts";
import { bootJournal, type RunningJournal } from "./journal-boot.ts";
import { JournalError } from "./journal-error.ts";
import { type FileJournalOptions, withDefaults } from "./journal-options.ts";
import type {
  Durable,
  Journal,
  JournalBatch,
  JournalCorruption,
  JournalPosition,
  JournalReader,
  JournalState,
} from "./journal.ts";
import type { OpenExchange } from "./open-exchanges.ts";
import { comparePositions } from "./position.ts";
import { RecordBuffer } from "./record-buffer.ts";
import { RECORD } from "./record-frame.ts";
import type { StopTicking } from "./ticker.ts";

/** The ledger's journal in a directory of segment files. Started once, stopped once, by one process at a time. */
export class FileJournal implements Journal, JournalReader, Component {
  readonly name = "journal";
  readonly #options: Required<FileJournalOptions>;
  readonly #scratch = new RecordBuffer();
  #lock: DirectoryLock | null = null;
  #running: RunningJournal | null = null;
  #tickers: StopTicking[] = [];
  #starting: Promise<void> | null = null;
  #refreshing: Promise<void> | null = null;
  #stopped: Promise<void> | null = null;
  #reportedState: JournalState = "open";

  /** Throws JournalError `invalid_option`. */
  constructor(options: FileJournalOptions) {
    this.#options = withDefaults(options);
  }

  /**
   * Takes the directory's lock and reads back what the last run left. Rejects with JournalError (`locked`, `disk_full`,
   * `foreign_segment`, `unsupported_version`, `corrupt` for a lost id) or the system error.
   */
  start(): Promise<void> {
    if (this.#starting !== null || this.#stopped !== null) {
      return Promise.reject(new JournalError("closed", "a journal object is started once; make a new one"));
    }
    this.#starting = this.#begin();
    return this.#starting;
  }

  /** Makes everything appended durable, then closes. Calls after this get the error `closed`. */
  stop(): Promise<void> {
    this.#stopped ??= this.#close();
    return this.#stopped;
  }

  get state(): JournalState {
    const running = this.#running;
    if (running === null || this.#stopped !== null) return "closed";
    if (running.tail.failure !== null) return "failed";
    if (running.space.full) return "disk_full";
    return running.catalog.backlogBytes > this.#options.maxBacklogBytes ? "backlog_full" : "open";
  }

  open(record: OpenRecord): boolean {
    const running = this.#running;
    if (running === null || this.state !== "open") return this.#refuse();
    const { tail, exchanges, commit } = running;
    if (exchanges.get(record.exchangeId) !== undefined) {
      throw new JournalError(
        "already_open",
        `exchange ${record.exchangeId} is open already; an exchange is opened once`,
      );
    }
    this.#scratch.clear();
    this.#scratch.add(RECORD.open, openJson(record), tail.segment.seed);
    if (!tail.tryAppend(this.#scratch)) return this.#refuse();
    exchanges.add(record, tail.segment.info.number);
    if (tail.segment.info.sizeBytes >= this.#options.segmentBytes) commit.schedule();
    return true;
  }

  settle(entry: Entry, durable: Durable): void {
    const running = this.#writable(durable);
    if (running === null) return;
    const exchange = running.exchanges.get(entry.exchangeId);
    if (exchange === undefined) this.#settleUnknown(running, entry, durable);
    else if (exchange.settling !== null) joinSettle(exchange, entry, durable);
    else this.#enqueue(running, { exchange, entry, durable });
  }

  append(entry: Entry, durable: Durable): void {
    const running = this.#writable(durable);
    if (running === null) return;
    const { state } = this;
    if (state === "disk_full" || state === "backlog_full") {
      later(
        durable,
        new JournalError(state, `the journal is ${state}: entry ${entry.exchangeId} must be appended later`),
      );
    } else if (running.exchanges.get(entry.exchangeId) !== undefined) {
      later(
        durable,
        new JournalError("already_open", `exchange ${entry.exchangeId} is open: settle it, do not append`),
      );
    } else {
      this.#enqueue(running, { exchange: null, entry, durable });
    }
  }

  flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      const running = this.#writable((error) => reject(error ?? closedError()));
      running?.commit.wait((error) => (error === null ? resolve() : reject(error)));
    });
  }

  /** The exchanges that the last run left open and that have not been settled since, oldest first. */
  recoverOpen(): OpenRecord[] {
    const { recovered, exchanges } = this.#started();
    return recovered.filter((record) => exchanges.get(record.exchangeId)?.record === record);
  }

  get journalId(): string {
    return this.#started().journalId;
  }

  get corruption(): JournalCorruption | null {
    return this.#running?.damages.first ?? null;
  }

  /** Exchanges with an open record and no durable settle record. */
  get openExchanges(): number {
    return this.#running?.exchanges.size ?? 0;
  }

  /** Bytes on disk that have not been released by the shipper. */
  get backlogBytes(): number {
    return this.#running?.catalog.backlogBytes ?? 0;
  }

  async read(position: JournalPosition, maxBytes: number): Promise<JournalBatch | null> {
    if (this.#stopped !== null) throw closedError();
    return this.#started().reader.read(position, maxBytes);
  }

  oldest(): JournalPosition {
    return this.#started().catalog.oldest();
  }

  durableEnd(): JournalPosition {
    return this.#started().tail.durableEnd;
  }

  release(position: JournalPosition): void {
    const { catalog, tail, housekeeping, commit } = this.#started();
    if (comparePositions(position, tail.durableEnd) > 0) {
      throw new JournalError(
        "position_ahead",
        `cannot release segment ${position.segment}, offset ${position.offset}: the journal has not come so far`,
      );
    }
    catalog.release(position);
    if (catalog.reclaimable().length > 0) {
      housekeeping.wantReclaim();
      commit.schedule();
    }
    this.#reportState();
  }

  #enqueue(running: RunningJournal, settle: { exchange: OpenExchange | null; entry: Entry; durable: Durable }): void {
    const { exchange, entry, durable } = settle;
    const waiter = { exchange, attempt: entry.attempt, durable, joined: null };
    try {
      running.commit.add(entryJson(entry), waiter);
    } catch (error) {
      later(durable, error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (exchange !== null) exchange.settling = waiter;
  }

  #settleUnknown(running: RunningJournal, entry: Entry, durable: Durable): void {
    const { exchangeId, attempt } = entry;
    const settledAs = running.exchanges.settledAttempt(exchangeId);
    if (settledAs === undefined) {
      later(durable, new JournalError("not_open", `exchange ${exchangeId} has no open record; nothing was written`));
    } else {
      later(durable, settledAs === attempt ? null : settledDifferently(entry, settledAs));
    }
  }

  /** The running parts, or null after telling the caller why nothing can be written. */
  #writable(durable: Durable): RunningJournal | null {
    const running = this.#running;
    if (running === null || this.#stopped !== null) {
      later(durable, closedError());
      return null;
    }
    if (running.tail.failure === null) return running;
    later(durable, running.tail.failure);
    return null;
  }

  #started(): RunningJournal {
    if (this.#running === null) throw closedError();
    return this.#running;
  }

  #refuse(): false {
    this.#reportState();
    return false;
  }

  /** Says once when the backlog begins or ends refusing exchanges; a full or failed disk reports itself. */
  #reportState(): void {
    const { state } = this;
    if (state === this.#reportedState) return;
    const { logger, maxBacklogBytes } = this.#options;
    const fields = { backlogBytes: this.backlogBytes, maxBacklogBytes };
    if (state === "backlog_full") {
      logger.error(
        fields,
        "the journal's backlog is full: new exchanges are refused until PostgreSQL takes entries again",
      );
    } else if (this.#reportedState === "backlog_full") {
      logger.info(fields, "the journal's backlog has shrunk below its limit");
    }
    this.#reportedState = state;
  }

  async #begin(): Promise<void> {
    const { dir, clock, ticker, spaceCheckMs } = this.#options;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const lock = await DirectoryLock.acquire(path.join(dir, "lock"), clock);
    try {
      const running = await bootJournal(this.#options);
      this.#lock = lock;
      this.#running = running;
      this.#tickers = [
        ticker.every(spaceCheckMs, () => void running.space.check()),
        ticker.every(LOCK_REFRESH_MS, () => {
          this.#refreshing = this.#refreshLock(lock, running);
        }),
      ];
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async #refreshLock(lock: DirectoryLock, running: RunningJournal): Promise<void> {
    try {
      if (!(await lock.refresh())) running.tail.fail("keeping the lock", "another process has taken the lock file");
    } catch (error) {
      this.#options.logger.warn({ err: error }, "cannot refresh the journal's lock file");
    }
  }

  async #close(): Promise<void> {
    // Whoever started it hears of its failure; nothing is left to close then.
    await this.#starting?.catch(() => null);
    for (const stop of this.#tickers) stop();
    const running = this.#running;
    if (running === null) return;
    await Promise.all([running.space.idle(), this.#refreshing]);
    // A failure has been reported to everyone who waited; stopping goes on.
    await new Promise<unknown>((resolve) => running.commit.wait(resolve));
    await running.commit.idle();
    running.tail.segment.close();
    await this.#lock?.release();
  }
}

/** Lets a second settle of the same attempt share the outcome of the first. */
function joinSettle(exchange: OpenExchange, entry: Entry, durable: Durable): void {
  const first = exchange.settling;
  if (first === null || first.attempt !== entry.attempt) {
    later(durable, settledDifferently(entry, first?.attempt ?? 0));
  } else {
    (first.joined ??= []).push(durable);
  }
}

function settledDifferently(entry: Entry, settledAs: number): JournalError {
  return new JournalError(
    "settled_differently",
    `exchange ${entry.exchangeId} was settled as attempt ${settledAs}, not ${entry.attempt}; nothing was written`,
  );
}

function closedError(): JournalError {
  return new JournalError("closed", "the journal is not started, or has been stopped");
}

/** Every callback comes on a later turn, so that a caller can rely on the order. */
function later(durable: Durable, error: Error | null): void {
  setImmediate(durable, error);
}
