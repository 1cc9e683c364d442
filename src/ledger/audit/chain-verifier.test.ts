/** Whatever is done to a chain, it is found: that is what the chain is for. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { AuditRow, AuditStatement } from "../../store/ports/audit.ts";
import { extendChain, hashOfRow } from "./audit-chain.ts";
import type { ChainReport } from "./audit-finding.ts";
import { ChainVerifier } from "./chain-verifier.ts";
import { TrustedKeys } from "./statement-signer.ts";
import { CHAIN, headOf, newSigner, sampleRows } from "./testing/sample-chain.ts";

const signer = newSigner();
const keys = new TrustedKeys([signer.publicKey]);
const anyRows = fc
  .array(
    fc.record({
      actor: fc.string({ unit: "binary" }),
      object: fc.option(fc.string()),
      reason: fc.option(fc.string({ unit: "grapheme" })),
      address: fc.option(fc.ipV4()),
      before: fc.option(fc.dictionary(fc.string(), fc.jsonValue())),
      after: fc.option(fc.dictionary(fc.string(), fc.jsonValue())),
    }),
    { minLength: 3, maxLength: 8 },
  )
  .map((acts) => sampleRows(acts.length, (index) => acts[index] ?? {}));

/** What looking through these rows finds, with heads about some of them, and the tip that the chain says it has. */
function examine(
  rows: readonly AuditRow[],
  given: { heads?: readonly AuditStatement[]; tip?: AuditRow | null; origin?: AuditStatement | null } = {},
): ChainReport {
  const { heads = [], tip = rows.at(-1) ?? null, origin = null } = given;
  const verifier = new ChainVerifier(CHAIN, { keys, origin });
  const last = rows.at(-1)?.seq ?? 0;
  verifier.take(
    rows,
    heads.filter(({ seq }) => seq <= last),
  );
  return verifier.finish(
    tip,
    heads.filter(({ seq }) => seq > last),
  );
}

function kinds(report: ChainReport): string[] {
  return report.findings.map(({ kind, seq }) => `${kind} ${seq}`);
}

/** A value of the same kind that is another. */
function other(value: string | number | null): string | number | null {
  if (value === null) return "{}";
  if (typeof value === "number") return value + 1;
  if (value === "done") return "failed";
  if (value === "audit") return "security";
  return /^[0-9a-f]{64}$/.test(value) ? value.replace(/^./, (digit) => (digit === "0" ? "1" : "0")) : `${value} `;
}

describe("a chain that nobody touched", () => {
  it("is valid, whatever the acts say", () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const heads = rows.map((row) => headOf(signer, row));
        expect(examine(rows, { heads })).toMatchObject({ findings: [], rows: rows.length, unsignedRows: 0 });
      }),
    );
  });

  it("says how many rows at its end are not signed", () => {
    const rows = sampleRows(5);
    const heads = rows.slice(0, 2).map((row) => headOf(signer, row));
    expect(examine(rows, { heads })).toMatchObject({ unsignedRows: 3, heads: 2, firstSeq: 1, lastSeq: 5 });
  });

  it("is valid in pages of any size", () => {
    const rows = sampleRows(20);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), (size) => {
        const verifier = new ChainVerifier(CHAIN, { keys, origin: null });
        for (let at = 0; at < rows.length; at += size) {
          const page = rows.slice(at, at + size);
          verifier.take(
            page,
            page.map((row) => headOf(signer, row)),
          );
        }
        expect(verifier.finish(rows.at(-1) ?? null).findings).toEqual([]);
      }),
    );
  });

  it("is valid after retention, behind its checkpoint", () => {
    const rows = sampleRows(6);
    const gone = rows[2];
    if (gone === undefined) throw new Error("there is no third row");
    const origin = signer.checkpoint({ ...CHAIN, seq: gone.seq, hash: gone.hash }, 0, 3);
    expect(examine(rows.slice(3), { origin }).findings).toEqual([]);
    expect(examine([], { origin, tip: gone }).findings).toEqual([]);
  });
});

describe("tampering is found:", () => {
  const FIELDS = Object.keys(sampleRows(1)[0] ?? {}) as (keyof AuditRow)[]; // Of a row's literal: its own names.

  it("any field of any row", () => {
    fc.assert(
      fc.property(anyRows, fc.nat(), fc.constantFrom(...FIELDS), (rows, at, field) => {
        const index = at % rows.length;
        const changed = rows.map((row, i) => (i === index ? { ...row, [field]: other(row[field]) } : row));
        const report = examine(changed, { tip: rows.at(-1) ?? null });
        expect(report.findings.length).toBeGreaterThan(0);
        expect(report.findings.some(({ seq }) => Math.abs(seq - (index + 1)) <= 1)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("a field of a row whose own hash was made anew", () => {
    fc.assert(
      fc.property(anyRows, fc.nat(), fc.string(), (rows, at, text) => {
        const index = at % (rows.length - 1);
        const changed = rows.map((row, i) => {
          if (i !== index) return row;
          const forged = { ...row, actor: `${row.actor}${text}!` };
          return { ...forged, hash: hashOfRow(forged) };
        });
        expect(kinds(examine(changed))).toEqual([`not_linked ${index + 2}`]);
      }),
    );
  });

  it("a rewriting of everything from some row on, by the head that was signed before", () => {
    const rows = sampleRows(6);
    const heads = rows.slice(0, 5).map((row) => headOf(signer, row));
    const forged = extendChain(
      { ...CHAIN, seq: 2, hash: rows[1]?.hash ?? "" },
      rows.slice(2).map((row) => ({ ...row, actor: "nobody" })),
    );
    expect(kinds(examine([...rows.slice(0, 2), ...forged], { heads }))).toEqual([
      "head_mismatch 3",
      "head_mismatch 4",
      "head_mismatch 5",
    ]);
  });

  it("deletion of rows in the middle", () => {
    fc.assert(
      fc.property(anyRows, fc.nat(), (rows, at) => {
        const index = 1 + (at % (rows.length - 2));
        expect(kinds(examine(rows.toSpliced(index, 1)))).toEqual([`missing ${index + 1}`]);
      }),
    );
  });

  it("deletion of the beginning without a checkpoint", () => {
    expect(kinds(examine(sampleRows(5).slice(2)))).toEqual(["no_beginning 1"]);
  });

  it("deletion at the end, by the chain's own tip or by a signed head", () => {
    const rows = sampleRows(5);
    const heads = rows.map((row) => headOf(signer, row));
    const left = rows.slice(0, 3);
    expect(kinds(examine(left, { tip: rows.at(-1) ?? null }))).toEqual(["truncated 4"]);
    expect(kinds(examine(left, { heads }))).toEqual(["truncated 4"]);
    expect(kinds(examine([], { heads, tip: null }))).toEqual(["truncated 1"]);
  });

  it("insertion, repetition and exchange of rows", () => {
    const rows = sampleRows(5);
    const [a, b, c, d, e] = rows;
    if (!a || !b || !c || !d || !e) throw new Error("there are not five rows");
    expect(kinds(examine([a, b, b, c, d, e]))).toEqual(["out_of_order 2"]);
    expect(kinds(examine([a, c, b, d, e]))).toContain("out_of_order 2");
    const foreign = { ...b, seq: 3, prev: b.hash, actor: "x" };
    const inserted = { ...foreign, hash: hashOfRow(foreign) };
    expect(kinds(examine([a, b, inserted, c, d, e], { tip: e }))).toContain("out_of_order 3");
    expect(kinds(examine([a, b, inserted, d, e], { tip: e }))).toEqual(["not_linked 4"]);
  });

  it("a head of somebody else's, or one that was changed", () => {
    const rows = sampleRows(2);
    const [first, second] = rows;
    if (first === undefined || second === undefined) throw new Error("there are not two rows");
    const foreign = headOf(newSigner(), first);
    expect(kinds(examine(rows, { heads: [foreign] }))).toEqual(["unknown_key 1"]);
    const changed = { ...headOf(signer, second), atMs: 5 };
    expect(kinds(examine(rows, { heads: [changed] }))).toEqual(["bad_signature 2"]);
  });

  it("a checkpoint that nobody signed", () => {
    const rows = sampleRows(4);
    const gone = rows[1];
    if (gone === undefined) throw new Error("there is no second row");
    const origin = { ...signer.checkpoint({ ...CHAIN, seq: 2, hash: gone.hash }, 0, 1), removed: 2 };
    expect(kinds(examine(rows.slice(2), { origin }))).toEqual(["bad_signature 2"]);
  });

  it("a record in other words that mean the same", () => {
    const rows = sampleRows(1);
    const [row] = rows;
    if (row === undefined) throw new Error("there is no row");
    const spaced = { ...row, after: (row.after ?? "").replace(":", ": ") };
    expect(kinds(examine([{ ...spaced, hash: hashOfRow(spaced) }], { tip: null }))).toEqual(["altered 1"]);
  });
});

describe("a fault", () => {
  it("is told once, and the rest of the chain is still looked at", () => {
    const rows = sampleRows(10);
    const changed = rows.map((row) => (row.seq === 3 || row.seq === 8 ? { ...row, reason: "other" } : row));
    expect(kinds(examine(changed))).toEqual(["altered 3", "altered 8"]);
  });

  it("names the act of the row", () => {
    const [row] = sampleRows(1);
    if (row === undefined) throw new Error("there is no row");
    expect(examine([{ ...row, actor: "cli:eve" }], { tip: null }).findings[0]?.message).toMatch(
      /its content has hash [0-9a-f]{64}, but [0-9a-f]{64} was recorded: key.create by cli:eve at 2026-11-20T12:00:00/,
    );
  });

  it("that comes thousands of times does not fill the memory", () => {
    const rows = sampleRows(1_000).map((row) => ({ ...row, reason: "other" }));
    const report = examine(rows, { tip: null });
    expect(report.findings).toHaveLength(100);
    expect(report.moreFindings).toBe(900);
  });
});
