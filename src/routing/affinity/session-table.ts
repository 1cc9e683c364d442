import type { SessionId } from "./session-id.ts";

/** How long a provider keeps a prompt cache since its last use. */
export type CacheLife = "5m" | "1h";

/** Where a session's prompt cache is, and how much of it. */
export interface WarmCache {
  readonly targetKey: string;
  readonly tokens: number;
  readonly life: CacheLife;
  /** Monotonic; each use moves it on. */
  readonly expiresAtMs: number;
}

const NOBODY = -1;

/**
 * The prompt caches of the sessions seen last, at most `capacity`; the one used longest ago makes room. Columns of numbers and
 * a list linked by index: nothing for the collector to walk. A session costs 37 bytes of columns and about 50 of its entry in the map,
 * 4.5 MB in all at 50,000.
 */
export class SessionTable {
  readonly capacity: number;
  readonly #slots = new Map<SessionId, number>();
  readonly #ids: Float64Array;
  readonly #tokens: Float64Array;
  readonly #expiresAtMs: Float64Array;
  readonly #targets: Uint32Array;
  readonly #isHour: Uint8Array;
  /** Towards those used later, and earlier. */
  readonly #newer: Int32Array;
  readonly #older: Int32Array;
  #newest = NOBODY;
  #oldest = NOBODY;
  readonly #targetKeys: string[] = [];
  readonly #targetNumbers = new Map<string, number>();

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#ids = new Float64Array(capacity);
    this.#tokens = new Float64Array(capacity);
    this.#expiresAtMs = new Float64Array(capacity);
    this.#targets = new Uint32Array(capacity);
    this.#isHour = new Uint8Array(capacity);
    this.#newer = new Int32Array(capacity);
    this.#older = new Int32Array(capacity);
  }

  get size(): number {
    return this.#slots.size;
  }

  /** Memory that it holds now, an estimate: columns are held whole from the start, map entries as they come. */
  get bytes(): number {
    return this.capacity * 37 + this.#slots.size * 50;
  }

  /** The session's cache, or null when none is known to be warm any more. */
  find(id: SessionId, nowMs: number): WarmCache | null {
    const slot = this.#slots.get(id);
    if (slot === undefined) return null;
    const expiresAtMs = this.#expiresAtMs[slot] ?? 0;
    if (expiresAtMs <= nowMs) return null;
    return {
      targetKey: this.#targetKeys[this.#targets[slot] ?? 0] ?? "",
      tokens: this.#tokens[slot] ?? 0,
      life: this.#isHour[slot] === 1 ? "1h" : "5m",
      expiresAtMs,
    };
  }

  /** Remembers where the session's cache is now. */
  put(id: SessionId, cache: WarmCache): void {
    if (this.capacity === 0) return;
    const known = this.#slots.get(id);
    const slot = known ?? this.#takeSlot(id);
    if (known !== undefined) this.#unlink(slot);
    this.#link(slot);
    this.#targets[slot] = this.#targetNumber(cache.targetKey);
    this.#tokens[slot] = cache.tokens;
    this.#expiresAtMs[slot] = cache.expiresAtMs;
    this.#isHour[slot] = cache.life === "1h" ? 1 : 0;
  }

  #takeSlot(id: SessionId): number {
    let slot = this.#slots.size;
    if (slot >= this.capacity) {
      slot = this.#oldest;
      this.#unlink(slot);
      this.#slots.delete(this.#ids[slot] ?? 0);
    }
    this.#ids[slot] = id;
    this.#slots.set(id, slot);
    return slot;
  }

  #link(slot: number): void {
    this.#older[slot] = this.#newest;
    this.#newer[slot] = NOBODY;
    if (this.#newest !== NOBODY) this.#newer[this.#newest] = slot;
    this.#newest = slot;
    if (this.#oldest === NOBODY) this.#oldest = slot;
  }

  #unlink(slot: number): void {
    const newer = this.#newer[slot] ?? NOBODY;
    const older = this.#older[slot] ?? NOBODY;
    if (newer === NOBODY) this.#newest = older;
    else this.#older[newer] = older;
    if (older === NOBODY) this.#oldest = newer;
    else this.#newer[older] = newer;
  }

  /** Targets by number: there are as many as the configuration has, and their keys are kept once. */
  #targetNumber(key: string): number {
    const known = this.#targetNumbers.get(key);
    if (known !== undefined) return known;
    const number = this.#targetKeys.push(key) - 1;
    this.#targetNumbers.set(key, number);
    return number;
  }
}
