import { statfs } from "node:fs/promises";
import path from "node:path";

import type { Logger } from "../../core/logger.ts";
import { isNoSpace } from "./journal-error.ts";
import type { SpaceReserve } from "./space-reserve.ts";

/** Beyond the reserve, as much again must be free before new exchanges are taken again, within these bounds. */
const LEAST_MARGIN_BYTES = 64 * 1024;
const MOST_MARGIN_BYTES = 4 * 1024 * 1024;

/** Knows whether the disk is full, and when it is no more. */
export class SpaceGuard {
  readonly #reserve: SpaceReserve;
  readonly #marginBytes: number;
  readonly #logger: Logger;
  readonly #whenSpace: () => void;
  #full = false;
  #checking: Promise<void> | null = null;

  /** `whenSpace` is called each time the disk has stopped being full. */
  constructor(reserve: SpaceReserve, parts: { reserveBytes: number; logger: Logger; whenSpace: () => void }) {
    this.#reserve = reserve;
    this.#marginBytes = Math.max(LEAST_MARGIN_BYTES, Math.min(MOST_MARGIN_BYTES, parts.reserveBytes));
    this.#logger = parts.logger;
    this.#whenSpace = parts.whenSpace;
  }

  get full(): boolean {
    return this.#full;
  }

  /** Notes that a write found no space. */
  ranOut(): void {
    if (this.#full) return;
    this.#full = true;
    this.#logger.error(
      { file: this.#reserve.file },
      "the journal's disk is full: new exchanges are refused until space returns, those in flight use the space set aside",
    );
  }

  /** Frees space set aside for `bytes` that must be written. Returns false when none is left. */
  give(bytes: number): boolean {
    return this.#reserve.give(bytes);
  }

  /** Sets the space aside; a disk without room for it counts as full. Rejects on any other error. */
  async begin(): Promise<void> {
    try {
      await this.#reserve.fill();
    } catch (error) {
      if (!isNoSpace(error)) throw error;
      this.ranOut();
    }
  }

  /** Looks whether space has returned; when it has, sets it aside again and ends the state. Never rejects. */
  check(): Promise<void> {
    if (!this.#full) return Promise.resolve();
    this.#checking ??= this.#lookForSpace().finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  /** Resolves when no look is under way. */
  async idle(): Promise<void> {
    await this.#checking;
  }

  async #lookForSpace(): Promise<void> {
    try {
      const disk = await statfs(path.dirname(this.#reserve.file));
      if (disk.bavail * disk.bsize < this.#reserve.missingBytes + this.#marginBytes) return;
      if (!(await this.#reserve.fill())) return;
    } catch (error) {
      if (!isNoSpace(error))
        this.#logger.error({ err: error, file: this.#reserve.file }, "cannot set journal space aside");
      return;
    }
    this.#full = false;
    this.#logger.info({ file: this.#reserve.file }, "the journal's disk has space again: new exchanges are taken");
    this.#whenSpace();
  }
}
