import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { CacheTtl } from "./message-request.ts";
import type { PromptBlock } from "./prompt-blocks.ts";
import { LOOKBACK_BLOCKS, PromptCache, type CacheUse } from "./prompt-cache.ts";

const MINUTE_MS = 60_000;

function block(text: string, tokens: number, cacheTtl: CacheTtl | null = null): PromptBlock {
  return { section: "messages", role: "user", content: { type: "text", text }, tokens, cacheTtl };
}

function send(cache: PromptCache, blocks: readonly PromptBlock[], nowMs: number, root = "model"): CacheUse {
  const use = cache.look(blocks, { root, messagesRoot: "", minTokens: 1_000, nowMs });
  cache.commit(use, nowMs);
  return use;
}

function counts(use: CacheUse): readonly number[] {
  return [use.readTokens, use.write5mTokens, use.write1hTokens, use.uncachedTokens];
}

describe("PromptCache: read, 5m write, 1h write, uncached", () => {
  it("writes a marked prefix once and reads it afterwards", () => {
    const cache = new PromptCache();
    const prompt = [block("manual", 2_000, "5m"), block("question", 50)];
    expect(counts(send(cache, prompt, 0))).toEqual([0, 2_000, 0, 50]);
    expect(counts(send(cache, prompt, 1_000))).toEqual([2_000, 0, 0, 50]);
  });

  it("counts everything as input when nothing is marked or the prefix is too small", () => {
    const cache = new PromptCache();
    expect(counts(send(cache, [block("manual", 2_000)], 0))).toEqual([0, 0, 0, 2_000]);
    expect(counts(send(cache, [block("note", 999, "5m"), block("question", 5)], 0))).toEqual([0, 0, 0, 1_004]);
    expect(cache.size).toBe(0);
  });

  it("forgets after five minutes without use, and every use starts them anew", () => {
    const cache = new PromptCache();
    const prompt = [block("manual", 2_000, "5m")];
    send(cache, prompt, 0);
    expect(send(cache, prompt, 4 * MINUTE_MS).readTokens).toBe(2_000);
    expect(send(cache, prompt, 8 * MINUTE_MS).readTokens).toBe(2_000);
    expect(send(cache, prompt, 13 * MINUTE_MS).readTokens).toBe(0);
  });

  it("keeps a one-hour entry for an hour", () => {
    const cache = new PromptCache();
    const prompt = [block("manual", 2_000, "1h")];
    expect(counts(send(cache, prompt, 0))).toEqual([0, 0, 2_000, 0]);
    expect(send(cache, prompt, 59 * MINUTE_MS).readTokens).toBe(2_000);
    expect(send(cache, prompt, 119 * MINUTE_MS).readTokens).toBe(0);
  });

  it("writes only what is new when a conversation grows and its mark moves on", () => {
    const cache = new PromptCache();
    send(cache, [block("system", 1_500), block("first", 500, "5m")], 0);
    const grown = [block("system", 1_500), block("first", 500), block("answer", 300), block("second", 200, "5m")];
    expect(counts(send(cache, grown, 1_000))).toEqual([2_000, 500, 0, 0]);
  });

  it("splits what is written by the TTL of the mark that covers it", () => {
    const cache = new PromptCache();
    const prompt = [block("tools", 2_000, "1h"), block("history", 700, "5m"), block("question", 10)];
    expect(counts(send(cache, prompt, 0))).toEqual([0, 700, 2_000, 10]);
    // Ten minutes later only the hour-long part is left.
    expect(counts(send(cache, prompt, 10 * MINUTE_MS))).toEqual([2_000, 700, 0, 10]);
  });

  it(`finds an entry up to ${LOOKBACK_BLOCKS} blocks before a mark and none further back`, () => {
    const grow = (blocks: number): readonly PromptBlock[] => [
      block("base", 2_000),
      ...Array.from({ length: blocks }, (_, index) => block(`turn ${index}`, 10, index === blocks - 1 ? "5m" : null)),
    ];
    const near = new PromptCache();
    send(near, [block("base", 2_000, "5m")], 0);
    expect(send(near, grow(LOOKBACK_BLOCKS - 1), 1).readTokens).toBe(2_000);
    const far = new PromptCache();
    send(far, [block("base", 2_000, "5m")], 0);
    expect(send(far, grow(LOOKBACK_BLOCKS), 1).readTokens).toBe(0);
  });

  it("does not read across another text, role, model or message setting", () => {
    const cache = new PromptCache();
    const prompt = [block("manual", 2_000, "5m")];
    send(cache, prompt, 0);
    expect(send(cache, [block("manual!", 2_000, "5m")], 1).readTokens).toBe(0);
    expect(send(cache, [{ ...block("manual", 2_000, "5m"), role: "assistant" }], 1).readTokens).toBe(0);
    expect(send(cache, prompt, 1, "other model").readTokens).toBe(0);
    expect(cache.look(prompt, { root: "model", messagesRoot: "thinking", minTokens: 1_000, nowMs: 1 }).readTokens).toBe(
      0,
    );
  });

  it("keeps the tools readable when only a message setting changes", () => {
    const cache = new PromptCache();
    const tool: PromptBlock = { ...block("tool", 2_000, "5m"), section: "tools", role: null };
    const look = (messagesRoot: string): CacheUse =>
      cache.look([tool, block("hi", 5)], { root: "model", messagesRoot, minTokens: 1_000, nowMs: 0 });
    cache.commit(look("plain"), 0);
    expect(look("thinking").readTokens).toBe(2_000);
  });

  it("lets a second request read only after the first answer has begun", () => {
    const cache = new PromptCache();
    const prompt = [block("manual", 2_000, "5m")];
    const context = { root: "model", messagesRoot: "", minTokens: 1_000, nowMs: 0 };
    const first = cache.look(prompt, context);
    expect(cache.look(prompt, context).readTokens).toBe(0);
    cache.commit(first, 0);
    expect(cache.look(prompt, context).readTokens).toBe(2_000);
  });

  it("drops the entry that was used longest ago when it is full", () => {
    const cache = new PromptCache(2);
    for (const text of ["a", "b"]) send(cache, [block(text, 2_000, "5m")], 0);
    send(cache, [block("a", 2_000, "5m")], 1);
    send(cache, [block("c", 2_000, "5m")], 2);
    expect(cache.size).toBe(2);
    expect(send(cache, [block("a", 2_000, "5m")], 3).readTokens).toBe(2_000);
    expect(send(cache, [block("b", 2_000, "5m")], 3).readTokens).toBe(0);
  });

  it("accounts for every token exactly once, whatever came before", () => {
    const blocks = fc.array(
      fc.record({
        text: fc.constantFrom("a", "b", "c"),
        tokens: fc.nat(3_000),
        ttl: fc.constantFrom(null, null, "5m" as const),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(fc.array(blocks, { minLength: 1, maxLength: 6 }), (requests) => {
        const cache = new PromptCache();
        requests.forEach((request, index) => {
          const prompt = request.map(({ text, tokens, ttl }) => block(`${text}${tokens}`, tokens, ttl));
          const total = request.reduce((sum, { tokens }) => sum + tokens, 0);
          const used = counts(send(cache, prompt, index * MINUTE_MS));
          expect(used.reduce((sum, tokens) => sum + tokens, 0)).toBe(total);
          expect(Math.min(...used)).toBeGreaterThanOrEqual(0);
        });
      }),
    );
  });
});
