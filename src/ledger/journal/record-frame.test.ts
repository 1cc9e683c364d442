import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { hostileText } from "../../../test/faults/journal-fixtures.ts";
import { RecordBuffer } from "./record-buffer.ts";
import { findWhole, MAX_PAYLOAD_BYTES, RECORD, RECORD_HEADER_BYTES, recordType, wholeLength } from "./record-frame.ts";

const SEED = 0x1234_5678;

function framed(...texts: string[]): Buffer {
  const records = new RecordBuffer();
  for (const text of texts) records.add(RECORD.settle, text, SEED);
  return Buffer.from(records.bytes.subarray(0, records.length));
}

describe("a record's frame", () => {
  it("gives any text back, byte for byte as UTF-8", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const bytes = framed(text);
        expect(wholeLength(bytes, 0, SEED)).toBe(bytes.length);
        expect(recordType(bytes, 0)).toBe(RECORD.settle);
        expect(bytes.subarray(RECORD_HEADER_BYTES)).toEqual(Buffer.from(text));
      }),
    );
  });

  it("is not whole when cut at any byte", () => {
    const bytes = framed('{"exchangeId":"req_1"}');
    for (let length = 0; length < bytes.length; length++) {
      expect(wholeLength(bytes.subarray(0, length), 0, SEED)).toBe(0);
    }
  });

  it("is not whole when any one bit of it is changed", () => {
    const bytes = framed('{"exchangeId":"req_1"}');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = Buffer.concat([bytes, Buffer.alloc(64)]);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(wholeLength(damaged, 0, SEED), `bit ${bit}`).toBe(0);
    }
  });

  it("is not whole under the seed of another segment", () => {
    expect(wholeLength(framed("{}"), 0, SEED + 1)).toBe(0);
  });

  it("cannot be forged by a text that holds a record, because the text is UTF-8", () => {
    const inner = framed('{"exchangeId":"forged"}');
    const outer = framed(JSON.stringify({ modelAsked: inner.toString("latin1"), again: inner.toString("utf8") }));
    expect(findWhole(outer, 1, SEED)).toBe(-1);
  });

  it("is found again behind damage of any length", () => {
    const good = framed('{"exchangeId":"req_2"}');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        expect(findWhole(Buffer.concat([noise, good]), 0, SEED)).toBe(noise.length);
      }),
    );
  });
});

describe("RecordBuffer", () => {
  it("holds records one after the other, also beyond its first size", () => {
    const texts = Array.from({ length: 300 }, (_, index) => JSON.stringify({ index, text: "é".repeat(500) }));
    const bytes = framed(...texts);
    const found: string[] = [];
    for (let at = 0; at < bytes.length; at += wholeLength(bytes, at, SEED)) {
      found.push(bytes.toString("utf8", at + RECORD_HEADER_BYTES, at + wholeLength(bytes, at, SEED)));
    }
    expect(found).toEqual(texts);
  });

  it("takes a payload of the greatest length and refuses a longer one, keeping what it had", () => {
    const records = new RecordBuffer();
    records.add(RECORD.open, "x".repeat(MAX_PAYLOAD_BYTES), SEED);
    const before = records.length;
    expect(() => records.add(RECORD.open, "x".repeat(MAX_PAYLOAD_BYTES + 1), SEED)).toThrow(/at most 1048576 bytes/);
    expect(() => records.add(RECORD.open, "é".repeat(MAX_PAYLOAD_BYTES / 2 + 1), SEED)).toThrow(/at most/);
    expect(records.length).toBe(before);
    expect(wholeLength(records.bytes, 0, SEED)).toBe(before);
  });
});
