import { describe, expect, it } from "vitest";

import { StreamTranslation } from "./answer-translation.ts";
import { StreamOpening, type OpeningState } from "./stream-opening.ts";

const START = 'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1"}}\n\n';
const PING = 'event: ping\ndata: {"type":"ping"}\n\n';
const ERROR = 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n';

function opening(): StreamOpening {
  return new StreamOpening(new StreamTranslation({ decoder: null, filter: null, encoder: null, passesForeign: false }));
}

/** What the last of some pieces leads to. */
function after(...pieces: readonly (string | Buffer)[]): OpeningState {
  const stream = opening();
  let state: OpeningState = { kind: "waiting" };
  for (const piece of pieces) state = stream.push(Buffer.from(piece));
  return state;
}

describe("a stream that opens", () => {
  it("is open with its first event, whole in one piece or cut anywhere, and not before", () => {
    expect(after(START)).toEqual({ kind: "open" });
    expect(after(START + PING)).toEqual({ kind: "open" });
    for (let at = 1; at < START.length; at++) {
      expect(after(START.slice(0, at)), `${at} bytes`).toEqual({ kind: "waiting" });
      expect(after(START.slice(0, at), START.slice(at)), `cut at ${at}`).toEqual({ kind: "open" });
    }
    expect(after(...START.split(""))).toEqual({ kind: "open" });
  });

  it("keeps everything that came, in order", () => {
    const stream = opening();
    for (const piece of [PING, START.slice(0, 30), START.slice(30)]) stream.push(Buffer.from(piece));
    expect(Buffer.concat(stream.chunks.map(({ raw }) => raw)).toString("utf8")).toBe(PING + START);
  });

  it("is not open by pings", () => {
    expect(after(PING, PING)).toEqual({ kind: "waiting" });
    expect(after(PING, START)).toEqual({ kind: "open" });
  });

  it("has failed when an error is its first event, also after pings and in pieces", () => {
    const failed = { kind: "error", errorType: "overloaded_error" };
    expect(after(ERROR)).toEqual(failed);
    expect(after(PING + ERROR)).toEqual(failed);
    expect(after(...ERROR.split(""))).toEqual(failed);
  });

  it("has failed when no client could read its first event", () => {
    const half = `${START.slice(0, 60)}\n\n`;
    expect(after(half)).toEqual({ kind: "unreadable" });
    expect(after(...half.split(""))).toEqual({ kind: "unreadable" });
  });

  it("is open with an event that Weir does not know, in lines of either kind and in several data lines", () => {
    expect(after('event: news\ndata: {"type":"news"}\n\n')).toEqual({ kind: "open" });
    expect(after('data: {"more":\ndata: "lines"}\r\n\r\n')).toEqual({ kind: "open" });
    expect(after(START.replaceAll("\n", "\r\n"))).toEqual({ kind: "open" });
  });
});
