import { hash } from "node:crypto";

import { textOf } from "./json-value.ts";
import type { CacheTtl } from "./message-request.ts";
import type { PromptBlock } from "./prompt-blocks.ts";

const TTL_MS: Readonly<Record<CacheTtl, number>> = { "5m": 300_000, "1h": 3_600_000 };

/** How many blocks before a breakpoint, itself included, are looked at for an entry of an earlier request. */
export const LOOKBACK_BLOCKS = 20;
const DEFAULT_MAX_ENTRIES = 20_000;

/** What a request reads from and writes to the prompt cache. The four token counts add up to the whole prompt. */
export interface CacheUse {
  readonly uncachedTokens: number;
  readonly readTokens: number;
  readonly write5mTokens: number;
  readonly write1hTokens: number;
  /** Entries to write and to refresh when the answer begins. */
  readonly entries: readonly CacheEntry[];
}

interface CacheEntry {
  readonly key: string;
  readonly ttlMs: number;
}

/** What is cached apart from, and what decides on the caching of, the blocks themselves. */
export interface CacheContext {
  /** Whatever changes the whole prefix, such as the model. */
  readonly root: string;
  /** Whatever changes only the part from the messages on, such as thinking and tool choice. */
  readonly messagesRoot: string;
  readonly minTokens: number;
  /** Monotonic milliseconds. */
  readonly nowMs: number;
}

/**
 * The prompt cache, after the published rules: an entry stands for the whole prefix up to a breakpoint; a request reads
 * the longest prefix for which a live entry is found at one of its breakpoints or up to 20 blocks before; what lies
 * between that and its last breakpoint is written with the TTL of the breakpoint that covers it; reading refreshes.
 * `look` changes nothing; `commit` does, and is called when the answer begins, as an entry is usable only from then on.
 */
export class PromptCache {
  /** Oldest use first. */
  readonly #entries = new Map<string, { ttlMs: number; expiresAtMs: number }>();
  readonly #maxEntries: number;

  constructor(maxEntries = DEFAULT_MAX_ENTRIES) {
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** What a request with these blocks reads and writes. */
  look(blocks: readonly PromptBlock[], context: CacheContext): CacheUse {
    const lastMark = blocks.findLastIndex((block) => block.cacheTtl !== null);
    const sums = prefixSums(blocks);
    const total = sums.at(-1) ?? 0;
    if (lastMark < 0) return { uncachedTokens: total, readTokens: 0, write5mTokens: 0, write1hTokens: 0, entries: [] };
    const keys = prefixKeys(blocks.slice(0, lastMark + 1), context);
    const hit = this.#longestHit(blocks, keys, context.nowMs);
    const entries: CacheEntry[] = [];
    for (let at = 0; at <= hit; at++) {
      const ttlMs = this.#liveTtlMs(keys[at], context.nowMs);
      if (ttlMs !== null) entries.push({ key: keys[at] ?? "", ttlMs });
    }
    const written: Record<CacheTtl, number> = { "5m": 0, "1h": 0 };
    let covered = hit < 0 ? 0 : (sums[hit] ?? 0);
    const readTokens = covered;
    for (let at = hit + 1; at <= lastMark; at++) {
      const ttl = blocks[at]?.cacheTtl ?? null;
      const sum = sums[at] ?? 0;
      if (ttl === null || sum < context.minTokens) continue;
      written[ttl] += sum - covered;
      covered = sum;
      entries.push({ key: keys[at] ?? "", ttlMs: TTL_MS[ttl] });
    }
    return {
      uncachedTokens: total - covered,
      readTokens,
      write5mTokens: written["5m"],
      write1hTokens: written["1h"],
      entries,
    };
  }

  /** Writes and refreshes the entries of a request whose answer begins now. */
  commit(use: CacheUse, nowMs: number): void {
    for (const { key, ttlMs } of use.entries) {
      this.#entries.delete(key);
      this.#entries.set(key, { ttlMs, expiresAtMs: nowMs + ttlMs });
    }
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries) return;
      this.#entries.delete(key);
    }
  }

  #longestHit(blocks: readonly PromptBlock[], keys: readonly string[], nowMs: number): number {
    for (let mark = keys.length - 1; mark >= 0; mark--) {
      if (blocks[mark]?.cacheTtl === null) continue;
      for (let at = mark; at > mark - LOOKBACK_BLOCKS && at >= 0; at--) {
        if (this.#liveTtlMs(keys[at], nowMs) !== null) return at;
      }
    }
    return -1;
  }

  #liveTtlMs(key: string | undefined, nowMs: number): number | null {
    const entry = key === undefined ? undefined : this.#entries.get(key);
    return entry !== undefined && entry.expiresAtMs > nowMs ? entry.ttlMs : null;
  }
}

function prefixSums(blocks: readonly PromptBlock[]): readonly number[] {
  let sum = 0;
  return blocks.map((block) => (sum += block.tokens));
}

/** For every block the key of the prefix that ends with it. */
function prefixKeys(blocks: readonly PromptBlock[], context: CacheContext): readonly string[] {
  let key = context.root;
  let inMessages = false;
  return blocks.map((block) => {
    if (block.section === "messages" && !inMessages) {
      inMessages = true;
      key += context.messagesRoot;
    }
    key = hash("sha256", `${key}\n${block.section} ${block.role ?? ""}\n${canonicalText(block)}`, "base64");
    return key;
  });
}

/** The block without its breakpoint: moving a breakpoint does not change the prefix. */
function canonicalText(block: PromptBlock): string {
  const { cache_control: _, ...content } = block.content;
  const isPlainText = content["type"] === "text" && Object.keys(content).length === 2;
  return isPlainText ? textOf(content, "text") : JSON.stringify(content);
}
