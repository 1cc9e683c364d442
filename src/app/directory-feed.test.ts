import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { silentLogger } from "../core/logger.ts";
import { MemoryDirectoryStore } from "../store/memory/memory-directory-store.ts";
import type { DirectorySnapshot } from "../store/ports/directory.ts";
import { StoreError } from "../store/ports/store-error.ts";
import { DirectoryFeed } from "./directory-feed.ts";

/** A store whose readings wait until the test lets them go, each with what was true when it began. */
class SlowStore extends MemoryDirectoryStore {
  readonly readings: { finish: () => void; fail: (error: Error) => void }[] = [];
  slow = false;

  override async load(): Promise<DirectorySnapshot> {
    const snapshot = await super.load();
    if (!this.slow) return snapshot;
    return await new Promise((resolve, reject) => {
      this.readings.push({ finish: () => resolve(snapshot), fail: reject });
    });
  }
}

function organization(id: string): { id: string; name: string; status: "active"; timeZone: string } {
  return { id, name: id, status: "active", timeZone: "UTC" };
}

describe("DirectoryFeed", () => {
  let store: SlowStore;
  let applied: string[][];
  let failNext: boolean;
  let feed: DirectoryFeed<DirectorySnapshot>;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    store = new SlowStore();
    applied = [];
    failNext = false;
    feed = new DirectoryFeed(store, {
      logger: silentLogger,
      apply: ({ organizations }) => {
        if (failNext) {
          failNext = false;
          throw new Error("cannot be applied");
        }
        applied.push(organizations.map(({ id }) => id));
      },
    });
  });

  afterEach(async () => {
    for (const reading of store.readings) reading.finish();
    await feed.stop();
    vi.useRealTimers();
  });

  /** Lets notifications and finished readings have their effect. */
  async function settle(): Promise<void> {
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  }

  it("has a reading when it has started, and a new one after every change", async () => {
    await feed.start();
    expect(applied).toEqual([[]]);
    await store.createOrganization(organization("a"));
    await settle();

    expect(applied).toEqual([[], ["a"]]);
  });

  it("reads once more after changes during a reading, not once for each", async () => {
    await feed.start();
    store.slow = true;
    await store.createOrganization(organization("a"));
    await settle();
    await store.createOrganization(organization("b"));
    await store.createOrganization(organization("c"));
    await settle();
    expect(store.readings).toHaveLength(1);
    store.readings[0]?.finish();
    await settle();
    expect(store.readings).toHaveLength(2);
    store.readings[1]?.finish();
    await settle();

    expect(applied).toEqual([[], ["a"], ["a", "b", "c"]]);
  });

  it("does not let the first reading, come late, undo a newer one", async () => {
    store.slow = true;
    const starting = feed.start();
    await settle();
    store.slow = false;
    await store.createOrganization(organization("a"));
    await settle();
    expect(applied).toEqual([["a"]]);
    store.readings[0]?.finish();
    await starting;

    expect(applied).toEqual([["a"]]);
  });

  it("does not start when the first reading fails", async () => {
    store.slow = true;
    const starting = expect(feed.start()).rejects.toThrow("away");
    await settle();
    store.readings[0]?.fail(new StoreError("unavailable", "away"));

    await starting;
  });

  it.each(["reading", "applying"] as const)("keeps what it has when %s fails, and tries again", async (what) => {
    await feed.start();
    store.slow = true;
    await store.createOrganization(organization("a"));
    await settle();
    store.slow = false;
    if (what === "reading") store.readings[0]?.fail(new StoreError("unavailable", "away"));
    else {
      failNext = true;
      store.readings[0]?.finish();
    }
    await settle();
    expect(applied).toEqual([[]]);
    await vi.advanceTimersByTimeAsync(500);
    await settle();

    expect(applied).toEqual([[], ["a"]]);
  });

  it("hears nothing after it was stopped, and leaves no timer", async () => {
    await feed.start();
    store.slow = true;
    await store.createOrganization(organization("a"));
    await settle();
    const stopping = feed.stop();
    store.readings[0]?.fail(new StoreError("unavailable", "away"));
    await stopping;
    store.slow = false;
    await store.createOrganization(organization("b"));
    await settle();

    expect(applied).toEqual([[]]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
