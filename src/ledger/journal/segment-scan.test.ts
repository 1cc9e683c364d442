import { describe, expect, it } from "vitest";

import { RecordBuffer } from "./record-buffer.ts";
import { RECORD } from "./record-frame.ts";
import { type RecordScan, scanRecords } from "./segment-scan.ts";

const SEED = 7;
const START = 16;

function segment(...texts: string[]): Buffer {
  const records = new RecordBuffer();
  for (const text of texts) records.add(RECORD.settle, text, SEED);
  return Buffer.concat([Buffer.alloc(START), records.bytes.subarray(0, records.length)]);
}

function scan(bytes: Buffer): RecordScan & { texts: string[] } {
  const texts: string[] = [];
  const result = scanRecords(bytes, { start: START, seed: SEED }, ({ payload }) => texts.push(payload.toString()));
  return { ...result, texts };
}

describe("scanRecords", () => {
  const one = segment('{"n":1}').length;

  it("given whole records, visits all of them and ends at the end", () => {
    const bytes = segment('{"n":1}', '{"n":2}');
    expect(scan(bytes)).toEqual({ texts: ['{"n":1}', '{"n":2}'], end: bytes.length, holes: [] });
  });

  it("given an end that is no whole record, ends at the last whole one", () => {
    const bytes = segment('{"n":1}', '{"n":2}');
    for (let length = one; length < bytes.length; length++) {
      expect(scan(bytes.subarray(0, length))).toEqual({ texts: ['{"n":1}'], end: one, holes: [] });
    }
  });

  it("given zeros at the end, as a file system may leave them after a power cut, ends before them", () => {
    expect(scan(Buffer.concat([segment('{"n":1}'), Buffer.alloc(5000)])).end).toBe(one);
  });

  it("given damage with a whole record after it, reports the hole and goes on", () => {
    const bytes = segment('{"n":1}', '{"n":2}', '{"n":3}');
    const [second, third] = [one, segment('{"n":1}', '{"n":2}').length];
    bytes[second + 14] = 0;
    expect(scan(bytes)).toEqual({
      texts: ['{"n":1}', '{"n":3}'],
      end: bytes.length,
      holes: [{ offset: second, resumeOffset: third }],
    });
  });

  it("given a file shorter than the start, finds nothing", () => {
    expect(scan(Buffer.alloc(3))).toEqual({ texts: [], end: 3, holes: [] });
  });
});
