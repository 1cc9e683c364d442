import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { awsEvent, awsException, damagedFrame } from "../../../test/harness/clouds/aws-event-stream.ts";
import { encodeEvent, messageEvents } from "../../../test/harness/message-events.ts";
import { openaiChatTarget } from "../openai-chat/openai-chat-target.ts";
import { PayloadPartsDecoder } from "./payload-parts.ts";

const EVENTS = messageEvents().map((event) => encodeEvent(event));
const STREAM = Buffer.concat(EVENTS);
const part = (bytes: Buffer | string): Buffer => awsEvent("PayloadPart", "application/octet-stream", bytes);

/** The stream in parts of so many bytes, as SageMaker cuts it. */
function inParts(bytes: Buffer, size: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) parts.push(part(bytes.subarray(at, at + size)));
  return Buffer.concat(parts);
}

function decoded(chunks: readonly Buffer[], decoder = new PayloadPartsDecoder(null)): string {
  return Buffer.concat(chunks.map((chunk) => decoder.push(chunk))).toString();
}

describe("a container's stream in SageMaker's frames", () => {
  it.each([1, 7, 64, 100_000])("comes out as it went in, from parts of %i bytes", (size) => {
    expect(decoded([inParts(STREAM, size)])).toBe(STREAM.toString());
  });

  it("is the same wherever the frames are cut", () => {
    const framed = inParts(STREAM, 50);
    for (let at = 0; at <= framed.length; at++) {
      expect(decoded([framed.subarray(0, at), framed.subarray(at)])).toBe(STREAM.toString());
    }
    expect(decoded(Array.from(framed, (byte) => Buffer.of(byte)))).toBe(STREAM.toString());
  });

  it("is given in whole events only", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(sizes, (lengths) => {
        const decoder = new PayloadPartsDecoder(null);
        let at = 0;
        for (const length of lengths) {
          const out = decoder.push(part(STREAM.subarray(at, at + length))).toString();
          expect(out === "" || out.endsWith("\n\n")).toBe(true);
          at += length;
        }
      }),
    );
  });

  it("goes through the decoder of the container's format", () => {
    const chunk = (choice: object): string => `data: ${JSON.stringify({ id: "c", model: "m", choices: [choice] })}\n\n`;
    const chat = [
      chunk({ index: 0, delta: { role: "assistant", content: "Hi" }, finish_reason: null }),
      chunk({ index: 0, delta: {}, finish_reason: "stop" }),
      "data: [DONE]\n\n",
    ].join("");
    const inner = openaiChatTarget.forward(Buffer.from('{"model":"m"}'), {
      operation: "messages",
      body: Buffer.from("{}"),
      scan: {} as never, // not looked at by the decoder
      betas: [],
      upstreamModel: "m",
    });
    const events = decoded([inParts(Buffer.from(chat), 9)], new PayloadPartsDecoder(inner.streamDecoder()));
    expect(events.match(/^event: .*$/gm)?.at(0)).toBe("event: message_start");
    expect(events.match(/^event: .*$/gm)?.at(-1)).toBe("event: message_stop");
  });

  it("ends with the model's error between two events, though an event was half there", () => {
    const half = Buffer.concat([EVENTS[0] ?? STREAM, Buffer.from('event: content_block_start\ndata: {"ty')]);
    const error = awsException("ModelStreamError", { Message: "The container died.", ErrorCode: "StreamBroken" });
    expect(decoded([part(half), error])).toBe(
      `${String(EVENTS[0])}event: error\ndata: {"type":"error","error":{"type":"api_error","message":"The container died."}}\n\n`,
    );
  });

  it("says that it was throttled where SageMaker says so", () => {
    const error = awsException("ThrottlingException", { message: "Slow down." });
    expect(decoded([error])).toContain('{"type":"rate_limit_error","message":"Slow down."}');
  });

  it("skips kinds of event that are not known", () => {
    expect(decoded([awsEvent("Heartbeat", "text/plain", "x"), part(STREAM)])).toBe(STREAM.toString());
  });

  it("is refused when a frame is damaged", () => {
    expect(() => decoded([damagedFrame(part(STREAM))])).toThrow("checksum");
  });
});
