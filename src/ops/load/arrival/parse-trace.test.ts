import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parseTrace } from "./parse-trace.ts";

/** Recorded traces that a machine may have beside the checkout; they are not part of the project. */
const REAL = join(import.meta.dirname, "../../../../../shared/eval/load");

describe("a trace of requests", () => {
  it("is read with times, tokens and, where given, the share of the prompt that was sent before", () => {
    const trace = parseTrace(
      "offset_ms,input_tokens,output_tokens,blocks,shared_prefix_blocks\n0,4000,6,8,0\n40,2000,3,4,3\n40.5,10,1,0,0\n",
      "t.csv",
    );
    expect(trace).toEqual({
      kind: "requests",
      name: "t.csv",
      requests: [
        { offsetMs: 0, inputTokens: 4000, outputTokens: 6, sharedPrefix: 0 },
        { offsetMs: 40, inputTokens: 2000, outputTokens: 3, sharedPrefix: 0.75 },
        { offsetMs: 40.5, inputTokens: 10, outputTokens: 1, sharedPrefix: null },
      ],
    });
  });

  it("is read the same with Windows line ends, a byte order mark, blanks and empty lines at the end", () => {
    const plain = "offset_ms,input_tokens,output_tokens\n1,2,3\n4,5,6\n";
    const dressed = "\uFEFFoffset_ms, input_tokens,output_tokens\r\n1, 2 ,3\r\n4,5,6\r\n\r\n";
    expect(parseTrace(dressed, "t")).toEqual(parseTrace(plain, "t"));
  });

  it("gives back every row that was written, whatever the numbers", () => {
    const row = fc.tuple(fc.nat(1000), fc.nat(200_000), fc.nat(8000));
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 50 }), (rows) => {
        let offsetMs = 0;
        const written = rows.map(([step, inputTokens, outputTokens]) => {
          offsetMs += step;
          return { offsetMs, inputTokens, outputTokens, sharedPrefix: null };
        });
        const csv = written.map((r) => `${r.offsetMs},${r.inputTokens},${r.outputTokens}`).join("\n");
        const trace = parseTrace(`offset_ms,input_tokens,output_tokens\n${csv}`, "t");
        expect(trace).toEqual({ kind: "requests", name: "t", requests: written });
      }),
    );
  });
});

describe("a trace of rates", () => {
  it("holds each rate until the next row, and the last as long as the one before", () => {
    expect(parseTrace("t_sec,req_per_sec\n0,2.5\n600,0\n", "agg.csv")).toEqual({
      kind: "rates",
      name: "agg.csv",
      clients: [""],
      rows: [
        { fromMs: 0, perSecond: [2.5] },
        { fromMs: 600_000, perSecond: [0] },
      ],
      endMs: 1_200_000,
    });
  });

  it("tells clients apart when the columns do", () => {
    const trace = parseTrace("t_sec,chunk-1,chunk-2\n0,1,0.5\n", "clients.csv");
    expect(trace).toMatchObject({
      kind: "rates",
      clients: ["chunk-1", "chunk-2"],
      rows: [{ fromMs: 0, perSecond: [1, 0.5] }],
    });
  });
});

describe("a file that is no trace", () => {
  it.each([
    ["", /t.csv, line 1: not an arrival trace/],
    ["time,rate\n1,2\n", /t.csv, line 1: not an arrival trace \("time,rate"\)/],
    ["offset_ms,input_tokens\n0,1\n", /line 1: the column output_tokens is missing/],
    ["offset_ms,input_tokens,output_tokens\n", /t.csv: the trace has no rows/],
    ["offset_ms,input_tokens,output_tokens\n0,1,2\n3,x,5\n", /line 3, column input_tokens: "x" is not a number/],
    ["offset_ms,input_tokens,output_tokens\n0,1,-2\n", /line 2, column output_tokens/],
    ["offset_ms,input_tokens,output_tokens\n0,1,\n", /line 2, column output_tokens/],
    ["offset_ms,input_tokens,output_tokens\n0,1\n", /line 2.*2 cells under 3 columns/],
    ["offset_ms,input_tokens,output_tokens\n9,1,2\n8,1,2\n", /line 3, column offset_ms: time goes back from 9/],
    ["t_sec,req_per_sec\n0,1\n0,1\n", /line 3, column t_sec: time does not advance/],
    ["t_sec,req_per_sec\n0,NaN\n", /line 2, column req_per_sec/],
    ["t_sec,req_per_sec\n0,1e999\n", /line 2, column req_per_sec/],
  ])("is refused with the place: %j", (text, message) => {
    expect(() => parseTrace(text, "t.csv")).toThrow(message);
  });
});

describe.skipIf(!existsSync(REAL))(
  "the recorded traces beside the checkout (skipped where shared/eval/load is absent)",
  () => {
    it.each([
      ["azure2023_code.csv", "requests", 8819],
      ["mooncake_synthetic.csv", "requests", 3993],
      ["servegen_language_m-large.agg.csv", "rates", 2016],
      ["servegen_multimodal_mm-image.clients.csv", "rates", 144],
    ])("%s is read as it stands", (file, kind, rows) => {
      const trace = parseTrace(readFileSync(join(REAL, file), "utf8"), file);
      expect(trace.kind).toBe(kind);
      expect(trace.kind === "requests" ? trace.requests.length : trace.rows.length).toBe(rows);
    });
  },
);
