import type { JournalCorruption } from "./journal.ts";

export type JournalErrorCode =
  /** The journal was not started, or has been stopped. */
  | "closed"
  /** No space for the record, not even that which was set aside. */
  | "disk_full"
  /** More waits to be shipped than `maxBacklogBytes`. */
  | "backlog_full"
  /** A write or sync failed for another reason; nothing more is written until a restart. */
  | "failed"
  /** Another process writes this directory. */
  | "locked"
  | "already_open"
  | "not_open"
  | "settled_differently"
  /** A number that is not finite, or a record over the size limit. */
  | "invalid_record"
  | "invalid_option"
  | "corrupt"
  | "position_gone"
  | "position_ahead"
  /** A segment file of another journal lies in the directory. */
  | "foreign_segment"
  | "unsupported_version";

/** An error of the journal. The message is for the operator: what is wrong, where, and what to do. */
export class JournalError extends Error {
  readonly code: JournalErrorCode;

  constructor(code: JournalErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "JournalError";
    this.code = code;
  }
}

/** Another process has the journal. No defect: the operator chooses which of the two is to run. */
export class JournalLockedError extends JournalError {
  /** How to put it right. */
  readonly remedy: string;

  constructor(message: string, remedy: string) {
    super("locked", message);
    this.name = "JournalLockedError";
    this.remedy = remedy;
  }
}

/** The error that stops shipping at damaged bytes. */
export function corruptError(corruption: JournalCorruption): JournalError {
  const { file, offset, resumeAt, reason } = corruption;
  return new JournalError(
    "corrupt",
    `the journal is damaged: ${file} at byte ${offset}: ${reason}. Nothing from there on is shipped and the file is kept. ` +
      `Restore the file from a copy while Weir is stopped; or, to give up the damaged records, set the shipper's cursor to ` +
      `segment ${resumeAt.segment}, offset ${resumeAt.offset}.`,
  );
}

/** Whether a system error says that there is no space left, on the disk or in the quota. */
export function isNoSpace(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}

/** The `code` of a system error such as ENOENT; null for anything else. */
export function systemCode(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}
