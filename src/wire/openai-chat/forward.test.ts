import { describe, expect, it } from "vitest";

import { scanRequest } from "../anthropic/request-scan.ts";
import { openaiChatTarget } from "./openai-chat-target.ts";
import { chatStream, differingCuts } from "./testing/events.ts";
import { RICH_CHUNKS } from "./testing/fixtures.ts";

const CANONICAL = Buffer.from('{"model":"m","max_tokens":1,"messages":[]}');
const SCAN = scanRequest(CANONICAL, { maxDepth: 8, requireMaxTokens: true });

function forward(body: string) {
  const request = { operation: "messages", body: CANONICAL, scan: SCAN, betas: [], upstreamModel: "gpt-ö" } as const;
  return openaiChatTarget.forward(Buffer.from(body), request);
}

describe("a Chat Completions client in front of a Chat Completions upstream", () => {
  it("sends the client's bytes with the model changed and nothing else", () => {
    const call = forward('{ "messages" : [ "ü" ],\n "model":"asked" , "n" : 2 }');
    expect(call.body.toString()).toBe('{ "messages" : [ "ü" ],\n "model":"gpt-ö" , "n" : 2 }');
    expect(call.streamFilter()).toBeNull();
    expect(call.warnings).toEqual([]);
  });

  it("puts the model into a body that has it in the path alone", () => {
    expect(forward('{ "messages":[]}').body.toString()).toBe('{ "model":"gpt-ö","messages":[]}');
  });

  it.each([
    ['{"model":"a","stream":true}', '{"model":"gpt-ö","stream":true,"stream_options":{"include_usage":true}}'],
    [
      '{"stream_options":{"include_obfuscation":false},"stream":true,"model":"a"}',
      '{"stream_options":{"include_obfuscation":false,"include_usage":true},"stream":true,"model":"gpt-ö"}',
    ],
    [
      '{"stream":true,"stream_options":null,"model":"a"}',
      '{"stream":true,"stream_options":{"include_usage":true},"model":"gpt-ö"}',
    ],
  ])("asks for the usage that the client did not ask for: %s", (body, sent) => {
    const call = forward(body);
    expect(call.body.toString()).toBe(sent);
    expect(call.streamFilter()).not.toBeNull();
  });

  it("changes no stream whose client asked for the usage", () => {
    const call = forward('{"model":"a","stream":true,"stream_options":{"include_usage":true}}');
    expect(call.streamFilter()).toBeNull();
  });
});

describe("the stream that is relayed", () => {
  const make = () => {
    const filter = forward('{"model":"a","stream":true}').streamFilter();
    if (filter === null) throw new Error("no filter");
    return filter;
  };
  const asked = chatStream(RICH_CHUNKS);

  it("is what it would have been without the usage, byte for byte", () => {
    const chunks = RICH_CHUNKS.slice(0, -1).map((chunk) => {
      const { usage: _usage, ...rest } = chunk as Record<string, unknown>;
      return rest;
    });
    expect(make().push(asked).toString()).toBe(chatStream(chunks).toString());
  });

  it("is the same wherever it is cut", () => {
    expect(differingCuts(make, asked)).toEqual([]);
  });

  it.each([
    ['data: {"usage":null,"id":"a"}\n\n', 'data: {"id":"a"}\n\n'],
    ['data: {"id":"a" , "usage" : null , "x":1}\r\n\r\n', 'data: {"id":"a" , "x":1}\r\n\r\n'],
    [
      'data: {"choices":[{"usage":null}],"usage":{"a":1}}\n\n',
      'data: {"choices":[{"usage":null}],"usage":{"a":1}}\n\n',
    ],
    ['data: {"c":"say \\"usage\\":null"}\n\n', 'data: {"c":"say \\"usage\\":null"}\n\n'],
    [': "usage":null\n\n', ': "usage":null\n\n'],
    ["data: [DONE]\n\n", "data: [DONE]\n\n"],
  ])("makes of %j: %j", (event, relayed) => {
    expect(make().push(Buffer.from(event)).toString()).toBe(relayed);
  });
});
