import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { EventSplitter } from "./event-splitter.ts";

const NO_LIMIT = 1_000_000;

/** Splits `text` at the given offsets (any order, repeats make empty chunks). */
function cut(bytes: Buffer, offsets: readonly number[]): Buffer[] {
  const bounds = [0, ...offsets.map((offset) => offset % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return bounds.slice(1).map((end, i) => bytes.subarray(bounds[i], end));
}

function eventsOf(chunks: readonly Buffer[], maxEventBytes = NO_LIMIT): { events: string[]; splitter: EventSplitter } {
  const events: string[] = [];
  const splitter = new EventSplitter(
    (buffer, start, end) => events.push(buffer.toString("utf8", start, end)),
    maxEventBytes,
  );
  for (const chunk of chunks) splitter.push(chunk);
  return { events, splitter };
}

const lineEnd = fc.constantFrom("\n", "\r\n");
/** A line's text: anything but a line end; lone CRs and many-byte characters included. */
const line = fc
  .string({ unit: fc.constantFrom("a", ":", " ", "é", "𝄞", "\r"), minLength: 1, maxLength: 8 })
  .map((text) => text.replace(/\r+$/, "."));
const event = fc
  .tuple(fc.array(fc.tuple(line, lineEnd), { minLength: 1, maxLength: 4 }), lineEnd)
  .map(([lines, blank]) => lines.map(([text, end]) => text + end).join("") + blank);
const cuts = fc.array(fc.nat(500), { maxLength: 40 });

describe("EventSplitter", () => {
  it("finds the same events however the bytes are cut, with LF, CRLF and both mixed", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 6 }), cuts, (events, offsets) => {
        expect(eventsOf(cut(Buffer.from(events.join("")), offsets)).events).toEqual(events);
      }),
      { numRuns: 500 },
    );
  });

  it("finds the same events when every byte comes alone", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 4 }), (events) => {
        const bytes = Buffer.from(events.join(""));
        const single = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));

        expect(eventsOf(single).events).toEqual(events);
      }),
    );
  });

  it("stands at a boundary exactly when every byte so far belongs to a whole event", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 4 }), fc.nat(200), (events, length) => {
        const bytes = Buffer.from(events.join(""));
        const passed = bytes.subarray(0, length % (bytes.length + 1));
        const ends = new Set([0]);
        for (const text of events) ends.add(Math.max(...ends) + Buffer.byteLength(text));

        expect(eventsOf([passed]).splitter.atBoundary).toBe(ends.has(passed.length));
      }),
    );
  });

  it("skips exactly the events that are longer than allowed, however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 6 }), cuts, fc.integer({ min: 3, max: 40 }), (events, offsets, max) => {
        const short = events.filter((text) => Buffer.byteLength(text) <= max);

        expect(eventsOf(cut(Buffer.from(events.join("")), offsets), max).events).toEqual(short);
      }),
      { numRuns: 500 },
    );
  });

  it("is not at a boundary while it skips, and is again afterwards", () => {
    const { splitter } = eventsOf([Buffer.from("data: too long"), Buffer.from(" by far\n")], 10);
    expect(splitter.atBoundary).toBe(false);

    splitter.push(Buffer.from("\n"));
    expect(splitter.atBoundary).toBe(true);
  });

  it("visits an event that came in one chunk where it lies, without a copy", () => {
    const chunk = Buffer.from("data: 1\n\ndata: 2\n\n");
    const visited: [boolean, number, number][] = [];
    new EventSplitter((buffer, start, end) => visited.push([buffer === chunk, start, end]), NO_LIMIT).push(chunk);

    expect(visited).toEqual([
      [true, 0, 9],
      [true, 9, 18],
    ]);
  });
});
