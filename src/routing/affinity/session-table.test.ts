import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { sessionId } from "./session-id.ts";
import { SessionTable, type WarmCache } from "./session-table.ts";

function cache(given: Partial<WarmCache> = {}): WarmCache {
  return { targetKey: "a/m", tokens: 1_000, life: "5m", expiresAtMs: 1_000, ...given };
}

describe("SessionTable", () => {
  it("finds what was put, as it was put, until it expires", () => {
    const table = new SessionTable(10);
    table.put(1, cache({ targetKey: "b/m", tokens: 84_210, life: "1h", expiresAtMs: 500 }));

    expect(table.find(1, 499)).toEqual({ targetKey: "b/m", tokens: 84_210, life: "1h", expiresAtMs: 500 });
    expect(table.find(1, 500)).toBeNull();
    expect(table.find(2, 0)).toBeNull();
  });

  it("forgets the session that was used longest ago when it is full", () => {
    const table = new SessionTable(3);
    for (const id of [1, 2, 3]) table.put(id, cache());
    table.put(1, cache({ tokens: 2 }));
    table.put(4, cache());

    expect([1, 2, 3, 4].map((id) => table.find(id, 0) !== null)).toEqual([true, false, true, true]);
    expect(table.size).toBe(3);
  });

  it("says what memory it holds: a few megabytes at 50,000 sessions", () => {
    const table = new SessionTable(50_000);
    for (let id = 1; id <= 60_000; id++) table.put(id, cache());

    expect(table.size).toBe(50_000);
    expect(table.bytes).toBeLessThan(5_000_000);
  });

  it("holds nothing when its capacity is nothing", () => {
    const table = new SessionTable(0);
    table.put(1, cache());

    expect(table.find(1, 0)).toBeNull();
  });

  it("agrees with a plain list of the last used, over any order of uses", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 200 }),
        fc.integer({ min: 1, max: 8 }),
        (ids, n) => {
          const table = new SessionTable(n);
          const plain: { id: number; tokens: number }[] = [];
          ids.forEach((id, tokens) => {
            table.put(id, cache({ tokens, targetKey: `t${tokens % 3}/m` }));
            const known = plain.findIndex((each) => each.id === id);
            if (known >= 0) plain.splice(known, 1);
            plain.push({ id, tokens });
            if (plain.length > n) plain.shift();
          });
          for (let id = 1; id <= 12; id++) {
            const expected = plain.find((each) => each.id === id);
            const found = table.find(id, 0);
            expect(found === null ? null : [found.tokens, found.targetKey]).toEqual(
              expected === undefined ? null : [expected.tokens, `t${expected.tokens % 3}/m`],
            );
          }
        },
      ),
    );
  });
});

describe("sessionId", () => {
  it("tells sessions, who asks, and models apart, and where one text ends and the next begins", () => {
    const ids = [
      sessionId("key", "session", "model"),
      sessionId("key2", "session", "model"),
      sessionId("key", "session2", "model"),
      sessionId("key", "session", "model2"),
      sessionId("keys", "ession", "model"),
      sessionId("key", "sessionm", "odel"),
      sessionId("session", "key", "model"),
      sessionId("", "", ""),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    expect(sessionId("key", "session", "model")).toBe(ids[0]);
  });

  it("has no two alike among 50,000 sessions that differ in a digit", () => {
    const ids = new Set<number>();
    for (let i = 0; i < 50_000; i++) {
      const id = sessionId("key_1", `3f2504e0-4f89-11d3-9a0c-${String(i).padStart(12, "0")}`, "claude-opus-5");
      expect(Number.isSafeInteger(id)).toBe(true);
      ids.add(id);
    }
    expect(ids.size).toBe(50_000);
    expect(ids.has(0)).toBe(false);
  });
});
