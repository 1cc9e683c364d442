import { randomUUID } from "node:crypto";

import { beforeEach, describe, expect, it } from "vitest";

import type { AuditQuery, AuditRow, AuditStatement, AuditStore, ChainId, ChainTip } from "./audit.ts";

const AT_MS = Date.UTC(2026, 10, 20, 12);
const NONE = "00".repeat(32);

/** What every audit store must do. Each test has an organisation of its own, as rows cannot be taken away. */
export function auditContract(open: () => Promise<{ store: AuditStore; close: () => Promise<void> }>): void {
  describe("audit store", () => {
    let store: AuditStore;
    let chain: ChainId;

    beforeEach(async () => {
      const opened = await open();
      store = opened.store;
      chain = { organizationId: `org_${randomUUID()}`, retentionClass: "audit" };
      return opened.close;
    });

    const add = (given: Partial<AuditRow>[], to: ChainId = chain): Promise<ChainTip> =>
      store.append(to, (tip) => given.map((one, index) => rowAfter(tip, index, one)));
    const all = { afterSeq: 0, throughSeq: Infinity, limit: 100 };
    const query = (given: Partial<AuditQuery> = {}): AuditQuery => ({
      organizationIds: [chain.organizationId],
      fromMs: 0,
      toMs: Infinity,
      visibleFromMs: null,
      limit: 100,
      ...given,
    });
    const actions = (rows: readonly AuditRow[]): string[] => rows.map(({ action }) => action);

    it("gives rows back exactly as they were added, in their order", async () => {
      const odd = {
        object: "key:'\"\\,\n",
        before: '{"a":"\\u0001ü😀"}',
        after: '{"b":[1,null]}',
        reason: "",
        address: "::1",
      };
      const tip = await add([odd, { seq: 2, requestId: "req_1", result: "refused" }]);
      const rows = await store.rows(chain, all);

      expect(rows).toHaveLength(2);
      expect(rows[0]).toEqual(rowAfter({ ...chain, seq: 0, hash: NONE }, 0, odd));
      expect(rows[1]).toMatchObject({ seq: 2, requestId: "req_1", result: "refused", before: null });
      expect(tip).toEqual({ ...chain, seq: 2, hash: rows[1]?.hash });
    });

    it("hands each writer the tip that the one before it left, however many come at once", async () => {
      await Promise.all(Array.from({ length: 20 }, () => add([{}, {}])));
      const rows = await store.rows(chain, all);

      expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
      expect(rows.slice(1).map(({ prev }) => prev)).toEqual(rows.slice(0, -1).map(({ hash }) => hash));
    });

    it("adds nothing when the writer fails or has nothing to add", async () => {
      await add([{}]);
      await expect(
        store.append(chain, () => {
          throw new Error("no");
        }),
      ).rejects.toThrow("no");
      const tip = await store.append(chain, () => []);

      expect(tip.seq).toBe(1);
      expect(await store.rows(chain, all)).toHaveLength(1);
    });

    it("tells the writer which objects the chain has rows about", async () => {
      await add([{ object: "a" }, { object: "b" }, { object: null }]);
      let seen: readonly string[] = [];
      await store.append(
        chain,
        (_, known) => {
          seen = [...known].sort();
          return [];
        },
        ["b", "c", "a"],
      );
      expect(seen).toEqual(["a", "b"]);
    });

    it("keeps the chains of classes and organisations apart", async () => {
      const security: ChainId = { ...chain, retentionClass: "security" };
      await add([{}, {}]);
      await add([{}], security);

      expect(await store.chains(chain.organizationId)).toMatchObject([
        { ...chain, seq: 2, headSeq: 0 },
        { ...security, seq: 1, headSeq: 0 },
      ]);
      expect((await store.chains()).length).toBeGreaterThanOrEqual(2);
      expect(await store.chains("org_nobody")).toEqual([]);
    });

    it("reads a slice of a chain", async () => {
      await add([{}, {}, {}, {}]);
      const seqs = async (slice: Partial<typeof all>) =>
        (await store.rows(chain, { ...all, ...slice })).map(({ seq }) => seq);
      expect(await seqs({ afterSeq: 1, throughSeq: 3 })).toEqual([2, 3]);
      expect(await seqs({ afterSeq: 1, limit: 1 })).toEqual([2]);
      expect(await seqs({ afterSeq: 4 })).toEqual([]);
    });

    it("finds the newest first, in both classes", async () => {
      await add([
        { action: "a", atMs: AT_MS },
        { action: "b", atMs: AT_MS + 2 },
      ]);
      await add([{ action: "c", atMs: AT_MS + 1 }], { ...chain, retentionClass: "security" });

      expect(actions(await store.find(query()))).toEqual(["b", "c", "a"]);
      expect(actions(await store.find(query({ limit: 2 })))).toEqual(["b", "c"]);
      expect(actions(await store.find(query({ retentionClass: "security" })))).toEqual(["c"]);
      expect(actions(await store.find(query({ fromMs: AT_MS + 1, toMs: AT_MS + 2 })))).toEqual(["c"]);
    });

    it("filters by every field, and by what begins like it", async () => {
      await add([
        { action: "key.create", actor: "cli:ada", object: "key:1", result: "done", requestId: "req_1" },
        { action: "key.revoke", actor: "cli:bob", object: "key:2", result: "failed" },
        { action: "keys%", actor: "system", result: "refused" },
      ]);
      const found = async (given: Partial<AuditQuery>) => actions(await store.find(query(given)));
      expect(await found({ action: "key.*" })).toEqual(["key.revoke", "key.create"]);
      expect(await found({ action: "keys%" })).toEqual(["keys%"]);
      expect(await found({ action: "key_create" })).toEqual([]);
      expect(await found({ actor: "cli:bob" })).toEqual(["key.revoke"]);
      expect(await found({ object: "key:*" })).toEqual(["key.revoke", "key.create"]);
      expect(await found({ result: "refused" })).toEqual(["keys%"]);
      expect(await found({ requestId: "req_1", actor: "cli:ada" })).toEqual(["key.create"]);
    });

    it("shows nothing from before what the asker may see, and nothing of other organisations", async () => {
      await add([
        { action: "old", atMs: AT_MS - 1 },
        { action: "new", atMs: AT_MS },
      ]);
      expect(actions(await store.find(query({ visibleFromMs: AT_MS })))).toEqual(["new"]);
      expect(await store.find(query({ organizationIds: ["org_nobody"] }))).toEqual([]);
      expect(await store.find(query({ organizationIds: [] }))).toEqual([]);
    });

    it("knows where a time begins in a chain", async () => {
      await add([{ atMs: AT_MS }, { atMs: AT_MS + 10 }, { atMs: AT_MS + 5 }]);
      expect(await store.firstSeqSince(chain, AT_MS - 1)).toBe(1);
      expect(await store.firstSeqSince(chain, AT_MS + 5)).toBe(2);
      expect(await store.firstSeqSince(chain, AT_MS + 11)).toBeNull();
      expect(await store.firstSeqSince(chain, Number.MIN_SAFE_INTEGER)).toBe(1);
    });

    it("keeps signed heads, each once, and knows how far they reach", async () => {
      await add([{}, {}]);
      const [first, second] = [headAt(chain, 1), headAt(chain, 2)];
      for (const head of [second, first, second]) await store.addHead(head);

      expect(await store.heads(chain, all)).toEqual([first, second]);
      expect(await store.heads(chain, { ...all, afterSeq: 1 })).toEqual([second]);
      expect(await store.chains(chain.organizationId)).toMatchObject([{ headSeq: 2 }]);
    });

    it("removes what a checkpoint stands for, and goes on from there", async () => {
      await add([{}, {}, {}]);
      await store.addHead(headAt(chain, 1));
      await store.addHead(headAt(chain, 3));
      const checkpoint: AuditStatement = { ...headAt(chain, 2), kind: "checkpoint", removed: 2 };
      expect(await store.checkpoint(chain)).toBeNull();
      expect(await store.prune(checkpoint)).toBe(2);

      expect(await store.checkpoint(chain)).toEqual(checkpoint);
      expect((await store.rows(chain, all)).map(({ seq }) => seq)).toEqual([3]);
      expect((await store.heads(chain, all)).map(({ seq }) => seq)).toEqual([3]);
      expect((await add([{}])).seq).toBe(4);
      await expect(store.prune(checkpoint)).rejects.toMatchObject({ name: "StoreError", kind: "duplicate" });
    });
  });
}

/** A row with a hash of the right length; what hashes mean is not the store's business. */
function rowAfter(tip: ChainTip, index: number, given: Partial<AuditRow>): AuditRow {
  const seq = tip.seq + 1 + index;
  const { organizationId, retentionClass } = tip;
  return {
    organizationId,
    retentionClass,
    atMs: AT_MS + seq,
    actor: "cli:ada",
    action: "key.create",
    object: null,
    before: null,
    after: null,
    address: null,
    requestId: null,
    result: "done",
    reason: null,
    ...given,
    seq,
    prev: seq === 1 ? NONE : hashAt(seq - 1),
    hash: hashAt(seq),
  };
}

function hashAt(seq: number): string {
  return seq.toString(16).padStart(64, "a");
}

function headAt(chain: ChainId, seq: number): AuditStatement {
  const signature = "5e".repeat(64);
  return { ...chain, kind: "head", seq, hash: hashAt(seq), atMs: AT_MS, removed: null, keyId: "k1", signature };
}
