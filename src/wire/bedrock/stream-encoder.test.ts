import { eventStreamToSSEResponse } from "@anthropic-ai/bedrock-sdk/core/streaming";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { answerEvents, eventStream } from "../cloud/testing/messages.ts";
import { BedrockStreamDecoder } from "./stream-decoder.ts";
import { BedrockStreamEncoder } from "./stream-encoder.ts";
import { awsFrames } from "./testing/bedrock-stream.ts";

function encode(chunks: readonly Buffer[]): Buffer {
  const encoder = new BedrockStreamEncoder();
  return Buffer.concat(chunks.map((chunk) => encoder.push(chunk)));
}

function decoded(stream: Buffer): string {
  return new BedrockStreamDecoder().push(stream).toString("utf8");
}

/** What the SDK for Bedrock makes of a stream. */
async function bySdk(stream: Buffer): Promise<string> {
  const headers = { "content-type": "application/vnd.amazon.eventstream" };
  return eventStreamToSSEResponse(new Response(new Uint8Array(stream), { headers })).text();
}

const EVENTS = answerEvents();
const SSE = eventStream(EVENTS);
const ENCODED = encode([SSE]);

describe("BedrockStreamEncoder", () => {
  it("says what a stream of its kind is called", () => {
    expect(new BedrockStreamEncoder().contentType).toBe("application/vnd.amazon.eventstream");
  });

  it("writes each event as a chunk that the AWS codec verifies and reads", () => {
    const frames = awsFrames(ENCODED);

    expect(frames).toHaveLength(EVENTS.length);
    frames.forEach(({ headers, payload }, i) => {
      expect(headers).toEqual({
        ":event-type": "chunk",
        ":content-type": "application/json",
        ":message-type": "event",
      });
      const { bytes } = payload as { bytes: string };
      expect(JSON.parse(Buffer.from(bytes, "base64").toString("utf8"))).toEqual(EVENTS[i]);
    });
  });

  it("is read by Anthropic's SDK for Bedrock, pings too", async () => {
    expect(await bySdk(ENCODED)).toBe(SSE.toString("utf8"));
  });

  it("writes the same when the events are split at any byte", () => {
    for (let at = 0; at <= SSE.length; at++) {
      expect(encode([SSE.subarray(0, at), SSE.subarray(at)]).equals(ENCODED)).toBe(true);
    }
  });

  it("writes the same byte by byte", () => {
    expect(encode([...SSE].map((byte) => Buffer.of(byte))).equals(ENCODED)).toBe(true);
  });

  it("writes nothing for the end that has not come", () => {
    const cut = SSE.subarray(0, SSE.length - 1);

    expect(awsFrames(encode([cut]))).toHaveLength(EVENTS.length - 1);
  });

  it("is undone by the decoder, for any events", () => {
    const anyEvent = fc.record({ type: fc.stringMatching(/^[a-z_]{1,30}$/), value: fc.jsonValue() });
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 6 }), (events) => {
        fc.pre(events.every(({ type }) => type !== "error"));
        const stream = eventStream(events);
        expect(decoded(encode([stream]))).toBe(stream.toString("utf8"));
      }),
    );
  });

  it.each([
    'event: ping\r\ndata: {"type":"ping"}\r\n\r\n',
    'data: {"type":"ping"}\n\n',
    'id: 7\nevent: ping\ndata: {"type":"ping"}\n\n',
    'event:ping\ndata:{"type":"ping"}\n\n',
    'event: ping\ndata: {"type":\ndata: "ping"}\n\n',
    ': a comment\n\nevent: ping\ndata: {"type":"ping"}\n\nevent: ping\n\n',
  ])("takes events in every form that the standard allows: %j", (text) => {
    const [name, data, ...rest] = decoded(encode([Buffer.from(text)])).split("\n");

    expect(name).toBe("event: ping");
    expect(JSON.parse(data?.slice("data: ".length) ?? "")).toEqual({ type: "ping" });
    expect(rest).toEqual(["", ""]);
  });

  it.each([
    ["rate_limit_error", "throttlingException"],
    ["overloaded_error", "serviceUnavailableException"],
    ["timeout_error", "modelTimeoutException"],
    ["invalid_request_error", "validationException"],
    ["api_error", "internalServerException"],
    ["a_new_error", "internalServerException"],
  ])("writes an error of type %s as %s, with its words", async (type, exception) => {
    const error = { type, message: "It is “over”.\nSorry." };
    const stream = encode([eventStream([{ type: "error", error } as { type: string }])]);

    const [frame] = awsFrames(stream);

    expect(frame?.headers).toMatchObject({ ":message-type": "exception", ":exception-type": exception });
    expect(frame?.payload).toEqual({ message: error.message, type });
    expect(await bySdk(stream)).toBe(
      `event: error\ndata: ${JSON.stringify({ type: "error", error: { type: exception, message: error.message } })}\n\n`,
    );
  });

  it.each(["rate_limit_error", "overloaded_error", "billing_error", "permission_error", "request_too_large"])(
    "keeps the type %s for a Weir that reads it",
    (type) => {
      const sse = eventStream([{ type: "error", error: { type, message: "m" } } as { type: string }]);

      expect(decoded(encode([sse]))).toBe(sse.toString("utf8"));
    },
  );

  it("writes an error that is no envelope with all that it says", () => {
    const [frame] = awsFrames(encode([Buffer.from("event: error\ndata: out of order\n\n")]));

    expect(frame?.payload).toEqual({ message: "out of order", type: "api_error" });
  });

  it("keeps a silent stream alive with an event that the SDK takes", async () => {
    const ping = new BedrockStreamEncoder().ping();

    expect(await bySdk(Buffer.concat([ping, ENCODED, ping]))).toBe(
      `event: ping\ndata: {"type":"ping"}\n\n${SSE.toString("utf8")}event: ping\ndata: {"type":"ping"}\n\n`,
    );
  });

  it("refuses an event that no reader of such streams would take, as soon as it is known", () => {
    const encoder = new BedrockStreamEncoder();
    const piece = Buffer.alloc(4 * 1024 * 1024, 97);

    expect(() => {
      for (let i = 0; i < 5; i++) encoder.push(piece);
    }).toThrow(/is longer than \d+ bytes/);
  });
});
