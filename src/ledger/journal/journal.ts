import type { Entry, OpenRecord } from "../../message/entry.ts";

/** Whether the journal takes new exchanges, and if not, why. */
export type JournalState = "open" | "disk_full" | "backlog_full" | "failed" | "closed";

/** Called exactly once, on a later turn: with null when the record is durable, with the error when it could not be made so. */
export type Durable = (error: Error | null) => void;

/**
 * The write side of the ledger's journal: an append-only local file. `open` is written (not synced) when it returns, so a
 * killed process cannot lose it. `settle` calls back once the record is on the disk (group commit: one fdatasync for all
 * records of the last few milliseconds).
 */
export interface Journal {
  readonly state: JournalState;
  /**
   * Writes an open record. Returns false, having written nothing, when the journal takes no new exchanges. Throws
   * JournalError `already_open` or `invalid_record` on a caller's mistake, having written nothing.
   */
  open(record: OpenRecord): boolean;
  /**
   * Appends the settle record of an open exchange, also while the disk or the backlog is full. `durable` is called exactly
   * once, on a later turn, when the record is durable, or with the error when it could not be made so; the caller then must
   * not release the response. After an error the exchange is still open and may be settled again.
   *
   * Settling the same attempt again writes nothing and answers null once the first is durable. An exchange that is not open
   * (`not_open`) or was settled as another attempt (`settled_differently`) is a caller's mistake: an error, nothing written.
   */
  settle(entry: Entry, durable: Durable): void;
  /**
   * Appends an entry that never had an open record, such as one result of a message batch. Needs state `open`: such an
   * entry can be fetched again, so it waits rather than use the space set aside for exchanges in flight. The journal keeps
   * no memory of these; the ledger's unique key on (exchange, attempt) makes a repeat harmless.
   */
  append(entry: Entry, durable: Durable): void;
  /** Resolves when everything appended so far is durable. */
  flush(): Promise<void>;
}

/** Where a record lies: the number of its segment file and the byte after it. */
export interface JournalPosition {
  readonly segment: number;
  readonly offset: number;
}

/** A run of consecutive whole records, ready to ship. */
export interface JournalBatch {
  readonly from: JournalPosition;
  readonly to: JournalPosition;
  /** The settle records' JSON texts, in order; opens are skipped, so there may be none. Valid as PostgreSQL jsonb. */
  readonly entries: readonly Buffer[];
}

/** Bytes that were durable once and are no whole records now. The file is kept as it was found. */
export interface JournalCorruption {
  readonly file: string;
  readonly segment: number;
  /** The first damaged byte. */
  readonly offset: number;
  /** The first whole record after the damage: a shipper that accepts the loss continues from here. */
  readonly resumeAt: JournalPosition;
  readonly reason: string;
}

/** The read side, used by the shipper. */
export interface JournalReader {
  /** Names this journal for as long as its directory lives; the shipper keeps one cursor a journal. */
  readonly journalId: string;
  /** The first damage found, or null. Nothing from it on is read until the shipper's cursor is set to its `resumeAt`. */
  readonly corruption: JournalCorruption | null;
  /**
   * The next durable records from `position`, at most `maxBytes` of them (but at least one record); null when there are
   * none yet. Rejects with JournalError: `corrupt` at damaged bytes, `position_gone` when the segment was deleted,
   * `position_ahead` when the journal has not come so far, `closed` before start and after stop.
   */
  read(position: JournalPosition, maxBytes: number): Promise<JournalBatch | null>;
  /** The first position that still exists on disk. */
  oldest(): JournalPosition;
  /** The position after the last durable record. */
  durableEnd(): JournalPosition;
  /**
   * Tells the journal that everything before `position` has been shipped; whole segments before it may be deleted. The
   * shipper must have stored its cursor at `position` or later before it says so.
   */
  release(position: JournalPosition): void;
}
