import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import { encodeHeaders } from "./frame-headers.ts";
import { encodeFrame } from "./frame-writer.ts";
import { PayloadParts } from "./payload-parts.ts";

function frame(headers: Readonly<Record<string, string>>, payload: string): Buffer {
  const entries = Object.entries(headers).map(([name, value]) => [name, { kind: "string", value }] as const);
  return encodeFrame(encodeHeaders(entries), Buffer.from(payload));
}

function part(text: string): Buffer {
  return frame({ ":message-type": "event", ":event-type": "PayloadPart" }, text);
}

function exception(payload: string): Buffer {
  return frame({ ":message-type": "exception", ":exception-type": "ModelStreamError" }, payload);
}

const EVENTS = ['event: message_start\ndata: {"a":', '"日本"}\n\nevent: ping\nda', "ta: {}\n\n"];
const STREAM = Buffer.concat([part(EVENTS[0] ?? ""), part(""), part(EVENTS[1] ?? ""), part(EVENTS[2] ?? "")]);

function within(chunks: readonly Buffer[]): string {
  const parts = new PayloadParts("anthropic");
  return Buffer.concat(chunks.map((chunk) => Buffer.from(parts.push(chunk)))).toString("utf8");
}

describe("a stream in PayloadPart frames", () => {
  it("is what the parts hold, wherever they and the chunks are cut", () => {
    for (let at = 0; at <= STREAM.length; at++) {
      expect(within([STREAM.subarray(0, at), STREAM.subarray(at)])).toBe(EVENTS.join(""));
    }
    expect(within(Array.from(STREAM, (byte) => Buffer.of(byte)))).toBe(EVENTS.join(""));
  });

  it("leaves out events of kinds that nobody knows", () => {
    const unknown = frame({ ":message-type": "event", ":event-type": "Weather" }, "rain");
    expect(within([part("data: 1\n\n"), unknown, part("data: 2\n\n")])).toBe("data: 1\n\ndata: 2\n\n");
  });

  it("ends with an error of the format within when an exception comes between two events", () => {
    const message = JSON.stringify({ Message: "the container died", ErrorCode: "StreamBroken" });
    expect(within([part("data: 1\n\n"), exception(message)])).toMatch(
      /^data: 1\n\nevent: error\ndata: \{"type":"error","error":\{"type":"api_error","message":"the container died"\}.*\}\n\n$/,
    );
    const chat = new PayloadParts("openai-chat").push(exception(message)).toString("utf8");
    expect(chat).toMatch(/^data: \{.*"message":"the container died".*\}\n\n$/);
  });

  it.each([
    ["the exception's own words where they are no JSON", exception("gone"), "gone"],
    ["its name where there are none", exception(""), "ModelStreamError"],
    [
      "an unmodelled error's message",
      frame({ ":message-type": "error", ":error-code": "500", ":error-message": "internal" }, ""),
      "internal",
    ],
  ])("says %s", (_, bytes, words) => {
    expect(within([bytes])).toContain(`"message":"${words}"`);
  });

  it("breaks off when an exception cuts an event", () => {
    const parts = new PayloadParts("anthropic");
    parts.push(part('data: {"half":'));
    expect(() => parts.push(exception('{"Message":"the container died"}'))).toThrow("the container died");
  });

  it("does not take damaged frames", () => {
    const bytes = Buffer.from(STREAM);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    expect(() => within([bytes])).toThrow(WeirError);
  });
});
