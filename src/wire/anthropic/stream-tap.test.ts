import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { StreamTap } from "./stream-tap.ts";

interface Event {
  readonly type: string;
  readonly [field: string]: unknown;
}

const START: Event = {
  type: "message_start",
  message: { model: "claude-sonnet-5-5", usage: { input_tokens: 25, output_tokens: 1, cache_read_input_tokens: 7 } },
};
const PING: Event = { type: "ping" };
const STOP: Event = { type: "message_stop" };
const text = (text: string): Event => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } });
const total = (outputTokens: number): Event => ({
  type: "message_delta",
  delta: { stop_reason: "end_turn" },
  usage: { output_tokens: outputTokens },
});
const BLOCK: readonly Event[] = [
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  text("Grüße, 世界 "),
  PING,
  text("\n\ndata: not an event"),
  { type: "content_block_stop", index: 0 },
];
const WHOLE: readonly Event[] = [START, ...BLOCK, total(42), STOP];

function frame(event: Event, end = "\n"): string {
  return `event: ${event.type}${end}data: ${JSON.stringify(event)}${end}${end}`;
}

function bytesOf(events: readonly Event[], end = "\n"): Buffer {
  return Buffer.from(events.map((event) => frame(event, end)).join(""));
}

function cut(bytes: Buffer, offsets: readonly number[]): Buffer[] {
  const bounds = [0, ...offsets.map((offset) => offset % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return bounds.slice(1).map((end, i) => bytes.subarray(bounds[i], end));
}

/** Pushes the chunks and returns the tap and how many bytes it let pass before the end was held. */
function watch(chunks: readonly Buffer[]): { tap: StreamTap; released: number } {
  const tap = new StreamTap();
  let released = 0;
  for (const chunk of chunks) {
    const holdFrom = tap.push(chunk);
    released += holdFrom < 0 ? chunk.length : holdFrom;
    if (holdFrom >= 0) break;
  }
  return { tap, released };
}

function reading(tap: StreamTap): object {
  const { complete, started, model, error, hasContent, estimatedOutputTokens } = tap;
  return { complete, started, model, error, hasContent, estimatedOutputTokens, usage: tap.usage.result() };
}

const cuts = fc.array(fc.nat(2_000), { maxLength: 60 });
const lineEnd = fc.constantFrom("\n", "\r\n");

describe("StreamTap", () => {
  it("reads model, usage and end of a whole stream", () => {
    const { tap } = watch([bytesOf(WHOLE)]);

    expect(tap).toMatchObject({ complete: true, started: true, model: "claude-sonnet-5-5", error: null });
    expect(tap.usage.result()).toMatchObject({ inputTokens: 25, outputTokens: 42, cacheReadTokens: 7 });
    expect(tap.hasContent).toBe(true);
    expect(tap.atBoundary).toBe(true);
  });

  it("reads the same however the bytes are cut, with LF and CRLF", () => {
    fc.assert(
      fc.property(cuts, lineEnd, (offsets, end) => {
        const bytes = bytesOf(WHOLE, end);

        expect(reading(watch(cut(bytes, offsets)).tap)).toEqual(reading(watch([bytes]).tap));
      }),
      { numRuns: 300 },
    );
  });

  it("never lets the last byte of message_stop pass, and nothing but message_stop is held", () => {
    fc.assert(
      fc.property(cuts, lineEnd, fc.boolean(), (offsets, end, pingAfterwards) => {
        const before = bytesOf(WHOLE.slice(0, -1), end);
        const stop = bytesOf([STOP], end);
        const after = pingAfterwards ? bytesOf([PING], end) : Buffer.alloc(0);
        const { released } = watch(cut(Buffer.concat([before, stop, after]), offsets));

        expect(released).toBeGreaterThanOrEqual(before.length);
        expect(released).toBeLessThan(before.length + stop.length);
      }),
      { numRuns: 300 },
    );
  });

  it("lets everything before message_stop pass when both come in one chunk", () => {
    const before = bytesOf(WHOLE.slice(0, -1));

    expect(new StreamTap().push(bytesOf(WHOLE))).toBe(before.length);
  });

  it("holds everything after message_stop", () => {
    const tap = new StreamTap();
    tap.push(bytesOf(WHOLE));

    expect(tap.push(bytesOf([PING]))).toBe(0);
  });

  it("holds from the first message_stop, and meters nothing after it, when an upstream repeats itself", () => {
    const before = bytesOf(WHOLE.slice(0, -1));
    const tap = new StreamTap();

    expect(tap.push(bytesOf([...WHOLE, total(9_999), STOP]))).toBe(before.length);
    expect(tap.usage.result().outputTokens).toBe(42);
  });

  it("is incomplete when cut anywhere before the end of message_stop", () => {
    const bytes = bytesOf(WHOLE);
    for (let length = 0; length < bytes.length; length++) {
      const { tap } = watch([bytes.subarray(0, length)]);
      if (tap.complete) expect.fail(`complete after ${length} of ${bytes.length} bytes`);
    }
  });

  it("notices content with the first delta, not before", () => {
    const tap = new StreamTap();
    tap.push(bytesOf([START, PING, BLOCK[0]!]));
    expect(tap.hasContent).toBe(false);

    tap.push(bytesOf([text("H")]));
    expect(tap.hasContent).toBe(true);
  });

  it("keeps an error that the upstream sends inside the stream", () => {
    const failure: Event = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
    const { tap } = watch([bytesOf([START, failure])]);

    expect(tap.error).toEqual({ type: "overloaded_error", message: "Overloaded" });
    expect(tap.complete).toBe(false);
  });

  it.each([{ type: "error" }, { type: "error", error: null }, { type: "error", error: { type: 1, message: 2 } }])(
    "takes the malformed error %j for an api_error",
    (event) => {
      expect(watch([bytesOf([event])]).tap.error).toEqual({ type: "api_error", message: "" });
    },
  );

  it("estimates output from the text that passed: no less than a token a delta, about four bytes a token", () => {
    const words = "word ".repeat(200);
    const { tap } = watch([bytesOf([START, ...Array.from({ length: 20 }, () => text(words))])]);
    expect(tap.estimatedOutputTokens).toBeGreaterThan((20 * 1_000) / 4 / 1.1);
    expect(tap.estimatedOutputTokens).toBeLessThan(((20 * 1_000) / 4) * 1.1);

    expect(watch([bytesOf([START, text("a"), text("b")])]).tap.estimatedOutputTokens).toBe(2);
    expect(watch([bytesOf([START])]).tap.estimatedOutputTokens).toBe(0);
  });

  it("reads streams without event lines, without spaces after the colon, and with data over several lines", () => {
    const odd = [
      `data:${JSON.stringify(START)}\n\n`,
      `event:content_block_delta\ndata:${JSON.stringify(text("Hi"))}\n\n`,
      `: a comment\nevent: message_delta\ndata: {"type":"message_delta",\ndata: "usage":{"output_tokens":5}}\n\n`,
      `data: ${JSON.stringify(STOP)}\n\n`,
    ];
    const { tap } = watch([Buffer.from(odd.join(""))]);

    expect(tap).toMatchObject({ complete: true, model: "claude-sonnet-5-5", hasContent: true });
    expect(tap.usage.result()).toMatchObject({ inputTokens: 25, outputTokens: 5 });
  });

  it("is neither stopped nor misled by data that it cannot read", () => {
    const broken = ["event: message_stop\n\n", "data: {broken\n\n", "data: 5\n\n", "data: [DONE]\n\n", "\n\n"];
    const { tap } = watch([Buffer.from(broken.join("")), bytesOf(WHOLE)]);

    expect(tap.complete).toBe(true);
    expect(tap.usage.result().outputTokens).toBe(42);
  });

  it("does not look into an absurdly long event, and goes on after it", () => {
    const long = Buffer.from(`data: {"type":"message_stop","filler":"${"x".repeat(9 * 1024 * 1024)}"}\n\n`);
    const { tap } = watch([long.subarray(0, long.length - 5), long.subarray(-5), bytesOf(WHOLE)]);

    expect(tap.complete).toBe(true);
    expect(tap.usage.result().outputTokens).toBe(42);
  });
});
