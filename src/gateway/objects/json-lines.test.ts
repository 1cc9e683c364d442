import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { linesOf } from "./json-lines.ts";

async function* inPieces(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  const at = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  for (let i = 1; i < at.length; i++) yield bytes.subarray(at[i - 1], at[i]);
}

async function collect(bytes: Buffer, cuts: readonly number[], maxBytes = 1_000): Promise<(string | null)[]> {
  const lines: (string | null)[] = [];
  for await (const line of linesOf(inPieces(bytes, cuts), maxBytes)) lines.push(line?.toString("utf8") ?? null);
  return lines;
}

describe("lines of a stream", () => {
  it("are the same however the stream is cut", async () => {
    const line = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !text.includes("\n"));
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.boolean(), fc.array(fc.nat()), async (lines, ended, cuts) => {
        const bytes = Buffer.from(lines.join("\n") + (ended ? "\n" : ""));
        expect(await collect(bytes, cuts)).toEqual(lines);
      }),
    );
  });

  it("leave out empty ones and mark those that are too long", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat()), async (cuts) => {
        const bytes = Buffer.from(`a\n\n${"x".repeat(11)}\n${"y".repeat(10)}\n\n${"z".repeat(99)}`);
        expect(await collect(bytes, cuts, 10)).toEqual(["a", null, "yyyyyyyyyy", null]);
      }),
    );
  });
});
