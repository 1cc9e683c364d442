import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { SseEvents } from "./sse-events.ts";

function eventsOf(chunks: readonly Buffer[]): readonly (readonly [string, string])[] {
  const events: [string, string][] = [];
  const reader = new SseEvents((name, data) => events.push([name, data.toString()]));
  for (const chunk of chunks) {
    // A buffer of its own that is wiped afterwards, as a client library may reuse it.
    const lent = Buffer.from(chunk);
    reader.push(lent);
    lent.fill(0);
  }
  return events;
}

function cutAt(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const cuts = [
    0,
    ...[...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b),
    bytes.length,
  ];
  return cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end));
}

const STREAM = Buffer.from(
  'event: message_start\ndata: {"type":"message_start"}\n\n: a remark\n\nevent: ping\ndata: {"type": "ping"}\n\n' +
    'event:content_block_delta\r\ndata:{"text":"żółw 水 🐢"}\r\n\r\ndata: {"type":"message_stop"}\n\nevent: two\ndata: line 1\ndata: line 2\n\nid: 7\nevent: without data\n\n',
);
const EVENTS = [
  ["message_start", '{"type":"message_start"}'],
  ["ping", '{"type": "ping"}'],
  ["content_block_delta", '{"text":"żółw 水 🐢"}'],
  ["message_stop", '{"type":"message_stop"}'],
  ["two", "line 1\nline 2"],
];

describe("a server-sent event stream", () => {
  it("gives its events with their names, from the type of the data where there is no name", () => {
    expect(eventsOf([STREAM])).toEqual(EVENTS);
  });

  it("gives the same events wherever its chunks end, also within a letter", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 12 }), (places) => {
        expect(eventsOf(cutAt(STREAM, places))).toEqual(EVENTS);
      }),
    );
    expect(eventsOf(Array.from(STREAM, (byte) => Buffer.of(byte)))).toEqual(EVENTS);
  });

  it("does not give an event that was cut before its empty line", () => {
    expect(eventsOf([Buffer.from("event: message_stop\ndata: {}\n")])).toEqual([]);
  });

  it("survives whatever bytes come, and a line without end", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 60 })),
        (chunks) => void eventsOf(chunks.map((chunk) => Buffer.from(chunk))),
      ),
    );
    const endless = Array.from({ length: 40 }, () => Buffer.alloc(65_536, "x"));
    expect(eventsOf([...endless, Buffer.from("\n\n"), STREAM])).toEqual(EVENTS);
  });
});
