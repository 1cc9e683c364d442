import type { Logger } from "../../core/logger.ts";
import type { ActiveSegment } from "./active-segment.ts";
import { isNoSpace, JournalError } from "./journal-error.ts";
import type { JournalPosition } from "./journal.ts";
import type { RecordBuffer } from "./record-buffer.ts";
import type { SpaceGuard } from "./space-guard.ts";

/**
 * The end of the journal: what is written, what is durable, and whether writing has failed for good. After a failed sync
 * the kernel may have dropped the pages and call the next sync a success, so one failure ends all writing until a restart
 * has read back what is really there.
 */
export class JournalTail {
  readonly #space: SpaceGuard;
  readonly #logger: Logger;
  #segment: ActiveSegment;
  #durableEnd: JournalPosition;
  #failure: JournalError | null = null;

  constructor(segment: ActiveSegment, parts: { space: SpaceGuard; logger: Logger }) {
    this.#segment = segment;
    this.#space = parts.space;
    this.#logger = parts.logger;
    this.#durableEnd = { segment: segment.info.number, offset: segment.info.sizeBytes };
  }

  get segment(): ActiveSegment {
    return this.#segment;
  }

  get durableEnd(): JournalPosition {
    return this.#durableEnd;
  }

  get failure(): JournalError | null {
    return this.#failure;
  }

  /** Appends the records if there is space. Returns false, having written nothing, when there is none or on failure. */
  tryAppend(records: RecordBuffer): boolean {
    if (this.#failure !== null) return false;
    try {
      this.#segment.append(records.bytes, records.length);
      return true;
    } catch (error) {
      if (isNoSpace(error)) this.#space.ranOut();
      else this.fail("write", error);
      return false;
    }
  }

  /** Appends the records, using the space set aside if it must. Throws JournalError, having written nothing. */
  append(records: RecordBuffer): void {
    while (!this.tryAppend(records)) {
      if (this.#failure !== null) throw this.#failure;
      if (!this.#giveSpace(records.length)) {
        throw new JournalError(
          "disk_full",
          `no space for ${records.length} bytes in ${this.#segment.info.file} and none left that was set aside; ` +
            `free space on the disk`,
        );
      }
    }
  }

  /** Makes everything written so far durable; `done` gets null or the failure. */
  sync(done: (error: JournalError | null) => void): void {
    const segment = this.#segment;
    const end = { segment: segment.info.number, offset: segment.info.sizeBytes };
    segment.sync((error) => {
      if (error === null) this.#durableEnd = end;
      done(error === null ? null : this.fail("fdatasync", error));
    });
  }

  /** `sync` as a promise; rejects with the failure. */
  synced(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.sync((error) => (error === null ? resolve() : reject(error)));
    });
  }

  /**
   * Continues in `next` from now on. Resolves when everything written to the former segment is durable; until then nothing
   * in `next` may be synced.
   */
  async moveTo(next: ActiveSegment): Promise<void> {
    const former = this.#segment;
    const formerSynced = this.synced();
    this.#segment = next;
    try {
      await formerSynced;
    } finally {
      former.close();
    }
  }

  /** Ends all writing. Returns the error that every later call gets. */
  fail(action: string, cause: unknown): JournalError {
    if (this.#failure !== null) return this.#failure;
    const { file } = this.#segment.info;
    this.#failure = new JournalError(
      "failed",
      `${action} on ${file} failed: ${String(cause)}. The journal takes nothing more: check the disk, then restart Weir; ` +
        `what was acknowledged is kept`,
      cause,
    );
    this.#logger.error({ err: cause, file, action }, "the journal has failed: every new exchange is refused");
    return this.#failure;
  }

  #giveSpace(bytes: number): boolean {
    try {
      return this.#space.give(bytes);
    } catch (error) {
      throw this.fail("freeing the space set aside", error);
    }
  }
}
