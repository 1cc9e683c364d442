import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ManualClock, systemClock } from "../core/clock.ts";
import { silentLogger } from "../core/logger.ts";
import { MemoryUsageStore } from "../store/memory/memory-usage-store.ts";
import { sampleEntry } from "../store/ports/sample-entry.ts";
import { StoreError } from "../store/ports/store-error.ts";
import type { ShipCursor } from "../store/ports/usage.ts";
import type { JournalBatch, JournalPosition } from "./journal/journal.ts";
import { Shipper, shipRetryDelayMs, type ShipperOptions, type ShipSource } from "./shipper.ts";

/** A journal in memory: entry `n` of a segment lies at offset `n`, an open record takes a place without an entry. */
class ListedJournal implements ShipSource {
  readonly journalId = "journal-1";
  readonly corruption = null;
  readonly released: JournalPosition[] = [];
  readonly segments: (Buffer | null)[][] = [[]];
  readFailure: Error | null = null;
  reads = 0;

  append(...ids: (string | null)[]): void {
    const texts = ids.map((id) => (id === null ? null : Buffer.from(JSON.stringify(sampleEntry({ exchangeId: id })))));
    this.segments.at(-1)?.push(...texts);
  }

  async read(position: JournalPosition, maxBytes: number): Promise<JournalBatch | null> {
    this.reads += 1;
    if (this.readFailure !== null) throw this.readFailure;
    let { segment, offset } = position;
    if (offset === (this.segments[segment - 1]?.length ?? 0) && segment < this.segments.length) {
      segment += 1;
      offset = 0;
    }
    const texts = this.segments[segment - 1]?.slice(offset, offset + maxBytes) ?? [];
    if (texts.length === 0) return null;
    const entries = texts.filter((text) => text !== null);
    return { from: { segment, offset }, to: { segment, offset: offset + texts.length }, entries };
  }

  oldest(): JournalPosition {
    return { segment: 1, offset: 0 };
  }

  durableEnd(): JournalPosition {
    return { segment: this.segments.length, offset: this.segments.at(-1)?.length ?? 0 };
  }

  release(position: JournalPosition): void {
    this.released.push(position);
  }

  get backlogBytes(): number {
    const { segment, offset } = this.released.at(-1) ?? this.oldest();
    return this.segments.slice(segment - 1).flat().length - offset;
  }
}

/** A store that can be away, before or after it has committed. */
class FlakyStore extends MemoryUsageStore {
  away: "no" | "before commit" | "after commit" = "no";
  batches: number[] = [];

  override async cursor(journalId: string): Promise<ShipCursor | null> {
    if (this.away === "before commit") throw new StoreError("unavailable", "away");
    return await super.cursor(journalId);
  }

  override async ship(journalId: string, entries: readonly Buffer[], cursor: ShipCursor): Promise<number> {
    if (this.away === "before commit") throw new StoreError("unavailable", "away");
    const stored = await super.ship(journalId, entries, cursor);
    this.batches.push(entries.length);
    if (this.away === "after commit") throw new StoreError("unavailable", "the connection broke");
    return stored;
  }
}

describe("Shipper", () => {
  let journal: ListedJournal;
  let store: FlakyStore;
  let shipper: Shipper;

  const make = (options: Partial<ShipperOptions> = {}): Shipper =>
    new Shipper({ reader: journal, store, clock: systemClock, logger: silentLogger, intervalMs: 5, ...options });
  const stored = async (): Promise<string[]> =>
    (await store.entries({ organizationId: "org_acme", limit: 1_000 })).map((entry) => entry.exchangeId).toSorted();

  beforeEach(() => {
    journal = new ListedJournal();
    store = new FlakyStore();
    shipper = make();
  });
  afterEach(async () => {
    await shipper.stop();
  });

  describe("drain", () => {
    it("ships everything that is durable, in batches, over all segments, and releases it", async () => {
      journal.append("a", null, "b");
      journal.segments.push([]);
      journal.append("c", "d", "e");
      shipper = make({ batchBytes: 2 });
      expect(await shipper.drain()).toBe(true);
      expect(await stored()).toEqual(["a", "b", "c", "d", "e"]);
      expect(store.batches).toEqual([1, 1, 2, 1]);
      expect(await store.cursor("journal-1")).toEqual({ segment: 2, offset: 3 });
      expect(journal.released.at(-1)).toEqual({ segment: 2, offset: 3 });
    });

    it("moves the cursor over records without entries", async () => {
      journal.append(null, null);
      expect(await shipper.drain()).toBe(true);
      expect(await store.cursor("journal-1")).toEqual({ segment: 1, offset: 2 });
    });

    it("goes on from the store's cursor, and tells the journal what was shipped before", async () => {
      journal.append("a", "b", "c");
      await store.ship("journal-1", [], { segment: 1, offset: 2 });
      expect(await shipper.drain()).toBe(true);
      expect(await stored()).toEqual(["c"]);
      expect(journal.released[0]).toEqual({ segment: 1, offset: 2 });
    });

    it("reads nothing when nothing is new", async () => {
      journal.append("a");
      await shipper.drain();
      const reads = journal.reads;
      expect(await shipper.drain()).toBe(true);
      expect(journal.reads).toBe(reads);
    });

    it("says false when the store is away, keeps the entries, and succeeds later", async () => {
      journal.append("a");
      store.away = "before commit";
      expect(await shipper.drain()).toBe(false);
      expect(shipper.failure?.message).toBe("away");
      expect(journal.released).toEqual([]);
      store.away = "no";
      expect(await shipper.drain()).toBe(true);
      expect(shipper.failure).toBeNull();
      expect(await stored()).toEqual(["a"]);
    });

    it("asks the store where it stands after a failure whose outcome is unknown", async () => {
      journal.append("a", "b");
      store.away = "after commit";
      expect(await shipper.drain()).toBe(false);
      store.away = "no";
      expect(await shipper.drain()).toBe(true);
      expect(store.batches).toEqual([2]);
      expect(journal.released).toEqual([{ segment: 1, offset: 2 }]);
    });

    it("stops at a damaged journal without releasing anything", async () => {
      journal.append("a");
      journal.readFailure = new Error("damaged");
      expect(await shipper.drain()).toBe(false);
      expect(journal.released).toEqual([]);
      expect(shipper.failure?.message).toBe("damaged");
    });

    it("given two drains at once, ships each entry in one batch", async () => {
      journal.append("a", "b");
      expect(await Promise.all([shipper.drain(), shipper.drain()])).toEqual([true, true]);
      expect(store.batches).toEqual([2]);
    });
  });

  describe("once started", () => {
    it("ships what becomes durable", async () => {
      await shipper.start();
      journal.append("a");
      await vi.waitFor(async () => expect(await stored()).toEqual(["a"]));
      journal.append("b");
      await vi.waitFor(async () => expect(await stored()).toEqual(["a", "b"]));
    });

    it("ships on when the store comes back", async () => {
      store.away = "before commit";
      journal.append("a");
      await shipper.start();
      await vi.waitFor(() => expect(shipper.failure).not.toBeNull());
      store.away = "no";
      await vi.waitFor(async () => expect(await stored()).toEqual(["a"]));
      expect(shipper.failure).toBeNull();
    });

    it("catches up with a backlog of many batches within one pass", async () => {
      shipper = make({ batchBytes: 10, intervalMs: 3_600_000 });
      journal.append(...Array.from({ length: 55 }, (_, at) => `id${at}`));
      await shipper.start();
      await vi.waitFor(async () => expect(await stored()).toHaveLength(55));
    });

    it("ships nothing more once stopped", async () => {
      await shipper.start();
      await shipper.stop();
      journal.append("a");
      await shipper.stop();
      expect(await stored()).toEqual([]);
    });
  });

  describe("the wait after a failure", () => {
    it("doubles up to five seconds", () => {
      const waits = [1, 2, 3, 4, 5, 6, 7, 60].map((failures) => shipRetryDelayMs(failures, () => 1));
      expect(waits).toEqual([200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
    });

    it("leaves half of it to chance", () => {
      expect(shipRetryDelayMs(1, () => 0)).toBe(100);
      expect(shipRetryDelayMs(1, () => 0.5)).toBe(150);
    });
  });

  describe("lag", () => {
    it("is zero when everything is shipped", async () => {
      journal.append("a");
      await shipper.drain();
      expect(shipper.lag()).toEqual({ bytes: 0, oldestMs: 0 });
    });

    it("counts bytes and time since the store was last level with the journal", async () => {
      const clock = new ManualClock(0);
      shipper = make({ clock });
      await shipper.drain();
      clock.advance(100);
      journal.append("a", "b");
      clock.advance(400);
      store.away = "before commit";
      await shipper.drain();
      expect(shipper.lag()).toEqual({ bytes: 2, oldestMs: 500 });
    });
  });
});
