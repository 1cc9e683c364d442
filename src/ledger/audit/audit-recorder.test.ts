import { beforeEach, describe, expect, it } from "vitest";

import { AuditUnavailable } from "../../core/audit-act.ts";
import { ManualClock } from "../../core/clock.ts";
import { performAudited } from "../../core/perform-audited.ts";
import { MemoryAuditStore } from "../../store/memory/memory-audit-store.ts";
import type { AuditStore } from "../../store/ports/audit.ts";
import { AuditRecorder } from "./audit-recorder.ts";
import { ChainVerifier } from "./chain-verifier.ts";
import { TrustedKeys } from "./statement-signer.ts";
import { AT_MS, CHAIN, sampleAct } from "./testing/sample-chain.ts";

const ALL = { afterSeq: 0, throughSeq: Infinity, limit: 10_000 };

describe("AuditRecorder", () => {
  let store: MemoryAuditStore;
  let appends: number;
  let recorder: AuditRecorder;
  /** Set to make the store fail. */
  let failure: Error | null;

  beforeEach(() => {
    store = new MemoryAuditStore();
    appends = 0;
    failure = null;
    const append: AuditStore["append"] = async (...given) => {
      appends += 1;
      await Promise.resolve();
      if (failure !== null) throw failure;
      return await store.append(...given);
    };
    const watched = new Proxy(store, {
      get: (target, name) => (name === "append" ? append : Reflect.get(target, name)),
    });
    recorder = new AuditRecorder(watched, new ManualClock(AT_MS));
  });

  it("writes acts into one chain in the order in which they came", async () => {
    await Promise.all(["a", "b", "c"].map((actor) => recorder.record(sampleAct({ actor }))));
    const rows = await store.rows(CHAIN, ALL);
    expect(rows.map(({ seq, actor, atMs }) => [seq, actor, atMs])).toEqual([
      [1, "a", AT_MS],
      [2, "b", AT_MS],
      [3, "c", AT_MS],
    ]);
    const verifier = new ChainVerifier(CHAIN, { keys: new TrustedKeys([]), origin: null });
    verifier.take(rows, []);
    expect(verifier.finish(null).findings).toEqual([]);
  });

  it("writes what comes under load in few transactions", async () => {
    await Promise.all(Array.from({ length: 1_001 }, () => recorder.record(sampleAct())));
    expect(await store.rows(CHAIN, ALL)).toHaveLength(1_001);
    expect(appends).toBe(3);
  });

  it("puts sign-ins and exchanges into the security chain, and what asks for it", async () => {
    await recorder.record(sampleAct({ action: "sign_in.complete" }));
    await recorder.record(sampleAct({ retentionClass: "security" }));
    await recorder.record(sampleAct());
    expect(await store.rows({ ...CHAIN, retentionClass: "security" }, ALL)).toHaveLength(2);
    expect(await store.rows(CHAIN, ALL)).toHaveLength(1);
  });

  it("refuses the acts whose rows cannot be written, and no others", async () => {
    failure = new Error("disk full");
    const refused = recorder.record(sampleAct());
    await expect(refused).rejects.toThrow(AuditUnavailable);
    await expect(refused).rejects.toThrow("key.create is refused, because its audit row cannot be written: disk full");
    failure = null;
    await recorder.record(sampleAct());
    expect(await store.rows(CHAIN, ALL)).toHaveLength(1);
  });

  it("refuses an act that cannot be written down, without holding up others", async () => {
    const endless: Record<string, unknown> = {};
    endless["self"] = endless;
    const results = await Promise.allSettled([
      recorder.record(sampleAct({ after: endless })),
      recorder.record(sampleAct()),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
  });

  it("keeps an act from happening that cannot be written down", async () => {
    failure = new Error("disk full");
    let hasHappened = false;
    const work = async (): Promise<void> => {
      hasHappened = true;
    };
    await expect(performAudited(recorder, sampleAct(), work)).rejects.toThrow(AuditUnavailable);
    expect(hasHappened).toBe(false);
  });

  it("says of an act that failed that it failed", async () => {
    const work = (): Promise<never> => Promise.reject(new Error("no such key"));
    await expect(performAudited(recorder, sampleAct(), work)).rejects.toThrow("no such key");
    expect(await store.rows(CHAIN, ALL)).toMatchObject([
      { result: "done" },
      { result: "failed", reason: "no such key" },
    ]);
  });
});
