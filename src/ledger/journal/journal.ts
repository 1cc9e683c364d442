import type { Entry, OpenRecord } from "../../message/entry.ts";

/** Whether the journal takes new exchanges, and if not, why. */
export type JournalState = "open" | "disk_full" | "backlog_full" | "failed" | "closed";

/**
 * The write side of the ledger's journal: an append-only local file. `open` is written (not synced) when it returns, so a
 * killed process cannot lose it. `settle` calls back once the record is on the disk (group commit: one fdatasync for all
 * records of the last few milliseconds).
 */
export interface Journal {
  readonly state: JournalState;
  /** Writes an open record. Returns false, having written nothing, when the journal takes no new exchanges. */
  open(record: OpenRecord): boolean;
  /**
   * Appends a settle record. `durable` is called exactly once, on a later turn, when the record is durable, or with the
   * error when it could not be made so; the caller then must not release the response.
   */
  settle(entry: Entry, durable: (error: Error | null) => void): void;
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
  /** The settle records' JSON texts, in order; opens are skipped. */
  readonly entries: readonly Buffer[];
}

/** The read side, used by the shipper. */
export interface JournalReader {
  /** The next durable records from `position`, at most `maxBytes` of them; null when there are none yet. */
  read(position: JournalPosition, maxBytes: number): Promise<JournalBatch | null>;
  /** The first position that still exists on disk. */
  oldest(): JournalPosition;
  /** The position after the last durable record. */
  durableEnd(): JournalPosition;
  /** Tells the journal that everything before `position` has been shipped; whole segments before it may be deleted. */
  release(position: JournalPosition): void;
}
