/** The whole data plane between clients and upstreams of other formats; each format's own tests are with its codec. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { awsEvent } from "../../../test/harness/clouds/aws-event-stream.ts";
import { FakeUpstream } from "../../../test/harness/fake-upstream.ts";
import { startTestGateway, type TestGateway } from "../../../test/harness/gateway.ts";
import { ask, type HttpAnswer } from "../../../test/harness/http-answer.ts";
import { encodeEvent, messageEvents } from "../../../test/harness/message-events.ts";
import { messageBody, messageHeaders } from "../../../test/harness/message-request.ts";
import { providerRow } from "../../upstream/catalogue/providers.ts";
import { CatalogueDialect } from "../../upstream/dialect.ts";
import type { StreamFraming } from "../../upstream/upstream.ts";
import type { WireName } from "../../wire/codec.ts";

let upstream: FakeUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await FakeUpstream.start();
});
afterAll(() => upstream.stop());
beforeEach(() => upstream.reset());
afterEach(() => gateway.stop());

async function start(wires: readonly WireName[], framing: StreamFraming = "none"): Promise<void> {
  const row = providerRow(wires[0]?.startsWith("openai") === true ? "openai" : "custom");
  const modelId = (): string => "local-model";
  const dialect = new CatalogueDialect({ row, parameters: {}, wires, custom: null, modelId, framing });
  gateway = await startTestGateway({ upstreams: [{ baseUrl: upstream.url, dialect }] });
}

const MESSAGES = { path: "/v1/messages", body: messageBody({ stream: true }) };
const CHAT = {
  path: "/v1/chat/completions",
  body: { model: "claude-sonnet-5-5", stream: true, messages: [{ role: "user", content: "Hello" }] },
};

function post({ path, body }: { path: string; body: unknown }): Promise<HttpAnswer> {
  return ask(gateway.url + path, { headers: messageHeaders(gateway.key), body });
}

const CHAT_ERROR = { error: { message: "No.", type: "requests", param: null, code: "rate_limit_exceeded" } };
const chatChunk = (choice: object): string =>
  `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "m", choices: [choice] })}\n\n`;
const CHAT_STREAM = [
  chatChunk({ index: 0, delta: { role: "assistant", content: "Hello" }, finish_reason: null }),
  chatChunk({ index: 0, delta: {}, finish_reason: "stop" }),
  `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "m", choices: [], usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 } })}\n\n`,
  "data: [DONE]\n\n",
].join("");

describe("a stream of another format", () => {
  it("comes in the client's, under the client's content type, and is metered", async () => {
    await start(["openai-chat"]);
    upstream.reply({ kind: "stream", bytes: Buffer.from(CHAT_STREAM) });
    const answer = await post(MESSAGES);

    expect(answer.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    expect(answer.body.toString()).toMatch(/^event: message_start\n[\s\S]*event: message_stop\ndata: .*\n\n$/);
    expect(gateway.journal.entries).toMatchObject([
      { outcome: "complete", usageSource: "reported", usage: { inputTokens: 7, outputTokens: 3 } },
    ]);
  });

  it("that is cut is cut for the client too: no end is made up", async () => {
    await start(["openai-chat"]);
    upstream.reply({ kind: "stream", bytes: Buffer.from(CHAT_STREAM.slice(0, 260)) });
    const answer = await post(MESSAGES);

    expect(answer.isWhole).toBe(false);
    expect(answer.body.toString()).toContain('"text":"Hello"');
    expect(answer.body.toString()).not.toContain("message_stop");
    expect(gateway.journal.entries).toMatchObject([{ outcome: "upstream_cut" }]);
  });

  it("is passed on byte for byte to a client of the same format, but for the usage that it did not ask for", async () => {
    await start(["openai-chat"]);
    upstream.reply({ kind: "stream", bytes: Buffer.from(CHAT_STREAM) });
    const answer = await post(CHAT);

    expect(answer.body.toString()).toBe(CHAT_STREAM.replace(/data: [^\n]*"usage"[^\n]*\n\n/, ""));
    expect(gateway.journal.entries).toMatchObject([{ usage: { inputTokens: 7, outputTokens: 3 } }]);
  });
});

describe("a stream in SageMaker's frames", () => {
  const framed = (bytes: Buffer): Buffer => Buffer.concat([0, 1, 2].map((third) => part(bytes, third)));
  const part = (bytes: Buffer, third: number): Buffer => {
    const size = Math.ceil(bytes.length / 3);
    return awsEvent("PayloadPart", "application/octet-stream", bytes.subarray(third * size, (third + 1) * size));
  };
  const headers = { "content-type": "application/vnd.amazon.eventstream" };

  it("comes out of them for a client of the format inside", async () => {
    await start(["anthropic"], "aws-event-stream");
    const bytes = Buffer.concat(messageEvents().map((event) => encodeEvent(event)));
    upstream.reply({ kind: "stream", bytes: framed(bytes), headers });
    const answer = await post(MESSAGES);

    expect(answer.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    expect(answer.body.toString()).toBe(bytes.toString());
    expect(gateway.journal.entries).toMatchObject([{ outcome: "complete", usageSource: "reported" }]);
  });

  it("is made anew for a client of another format inside", async () => {
    await start(["openai-chat"], "aws-event-stream");
    upstream.reply({ kind: "stream", bytes: framed(Buffer.from(CHAT_STREAM)), headers });
    const answer = await post(CHAT);

    expect(answer.body.toString()).toMatch(/^data: [\s\S]*"content":"Hello"[\s\S]*data: \[DONE\]\n\n$/);
    expect(answer.body.toString()).not.toContain('"prompt_tokens"');
  });

  it("is not there when the container refuses: its own status and words are", async () => {
    await start(["anthropic"], "aws-event-stream");
    const own = { type: "error", error: { type: "invalid_request_error", message: "prompt is too long: 2 > 1" } };
    const wrapped = { OriginalStatusCode: 400, OriginalMessage: JSON.stringify(own), message: "Received client error" };
    upstream.reply({ kind: "whole", status: 424, body: wrapped });
    const answer = await post(MESSAGES);

    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body.toString())).toEqual(own);
    expect(gateway.journal.entries).toMatchObject([{ status: 400, outcome: "upstream_error" }]);
  });
});

describe("the head of an answer", () => {
  it("has the request id where the client's format looks for it", async () => {
    await start(["openai-chat"]);
    upstream.reply({ kind: "stream", bytes: Buffer.from(CHAT_STREAM) });
    const chat = await post(CHAT);
    expect(chat.headers["x-request-id"]).toBe(chat.headers["request-id"]);
    upstream.reply({ kind: "stream", bytes: Buffer.from(CHAT_STREAM) });
    expect((await post(MESSAGES)).headers["x-request-id"]).toBeUndefined();
  });

  it("names what did not go over", async () => {
    await start(["openai-chat"]);
    upstream.reply({ kind: "stream", bytes: Buffer.from(CHAT_STREAM) });
    const answer = await post({ ...MESSAGES, body: messageBody({ stream: true, top_k: 5 }) });
    expect(answer.headers["x-weir-warning"]).toMatch(/^top_k .* was left out$/);
  });
});

describe("a whole answer that is no answer of its format", () => {
  it("is refused in the client's format", async () => {
    await start(["openai-chat"]);
    upstream.reply({ kind: "whole", body: "<html>welcome</html>", headers: { "content-type": "application/json" } });
    const answer = await post({ ...MESSAGES, body: messageBody() });
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ type: "error", error: { type: "api_error" } });
  });

  it("with an error's status keeps its words in the client's format", async () => {
    await start(["openai-chat"]);
    upstream.reply({ kind: "whole", status: 429, body: CHAT_ERROR, headers: { "retry-after": "7" } });
    const answer = await post({ ...MESSAGES, body: messageBody() });
    expect([answer.status, answer.headers["retry-after"]]).toEqual([429, "7"]);
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      type: "error",
      error: { type: "rate_limit_error", message: "No." },
    });
  });
});
