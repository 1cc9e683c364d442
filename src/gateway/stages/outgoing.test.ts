import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { FakeUpstream } from "../../../test/harness/fake-upstream.ts";
import { startTestGateway, type TestGateway } from "../../../test/harness/gateway.ts";
import { ask, jsonOf, type HttpAnswer } from "../../../test/harness/http-answer.ts";
import { messageBody, messageHeaders } from "../../../test/harness/message-request.ts";
import { providerRow } from "../../upstream/catalogue/providers.ts";
import type { ProviderName } from "../../upstream/catalogue/provider-row.ts";
import { CatalogueDialect } from "../../upstream/dialect.ts";
import type { WireName } from "../../wire/codec.ts";

let upstream: FakeUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await FakeUpstream.start();
});
afterAll(() => upstream.stop());
beforeEach(() => upstream.reset());
afterEach(() => gateway.stop());

async function start(provider: ProviderName, wires: readonly WireName[] | null = null): Promise<void> {
  const row = providerRow(provider);
  const dialect = new CatalogueDialect({ row, parameters: {}, wires, custom: null, modelId: () => "local-model" });
  gateway = await startTestGateway({ upstreams: [{ baseUrl: upstream.url, dialect }] });
}

function post(path: string, body: unknown): Promise<HttpAnswer> {
  return ask(gateway.url + path, { headers: messageHeaders(gateway.key), body });
}

function sent(): { url: string; body: Record<string, unknown> } {
  const [request] = upstream.requests;
  if (request === undefined) throw new Error("nothing was sent");
  return { url: request.url, body: JSON.parse(request.body.toString()) };
}

const QUESTION = { role: "user", content: "Hi" };
const UNSIGNED = { type: "thinking", thinking: "Hm.", signature: "weir-unsigned" };
const MOVED = [QUESTION, { role: "assistant", content: [UNSIGNED, { type: "text", text: "Hello." }] }, QUESTION];

describe("a count of tokens", () => {
  const counting = { model: "claude-sonnet-5-5", messages: [QUESTION] };

  it("goes out in the format in which the upstream counts, not in the one that it prefers", async () => {
    await start("openai", ["openai-chat", "openai-responses"]);
    upstream.reply({ kind: "whole", body: { object: "response.input_tokens", input_tokens: 9 } });
    const answer = await post("/v1/messages/count_tokens", counting);

    expect(jsonOf(answer)).toEqual({ input_tokens: 9 });
    expect(sent().url).toBe("/responses/input_tokens");
    expect(gateway.journal.opens).toEqual([]);
  });

  it("is estimated where nothing counts, and nothing is sent", async () => {
    await start("openai", ["openai-chat"]);
    const answer = await post("/v1/messages/count_tokens", counting);

    expect(jsonOf(answer)).toEqual({ input_tokens: expect.any(Number) });
    expect(upstream.requests).toEqual([]);
  });
});

describe("thinking of another model", () => {
  it.each<[ProviderName, WireName]>([
    ["anthropic", "anthropic"],
    ["custom", "bedrock"],
    ["custom", "vertex"],
  ])("does not go to Claude at %s in the format %s, and the client is told", async (provider, wire) => {
    await start(provider, [wire]);
    const answer = await post("/v1/messages", messageBody({ messages: MOVED }));

    expect(sent().body["messages"]).toEqual([
      QUESTION,
      { role: "assistant", content: [{ type: "text", text: "Hello." }] },
      QUESTION,
    ]);
    expect(answer.headers["x-weir-warning"]).toMatch(/^messages\[1\]\.content\[0\] is thinking of another model/);
  });

  it("goes back to where it may come from", async () => {
    await start("openai", ["openai-chat"]);
    await post("/v1/messages", messageBody({ messages: MOVED }));
    expect(JSON.stringify(sent().body)).toContain('"reasoning_content":"Hm."');
  });

  it("is taken out of a body whose model has another name there, too", async () => {
    const upstreamModel = { anthropic: "claude-sonnet-5-5-20260601" };
    const models = [{ id: "our-model", label: null, description: null, upstreamModel }];
    gateway = await startTestGateway({ upstreams: [{ baseUrl: upstream.url }], models });
    await post("/v1/messages", messageBody({ messages: MOVED, model: "our-model" }));
    expect(sent().body).toMatchObject({ model: "claude-sonnet-5-5-20260601", messages: [{}, {}, {}] });
    expect(JSON.stringify(sent().body)).not.toContain("weir");
  });

  it("leaves a request alone that only speaks of it", async () => {
    await start("anthropic");
    const messages = [{ role: "user", content: "weir-unsigned" }];
    const answer = await post("/v1/messages", messageBody({ messages }));
    expect(sent().body["messages"]).toEqual(messages);
    expect(answer.headers["x-weir-warning"]).toBeUndefined();
  });
});

describe("what a format loses in translation", () => {
  const asked = { model: "claude-sonnet-5-5", seed: 7, messages: [QUESTION] };

  it("is no warning where the upstream gets the client's own bytes", async () => {
    await start("openai", ["openai-chat"]);
    upstream.reply({ kind: "whole", body: { id: "c", object: "chat.completion", choices: [] } });
    const answer = await post("/v1/chat/completions", asked);

    expect(sent().body["seed"]).toBe(7);
    expect(answer.headers["x-weir-warning"]).toBeUndefined();
  });

  it("is a warning where it was left out", async () => {
    await start("anthropic");
    const answer = await post("/v1/chat/completions", asked);

    expect(sent().body).not.toHaveProperty("seed");
    expect(answer.headers["x-weir-warning"]).toContain("seed");
  });
});
