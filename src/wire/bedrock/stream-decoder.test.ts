import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import { answerEvents, eventStream, STOP_REASONS } from "../cloud/testing/messages.ts";
import { BedrockStreamDecoder } from "./stream-decoder.ts";
import { awsChunk, awsException, awsFrame, awsPayload } from "./testing/bedrock-stream.ts";

function decode(chunks: readonly Buffer[]): string {
  const decoder = new BedrockStreamDecoder();
  return Buffer.concat(chunks.map((chunk) => decoder.push(chunk))).toString("utf8");
}

function refusalOf(action: () => unknown): WeirError {
  try {
    action();
  } catch (error) {
    if (error instanceof WeirError) return error;
    throw error;
  }
  throw new Error("expected a WeirError");
}

const EVENTS = answerEvents();
const STREAM = Buffer.concat(EVENTS.map((event) => awsChunk(JSON.stringify(event))));
const EXPECTED = eventStream(EVENTS).toString("utf8");

describe("BedrockStreamDecoder on a whole answer", () => {
  it("gives the events of the Messages API, each with its bytes", () => {
    expect(decode([STREAM])).toBe(EXPECTED);
  });

  it.each(STOP_REASONS)("gives the stop reason %s", (reason) => {
    const events = answerEvents(reason);
    const stream = Buffer.concat(events.map((event) => awsChunk(JSON.stringify(event))));

    expect(decode([stream])).toBe(eventStream(events).toString("utf8"));
  });

  it("gives the same when the stream is split at any byte", () => {
    for (let at = 0; at <= STREAM.length; at++) {
      expect(decode([STREAM.subarray(0, at), STREAM.subarray(at)])).toBe(EXPECTED);
    }
  });

  it("gives the same byte by byte", () => {
    expect(decode([...STREAM].map((byte) => Buffer.of(byte)))).toBe(EXPECTED);
  });

  it("keeps the invocation metrics of the last event", () => {
    const json = '{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":100}}';

    expect(decode([awsChunk(json)])).toBe(`event: message_stop\ndata: ${json}\n\n`);
  });

  it("gives any event whose JSON is one line as it is", () => {
    const anyEvent = fc.record({
      type: fc.oneof(
        fc.constantFrom("content_block_delta", "message_start", "ping"),
        fc.stringMatching(/^[a-z_]{1,30}$/),
      ),
      value: fc.jsonValue(),
    });
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 6 }), (events) => {
        const stream = Buffer.concat(events.map((event) => awsChunk(JSON.stringify(event))));
        expect(decode([stream])).toBe(eventStream(events).toString("utf8"));
      }),
    );
  });
});

describe("BedrockStreamDecoder on unusual chunks", () => {
  it("takes the bytes wherever they stand in the payload, with any spacing", () => {
    const base64 = Buffer.from('{"type":"ping"}').toString("base64");

    const text = decode([awsPayload(`{ "p": "ab", "bytes" : "${base64}" }`)]);

    expect(text).toBe('event: ping\ndata: {"type":"ping"}\n\n');
  });

  it("takes bytes whose slashes are escaped", () => {
    const json = '{"type":"ping","x":"???>>>"}';
    const escaped = Buffer.from(json).toString("base64").replaceAll("/", "\\/");
    expect(escaped).toContain("\\/");

    expect(decode([awsPayload(`{"bytes":"${escaped}"}`)])).toBe(`event: ping\ndata: ${json}\n\n`);
  });

  it("reads the type when it is not the first member", () => {
    const json = '{"index":0,"type":"content_block_stop"}';

    expect(decode([awsChunk(json)])).toBe(`event: content_block_stop\ndata: ${json}\n\n`);
  });

  it.each(["content_block_delta2", "message_stopped", "pinga", "content_block_deltx"])(
    "does not take %s for the type that begins like it",
    (type) => {
      const json = JSON.stringify({ type });

      expect(decode([awsChunk(json)])).toBe(`event: ${type}\ndata: ${json}\n\n`);
    },
  );

  it.each(['{"type":"message_stop",\n "x":\r\n1}', '{\n"x":1,\r"type":"message_stop"}'])(
    "makes one line of JSON that has several: %j",
    (json) => {
      expect(decode([awsChunk(json)])).toBe(`event: message_stop\ndata: ${json.replace(/[\r\n]/g, " ")}\n\n`);
    },
  );

  it("gives nothing for a keep-alive without an event, a chunk without bytes and a kind of event that it does not know", () => {
    const future = { ":event-type": "metadata", ":content-type": "application/json", ":message-type": "event" };

    expect(decode([awsChunk("{}"), awsPayload("{}"), awsFrame({ headers: future, payload: "{}" })])).toBe("");
  });

  it("takes chunk frames whose headers stand in another order, also in turn with the usual ones", () => {
    const headers = { ":message-type": "event", ":event-type": "chunk" };
    const payload = JSON.stringify({ bytes: Buffer.from('{"type":"ping"}').toString("base64") });
    const other = awsFrame({ headers, payload });
    const usual = awsChunk('{"type":"ping"}');

    expect(decode([other, usual, other, other, usual])).toBe('event: ping\ndata: {"type":"ping"}\n\n'.repeat(5));
  });

  it.each([
    ["is not base64", '{"bytes":"%%%%"}', /not base64/],
    ["is not base64 after a known beginning", '{"bytes":"eyJ0eXBlIjoicGlu%%%%"}', /not base64/],
    ["has half of a base64 group", '{"bytes":"eyJ0eXBl0"}', /not base64/],
    ["is no object", "[1]", /no JSON object/],
    ["has bytes of another type", '{"bytes":7}', /no text/],
    ["holds no JSON", `{"bytes":"${Buffer.from("hello").toString("base64")}"}`, /no JSON object/],
    ["names a type that is no name", `{"bytes":"${Buffer.from('{"type":"a\\nb"}').toString("base64")}"}`, /no name/],
  ])("refuses a chunk that %s", (_name, payload, message) => {
    const refusal = refusalOf(() => decode([awsPayload(payload)]));

    expect(refusal.code).toBe("weir:upstream:bad_answer");
    expect(refusal.message).toMatch(message);
  });

  it("refuses a message type that no AWS stream has", () => {
    const headers = { ":message-type": "surprise" };

    expect(refusalOf(() => decode([awsFrame({ headers, payload: "" })])).code).toBe("weir:upstream:bad_answer");
  });

  it("refuses a stream with any byte of a frame changed, and never gives a wrong event", () => {
    const frame = awsChunk(JSON.stringify(EVENTS[3]));
    for (let at = 0; at < frame.length; at++) {
      const damaged = Buffer.from(frame);
      damaged[at] = (damaged[at] ?? 0) ^ 1;

      expect(refusalOf(() => decode([damaged, STREAM])).code).toBe("weir:upstream:bad_answer");
    }
  });
});

describe("BedrockStreamDecoder on exceptions", () => {
  it.each([
    ["throttlingException", "rate_limit_error"],
    ["serviceUnavailableException", "overloaded_error"],
    ["internalServerException", "api_error"],
    ["modelStreamErrorException", "api_error"],
    ["modelTimeoutException", "timeout_error"],
    ["validationException", "invalid_request_error"],
    ["somethingNewException", "api_error"],
  ])("gives %s as %s, with its words", (name, type) => {
    const text = decode([awsException(name, '{"message":"Too many “requests”,\\nplease wait."}')]);

    const error = { type, message: "Too many “requests”,\nplease wait." };
    expect(text).toBe(`event: error\ndata: ${JSON.stringify({ type: "error", error })}\n\n`);
  });

  it("gives the model's own status where the exception has it", () => {
    const payload = '{"message":"m","originalStatusCode":529,"originalMessage":"Overloaded"}';

    expect(decode([awsException("modelStreamErrorException", payload)])).toContain('"type":"overloaded_error"');
  });

  it("gives an error frame by its code and message", () => {
    const headers = { ":message-type": "error", ":error-code": "InternalServerException", ":error-message": "Broken" };

    const text = decode([awsFrame({ headers, payload: "" })]);

    expect(text).toBe('event: error\ndata: {"type":"error","error":{"type":"api_error","message":"Broken"}}\n\n');
  });

  it.each([
    ["", "throttlingException"],
    ["no JSON", "no JSON"],
  ])("has words for an exception whose payload is %j", (payload, message) => {
    expect(decode([awsException("throttlingException", payload)])).toContain(`"message":"${message}"`);
  });

  it("gives an error of the Messages API within a chunk as what it is", () => {
    const json = '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}';

    expect(decode([awsChunk(json)])).toBe(`event: error\ndata: ${json}\n\n`);
  });
});
