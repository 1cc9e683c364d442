import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { MemoryOwnedObjectStore } from "../../store/memory/memory-owned-object-store.ts";
import type { OwnedObject } from "../../store/ports/owned-objects.ts";
import { livePage, type ListPage, type ListSource } from "./list-page.ts";

const OWNER = { organizationId: "org_1", keyId: "key_1", userId: null };

/** Objects numbered from the oldest; those in `gone` are recorded but not there any more. */
async function sourceOf(count: number, gone: ReadonlySet<string>): Promise<ListSource<OwnedObject>> {
  const store = new MemoryOwnedObjectStore();
  for (let at = 0; at < count; at++) {
    const id = `o${String(at).padStart(3, "0")}`;
    await store.add({ id, kind: "file", ...OWNER, target: "t", createdAtMs: at, settledAtMs: null });
  }
  return {
    records: ({ limit, afterId, beforeId }) =>
      store.list({
        ...OWNER,
        kind: "file",
        limit,
        ...(afterId === null ? {} : { afterId }),
        ...(beforeId === null ? {} : { beforeId }),
      }),
    state: async ({ id }) => (gone.has(id) ? null : { id }),
  };
}

const scenario = fc.record({
  count: fc.integer({ min: 0, max: 30 }),
  limit: fc.integer({ min: 1, max: 12 }),
  goneAt: fc.array(fc.integer({ min: 0, max: 29 })),
});

const idsOf = (data: readonly object[]): unknown[] => data.map((object) => ("id" in object ? object.id : null));
const name = (at: number): string => `o${String(at).padStart(3, "0")}`;

describe("a page of what exists", () => {
  it("page after page gives everything once, newest first, and says rightly whether more follows", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ count, limit, goneAt }) => {
        const gone = new Set(goneAt.map(name));
        const source = await sourceOf(count, gone);
        const expected = Array.from({ length: count }, (_, at) => name(at))
          .filter((id) => !gone.has(id))
          .toReversed();
        const seen: unknown[] = [];
        let afterId: string | null = null;
        for (;;) {
          const { data, hasMore }: ListPage = await livePage({ limit, afterId, beforeId: null }, source);
          seen.push(...idsOf(data));
          expect(hasMore).toBe(seen.length < expected.length);
          if (!hasMore) break;
          expect(data).toHaveLength(limit);
          afterId = String(idsOf(data).at(-1));
        }
        expect(seen).toEqual(expected);
      }),
    );
  });

  it("page before page goes back to the newest in the same order", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ count, limit, goneAt }) => {
        const gone = new Set(goneAt.filter((at) => at > 0).map(name));
        const source = await sourceOf(count + 1, gone);
        const expected = Array.from({ length: count }, (_, at) => name(at + 1))
          .filter((id) => !gone.has(id))
          .toReversed();
        const seen: unknown[] = [];
        let beforeId = name(0);
        for (;;) {
          const { data, hasMore } = await livePage({ limit, afterId: null, beforeId }, source);
          seen.unshift(...idsOf(data));
          expect(hasMore).toBe(seen.length < expected.length);
          if (!hasMore) break;
          beforeId = String(idsOf(data)[0]);
        }
        expect(seen).toEqual(expected);
      }),
    );
  });

  it("ends at before_id when both cursors are given", async () => {
    const source = await sourceOf(10, new Set(["o006"]));
    const { data, hasMore } = await livePage({ limit: 10, afterId: "o008", beforeId: "o004" }, source);
    expect(idsOf(data)).toEqual(["o007", "o005"]);
    expect(hasMore).toBe(false);
  });

  it("is empty after an id that is not the caller's", async () => {
    const source = await sourceOf(3, new Set());
    expect(await livePage({ limit: 5, afterId: "nobody", beforeId: null }, source)).toEqual({
      data: [],
      hasMore: false,
    });
  });

  it("asks for at most eight objects at a time, and for none after one has failed", async () => {
    const { records } = await sourceOf(60, new Set());
    let under = 0;
    let most = 0;
    let asked = 0;
    const state = async ({ id }: { id: string }): Promise<{ id: string }> => {
      asked++;
      most = Math.max(most, ++under);
      await new Promise((resolve) => setImmediate(resolve));
      under--;
      if (asked > 20) throw new Error("the upstream is away");
      return { id };
    };
    await expect(livePage({ limit: 50, afterId: null, beforeId: null }, { records, state })).rejects.toThrow("away");
    expect(most).toBe(8);
    expect(asked).toBeLessThan(40);
  });
});
