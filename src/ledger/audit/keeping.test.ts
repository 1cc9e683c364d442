/** Signing, retention and exports of stored chains. */
import * as fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";

import { ManualClock } from "../../core/clock.ts";
import { silentLogger } from "../../core/logger.ts";
import { MemoryAuditStore } from "../../store/memory/memory-audit-store.ts";
import type { AuditRow, AuditStatement } from "../../store/ports/audit.ts";
import { AuditRecorder } from "./audit-recorder.ts";
import { CSV_HEADER, csvRecords, fromCsvCells, toCsvLine } from "./export-csv.ts";
import { fromJsonLine, toJsonLine } from "./export-json-lines.ts";
import { exportChain, type ExportRecord } from "./export-records.ts";
import { HeadSigner } from "./head-signer.ts";
import { applyRetention, type RetentionParts } from "./retention.ts";
import { TrustedKeys } from "./statement-signer.ts";
import { AT_MS, CHAIN, fill, headOf, newSigner, sampleAct, sampleRows } from "./testing/sample-chain.ts";
import { verifyExport } from "./verify-export.ts";
import { verifyStore } from "./verify-store.ts";

const DAY_MS = 86_400_000;
const ALL = { afterSeq: 0, throughSeq: Infinity, limit: 10_000 };
const signer = newSigner();
const keys = new TrustedKeys([signer.publicKey]);

let store: MemoryAuditStore;
let clock: ManualClock;
let kept: AuditStatement[];
let heads: HeadSigner;
let parts: RetentionParts;

beforeEach(() => {
  store = new MemoryAuditStore();
  clock = new ManualClock(AT_MS + 1_000_000);
  kept = [];
  const keep = async (head: AuditStatement): Promise<void> => void kept.push(head);
  heads = new HeadSigner({ store, signer, clock, logger: silentLogger, intervalMs: 60_000, keep });
  parts = { store, trail: new AuditRecorder(store, clock), signer, keys, clock };
});

async function findings(anchors: readonly AuditStatement[] = []): Promise<string[]> {
  const [state] = (await store.chains()).filter(({ retentionClass }) => retentionClass === "audit");
  if (state === undefined) throw new Error("there is no chain");
  const report = await verifyStore(store, state, { keys, anchors });
  return report.findings.map(({ kind, seq }) => `${kind} ${seq}`);
}

async function rows(): Promise<readonly AuditRow[]> {
  return await store.rows(CHAIN, ALL);
}

describe("HeadSigner", () => {
  it("signs chains that have grown, once, and keeps the head outside too", async () => {
    await fill(store, sampleRows(3));
    expect(await heads.signAll()).toBe(1);
    expect(await heads.signAll()).toBe(0);
    expect(await store.heads(CHAIN, ALL)).toMatchObject([{ kind: "head", seq: 3, keyId: signer.keyId }]);
    expect(kept).toEqual(await store.heads(CHAIN, ALL));
    expect(await findings()).toEqual([]);
  });

  it("does not sign a chain whose rows since the last head do not verify", async () => {
    const [first, second, third] = sampleRows(3);
    if (!first || !second || !third) throw new Error("there are not three rows");
    await fill(store, [first]);
    await heads.signAll();
    await fill(store, [{ ...second, actor: "cli:eve" }, third]);
    expect(await heads.signAll()).toBe(0);
    expect(kept).toHaveLength(1);
  });

  it("signs at the end what has come since", async () => {
    await heads.start();
    await fill(store, sampleRows(2));
    await heads.stop();
    await heads.stop();
    expect(kept.at(-1)?.seq).toBe(2);
  });
});

describe("a kept head", () => {
  it("finds rows removed at the end of which the database knows nothing any more", async () => {
    const all = sampleRows(4);
    const last = all.at(-1);
    if (last === undefined) throw new Error("there is no row");
    await fill(store, all.slice(0, 3));
    expect(await findings()).toEqual([]);
    expect(await findings([headOf(signer, last)])).toEqual(["truncated 4"]);
  });
});

describe("retention", () => {
  const request = { days: { audit: 10, security: 1 }, actor: "system", reason: null, isDryRun: false };

  it("removes what has expired behind a signed checkpoint, says so in the trail, and the rest verifies", async () => {
    await fill(store, sampleRows(5));
    clock.setWall(AT_MS + 10 * DAY_MS + 2_500);
    expect(await applyRetention(parts, request)).toMatchObject([{ removed: 3, throughSeq: 3, finding: null }]);
    const left = await rows();

    expect(left.map(({ seq }) => seq)).toEqual([4, 5, 6]);
    expect(left.at(-1)).toMatchObject({ action: "audit.retain", object: "chain:org_1/audit", result: "done" });
    expect(await store.checkpoint(CHAIN)).toMatchObject({ kind: "checkpoint", seq: 3, removed: 3 });
    expect(await findings()).toEqual([]);
  });

  it("goes on from an earlier checkpoint, and signing goes on behind it", async () => {
    await fill(store, sampleRows(5));
    clock.setWall(AT_MS + 10 * DAY_MS + 1_500);
    await applyRetention(parts, request);
    await heads.signAll();
    clock.setWall(AT_MS + 30 * DAY_MS);
    await applyRetention(parts, request);
    await heads.signAll();

    expect((await rows()).map(({ action }) => action)).toEqual(["audit.retain"]);
    expect(await findings()).toEqual([]);
  });

  it("only says what it would do, when asked", async () => {
    await fill(store, sampleRows(5));
    clock.setWall(AT_MS + 20 * DAY_MS);
    expect(await applyRetention(parts, { ...request, isDryRun: true })).toMatchObject([{ removed: 5 }]);
    expect(await rows()).toHaveLength(5);
  });

  it("keeps each class as long as it is to be kept", async () => {
    const recorder = new AuditRecorder(store, clock);
    await recorder.record(sampleAct());
    await recorder.record(sampleAct({ action: "sign_in.complete" }));
    clock.advance(2 * DAY_MS);
    await applyRetention(parts, request);
    expect((await rows()).map(({ action }) => action)).toEqual(["key.create", "audit.retain"]);
    expect(await store.rows({ ...CHAIN, retentionClass: "security" }, ALL)).toEqual([]);
  });

  it("keeps as evidence what does not verify", async () => {
    await fill(
      store,
      sampleRows(5).map((row) => (row.seq === 2 ? { ...row, actor: "cli:eve" } : row)),
    );
    clock.setWall(AT_MS + 20 * DAY_MS);
    expect(await applyRetention(parts, request)).toMatchObject([{ removed: 0, finding: { kind: "altered", seq: 2 } }]);
    const left = await rows();
    expect(left).toHaveLength(6);
    expect(left.at(-1)).toMatchObject({ action: "audit.retain", result: "refused" });
  });
});

describe("an export", () => {
  async function exported(range = { fromMs: 0, toMs: Infinity }): Promise<ExportRecord[]> {
    const [state] = await store.chains();
    if (state === undefined) throw new Error("there is no chain");
    return (await Array.fromAsync(exportChain({ store, signer, clock }, state, range))).flat();
  }

  async function verdict(records: readonly ExportRecord[]): Promise<string[]> {
    const reports = await verifyExport(iterate(records), { keys });
    return reports.flatMap(({ findings: found }) => found.map(({ kind, seq }) => `${kind} ${seq}`));
  }

  it("of a whole chain, or a part of it, verifies with the public key alone", async () => {
    await fill(store, sampleRows(10));
    await heads.signAll();
    const whole = await exported();
    const part = await exported({ fromMs: AT_MS + 3_000, toMs: AT_MS + 6_000 });

    expect(await verdict(whole)).toEqual([]);
    expect(await verdict(part)).toEqual([]);
    expect(part.flatMap((one) => (one.type === "row" ? [one.row.seq] : []))).toEqual([4, 5, 6]);
    expect(await verdict(await exported({ fromMs: AT_MS + 99_000, toMs: Infinity }))).toEqual([]);
  });

  it("tells the removal of any record of it, the last one included", async () => {
    await fill(store, sampleRows(6));
    await heads.signAll();
    const whole = await exported();
    for (const [index, record] of whole.entries()) {
      // Heads in between are signed again by the end.
      if (record.type === "statement" && record.statement.kind === "head") continue;
      expect(await verdict(whole.toSpliced(index, 1)), `without record ${index}`).not.toEqual([]);
    }
  });

  it("by somebody else does not verify", async () => {
    await fill(store, sampleRows(2));
    const [state] = await store.chains();
    if (state === undefined) throw new Error("there is no chain");
    const foreign = { store, signer: newSigner(), clock };
    const records = (await Array.fromAsync(exportChain(foreign, state, { fromMs: 0, toMs: Infinity }))).flat();
    expect(await verdict(records)).toEqual(["unknown_key 0", "unknown_key 2"]);
  });

  const anyRecord = fc
    .record({
      actor: fc.string({ unit: "grapheme" }),
      object: fc.option(fc.constantFrom("", "=1+1", "'", '"', "a,b\r\nc", "-", "+x")),
      reason: fc.option(fc.string({ unit: "binary" })),
      after: fc.option(fc.dictionary(fc.string(), fc.jsonValue())),
    })
    .map((act) => sampleRows(1, () => act).map((row) => ({ type: "row", row }) as const));

  it("says the same in JSON Lines, whatever is in it", () => {
    fc.assert(
      fc.property(anyRecord, ([record]) => {
        if (record === undefined) return;
        const line = toJsonLine(record);
        expect(line.indexOf("\n")).toBe(line.length - 1);
        expect(fromJsonLine(line)).toEqual(record);
      }),
    );
  });

  it("says the same in CSV, whatever is in it and however it is cut, and starts no formula", async () => {
    await fc.assert(
      fc.asyncProperty(anyRecord, fc.integer({ min: 1, max: 40 }), async (records, size) => {
        const text = CSV_HEADER + records.map(toCsvLine).join("");
        const chars = Array.from(text);
        const pieces = Array.from({ length: Math.ceil(chars.length / size) }, (_, index) =>
          chars.slice(index * size, (index + 1) * size).join(""),
        );
        const [header, ...lines] = await Array.fromAsync(csvRecords(iterate(pieces)));
        expect(header?.[0]).toBe("type");
        expect(lines.map(fromCsvCells)).toEqual(records);
        expect(lines.flat().filter((cell) => cell !== null && /^[=+@-]/.test(cell))).toEqual([]);
      }),
    );
  });
});

async function* iterate<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
