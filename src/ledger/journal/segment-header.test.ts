import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { checkHeader, headerJournalId, SEGMENT_HEADER_BYTES, segmentHeader, segmentSeed } from "./segment-header.ts";

const JOURNAL = "0b6a5d5e-2f7a-4a6f-9d55-3f9a4f1c2b10";
const OTHER = "1b6a5d5e-2f7a-4a6f-9d55-3f9a4f1c2b10";

function check(bytes: Buffer, segment: number): boolean {
  return checkHeader(bytes, { journalId: JOURNAL, segment, file: "/journal/x.segment" });
}

describe("a segment's header", () => {
  it("names the journal and the segment", () => {
    fc.assert(
      fc.property(fc.uuid(), fc.nat({ max: 1e12 }), (journalId, segment) => {
        const header = segmentHeader(journalId, segment);
        expect(header.length).toBe(SEGMENT_HEADER_BYTES);
        expect(headerJournalId(header)).toBe(journalId);
        expect(checkHeader(header, { journalId, segment, file: "f" })).toBe(true);
      }),
    );
  });

  it("given damage to any of its bytes, is not intact", () => {
    for (let at = 0; at < SEGMENT_HEADER_BYTES; at++) {
      const header = segmentHeader(JOURNAL, 3);
      header[at] = (header[at] ?? 0) ^ 0x10;
      expect(check(header, 3), `byte ${at}`).toBe(false);
      expect(headerJournalId(header), `byte ${at}`).toBeNull();
    }
  });

  it("given less than a header, is not intact", () => {
    expect(check(segmentHeader(JOURNAL, 3).subarray(0, 47), 3)).toBe(false);
  });

  it("given a file of another journal or number, says whose it is and what to do", () => {
    expect(() => check(segmentHeader(OTHER, 3), 3)).toThrow(
      /x\.segment is segment 3 of journal 1b6a5d5e.* not segment 3 of 0b6a5d5e.*move the file/,
    );
    expect(() => check(segmentHeader(JOURNAL, 4), 3)).toThrow(/is segment 4 .* not segment 3/);
  });

  it("starts checksums differently for each journal and segment", () => {
    expect(new Set([segmentSeed(JOURNAL, 1), segmentSeed(JOURNAL, 2), segmentSeed(OTHER, 1)]).size).toBe(3);
  });
});
