import { randomFillSync } from "node:crypto";
import fs from "node:fs";
import { open, stat } from "node:fs/promises";

import { systemCode } from "./journal-error.ts";

const BLOCK_BYTES = 4096;
const CHUNK_BYTES = 256 * 1024;
/** The least that is given back at a time, so that a run of settles does not truncate for each. */
const LEAST_GIVEN_BYTES = 64 * 1024;

/**
 * A file that does nothing but hold disk space, so that exchanges in flight can still settle when the disk is full. Its
 * content is random: a file system that compresses or leaves holes would set nothing aside for zeros.
 */
export class SpaceReserve {
  readonly file: string;
  readonly #wantedBytes: number;
  #heldBytes = 0;
  #timesGiven = 0;

  constructor(file: string, wantedBytes: number) {
    this.file = file;
    this.#wantedBytes = wantedBytes;
  }

  get missingBytes(): number {
    return this.#wantedBytes - this.#heldBytes;
  }

  /**
   * Takes what is missing from the disk. Resolves to false when some had to be given back meanwhile. Rejects with the
   * system error, keeping what it got.
   */
  async fill(): Promise<boolean> {
    const timesGiven = this.#timesGiven;
    await this.measure();
    if (timesGiven !== this.#timesGiven) return false;
    if (this.missingBytes <= 0) return true;
    const noise = randomFillSync(Buffer.allocUnsafe(Math.min(CHUNK_BYTES, this.missingBytes)));
    const handle = await open(this.file, fs.constants.O_CREAT | fs.constants.O_RDWR, 0o600);
    try {
      while (this.missingBytes > 0) {
        const length = Math.min(noise.length, this.missingBytes);
        const { bytesWritten } = await handle.write(noise, 0, length, this.#heldBytes);
        if (timesGiven !== this.#timesGiven) {
          await handle.truncate(this.#heldBytes);
          return false;
        }
        this.#heldBytes += bytesWritten;
      }
      // A file system may delay allocation until data is written out: only then is the space really ours.
      await handle.datasync();
    } finally {
      await handle.close();
    }
    return timesGiven === this.#timesGiven;
  }

  /** Gives back at least `bytes` if it holds so many, else all. Returns false when there was nothing to give. */
  give(bytes: number): boolean {
    if (this.#heldBytes === 0) return false;
    const given = Math.max(LEAST_GIVEN_BYTES, (Math.ceil(bytes / BLOCK_BYTES) + 1) * BLOCK_BYTES);
    this.#heldBytes = Math.max(0, this.#heldBytes - given);
    this.#timesGiven += 1;
    try {
      fs.truncateSync(this.file, this.#heldBytes);
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw error;
      // Someone deleted the file, and so gave back everything.
      this.#heldBytes = 0;
    }
    return true;
  }

  /** Sees what an earlier run left, as far as it really occupies the disk. */
  async measure(): Promise<void> {
    try {
      const { size, blocks } = await stat(this.file);
      this.#heldBytes = Math.min(size, blocks * 512);
      if (size > this.#wantedBytes) {
        fs.truncateSync(this.file, this.#wantedBytes);
        this.#heldBytes = Math.min(this.#heldBytes, this.#wantedBytes);
      }
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw error;
      this.#heldBytes = 0;
    }
  }
}
