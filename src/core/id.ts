import { randomFillSync } from "node:crypto";

import type { Clock } from "./clock.ts";

/** Crockford's base 32 without I, L, O, U: sorts as the number it encodes and reads aloud without confusion. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** Every two characters, by the ten bits that they stand for. */
const PAIRS: readonly string[] = Array.from(
  { length: 1024 },
  (_, bits) => `${ALPHABET[bits >> 5]}${ALPHABET[bits & 31]}`,
);

/** Prefixes of the ids that Weir makes; the prefix says what the id names. */
export type IdPrefix = "req" | "att" | "org" | "team" | "usr" | "key" | "bud" | "spl" | "rse" | "evt" | "ses";

/**
 * Makes ids that sort by creation time: 10 characters of milliseconds, then 16 of which the first 4 count within
 * the millisecond and the rest are random (60 bits), so ids of one process are strictly increasing and ids of two
 * processes do not collide in practice.
 */
export class IdGenerator {
  readonly #clock: Clock;
  readonly #random = new Uint8Array(12 * 256);
  #randomAt = this.#random.length;
  #lastMs = -1;
  #timePart = "";
  #sequence = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A new id such as `req_01k9z3…`, 26 characters after the prefix. */
  next(prefix: IdPrefix): string {
    const now = this.#clock.nowMs();
    if (now > this.#lastMs) {
      this.#lastMs = now;
      this.#timePart = encode(now, 10);
      this.#sequence = 0;
    } else if (++this.#sequence >= 0x100000) {
      // A million ids within one millisecond, or a wall clock that went back: borrow the next millisecond.
      this.#lastMs += 1;
      this.#timePart = encode(this.#lastMs, 10);
      this.#sequence = 0;
    }
    return `${prefix}_${this.#timePart}${encode(this.#sequence, 4)}${this.#tail()}`;
  }

  #tail(): string {
    if (this.#randomAt >= this.#random.length) {
      randomFillSync(this.#random);
      this.#randomAt = 0;
    }
    const random = this.#random;
    let out = "";
    // Two characters at a time: half the string building of one by one.
    const end = this.#randomAt + 12;
    for (; this.#randomAt < end; this.#randomAt += 2) {
      out += PAIRS[(((random[this.#randomAt] ?? 0) << 5) | ((random[this.#randomAt + 1] ?? 0) & 31)) & 1023];
    }
    return out;
  }
}

function encode(value: number, length: number): string {
  let out = "";
  let rest = value;
  for (let i = 0; i < length; i++) {
    out = ALPHABET[rest % 32] + out;
    rest = Math.floor(rest / 32);
  }
  return out;
}
