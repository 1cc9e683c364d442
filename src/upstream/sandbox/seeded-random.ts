import { hash } from "node:crypto";

/**
 * A small deterministic generator (mulberry32 over a hashed seed). Not for secrets: it makes a sandbox answer or fault
 * the same on every run with the same seed.
 */
export class SeededRandom {
  #state: number;

  constructor(seed: string) {
    this.#state = Number.parseInt(hash("sha1", seed, "hex").slice(0, 8), 16);
  }

  /** A number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** One of the items. The list must not be empty. */
  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.next() * items.length)];
    if (item === undefined) throw new RangeError("pick from an empty list");
    return item;
  }
}

/** A stable identifier made of letters and digits, `length` characters (at most 40), derived from `content`. */
export function stableId(prefix: string, content: string, length = 24): string {
  return prefix + hash("sha1", content, "hex").slice(0, length);
}
