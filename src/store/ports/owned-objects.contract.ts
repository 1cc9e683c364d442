import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { OwnedObject, OwnedObjectStore } from "./owned-objects.ts";
import { StoreError } from "./store-error.ts";

const BATCH: OwnedObject = {
  id: "msgbatch_1",
  kind: "batch",
  organizationId: "org_acme",
  keyId: "key_1",
  userId: "usr_ada",
  target: "anthropic",
  createdAtMs: 1_790_000_000_123,
  settledAtMs: null,
};
const MINE = { kind: "batch", organizationId: "org_acme", keyId: "key_1", userId: "usr_ada", limit: 10 } as const;

/** What every OwnedObjectStore does. `open` gives an empty store. */
export function ownedObjectsContract(
  open: () => Promise<{ store: OwnedObjectStore; close: () => Promise<void> }>,
): void {
  describe("a store of owned objects", () => {
    let store: OwnedObjectStore;
    let close = async (): Promise<void> => {};

    beforeEach(async () => {
      ({ store, close } = await open());
    });
    afterEach(async () => {
      await close();
    });

    const addBatches = async (...ids: string[]): Promise<void> => {
      for (const [at, id] of ids.entries()) await store.add({ ...BATCH, id, createdAtMs: BATCH.createdAtMs + at });
    };
    const ids = (objects: readonly OwnedObject[]): string[] => objects.map((object) => object.id);

    it("gives an object back as it was added, by kind and id", async () => {
      await store.add(BATCH);
      expect(await store.get("batch", BATCH.id)).toEqual(BATCH);
      expect(await store.get("file", BATCH.id)).toBeNull();
    });

    it("takes the same object twice but never gives it to another owner", async () => {
      await store.add(BATCH);
      await store.add(BATCH);
      await expect(store.add({ ...BATCH, keyId: "key_2" })).rejects.toBeInstanceOf(StoreError);
      await expect(store.add({ ...BATCH, organizationId: "org_other" })).rejects.toMatchObject({ kind: "duplicate" });
      expect(await store.get("batch", BATCH.id)).toEqual(BATCH);
    });

    it("lists a user's objects newest first, whichever of their keys made them", async () => {
      await addBatches("a", "b");
      await store.add({ ...BATCH, id: "c", keyId: "key_2", createdAtMs: BATCH.createdAtMs + 9 });
      expect(ids(await store.list(MINE))).toEqual(["c", "b", "a"]);
      expect(ids(await store.list({ ...MINE, limit: 2 }))).toEqual(["c", "b"]);
    });

    it("lists nothing of another user, organisation, kind, or key without a user", async () => {
      await store.add(BATCH);
      await store.add({ ...BATCH, id: "service", userId: null });
      expect(ids(await store.list({ ...MINE, userId: "usr_bob" }))).toEqual([]);
      expect(ids(await store.list({ ...MINE, organizationId: "org_other" }))).toEqual([]);
      expect(ids(await store.list({ ...MINE, kind: "file" }))).toEqual([]);
      expect(ids(await store.list({ ...MINE, userId: null }))).toEqual(["service"]);
      expect(ids(await store.list({ ...MINE, userId: null, keyId: "key_2" }))).toEqual([]);
      expect(ids(await store.list({ ...MINE, userId: null, keyId: "usr_ada" }))).toEqual([]);
      expect(ids(await store.list(MINE))).toEqual([BATCH.id]);
    });

    it("pages forwards after an id and backwards before one", async () => {
      await addBatches("a", "b", "c", "d", "e");
      expect(ids(await store.list({ ...MINE, afterId: "d", limit: 2 }))).toEqual(["c", "b"]);
      expect(ids(await store.list({ ...MINE, beforeId: "b", limit: 2 }))).toEqual(["d", "c"]);
      expect(ids(await store.list({ ...MINE, afterId: "e", beforeId: "a", limit: 2 }))).toEqual(["d", "c"]);
      expect(ids(await store.list({ ...MINE, afterId: "a" }))).toEqual([]);
      expect(ids(await store.list({ ...MINE, beforeId: "e" }))).toEqual([]);
    });

    it("orders objects of the same moment by id", async () => {
      for (const id of ["b", "a", "c"]) await store.add({ ...BATCH, id });
      expect(ids(await store.list(MINE))).toEqual(["c", "b", "a"]);
      expect(ids(await store.list({ ...MINE, afterId: "b" }))).toEqual(["a"]);
    });

    it("does not page from an object that the caller does not own", async () => {
      await addBatches("a");
      await store.add({ ...BATCH, id: "z", userId: "usr_bob", createdAtMs: BATCH.createdAtMs + 9 });
      expect(await store.list({ ...MINE, afterId: "z" })).toEqual([]);
      expect(await store.list({ ...MINE, beforeId: "none" })).toEqual([]);
    });

    it("gives unsettled batches oldest first until they are settled", async () => {
      await addBatches("a", "b", "c");
      await store.add({ ...BATCH, id: "f", kind: "file" });
      await store.markSettled("a", 77);
      await store.markSettled("a", 99);
      expect((await store.get("batch", "a"))?.settledAtMs).toBe(77);
      expect(ids(await store.unsettledBatches(10))).toEqual(["b", "c"]);
      expect(ids(await store.unsettledBatches(1))).toEqual(["b"]);
    });

    it("forgets a removed object", async () => {
      await store.add(BATCH);
      await store.remove("file", BATCH.id);
      expect(await store.get("batch", BATCH.id)).toEqual(BATCH);
      await store.remove("batch", BATCH.id);
      expect(await store.get("batch", BATCH.id)).toBeNull();
    });
  });
}
