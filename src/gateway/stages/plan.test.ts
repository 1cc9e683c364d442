import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { FakeUpstream } from "../../../test/harness/fake-upstream.ts";
import {
  startTestGateway,
  UNCOUNTED_ROUTING,
  type TestGateway,
  type TestGatewayOptions,
} from "../../../test/harness/gateway.ts";
import { ask, jsonOf } from "../../../test/harness/http-answer.ts";
import { messageBody, messageHeaders } from "../../../test/harness/message-request.ts";
import { DEFAULT_ROUTING } from "../../routing/settings.ts";
import { providerRow } from "../../upstream/catalogue/providers.ts";
import { CatalogueDialect } from "../../upstream/dialect.ts";

let upstreams: FakeUpstream[];
let gateway: TestGateway;

beforeAll(async () => {
  upstreams = [await FakeUpstream.start(), await FakeUpstream.start(), await FakeUpstream.start()];
  gateway = await startTestGateway({
    upstreams: upstreams.map(({ url }) => ({ baseUrl: url })),
    routing: { ...UNCOUNTED_ROUTING, strategy: "round_robin", affinity: DEFAULT_ROUTING.affinity },
  });
});
afterAll(async () => {
  await gateway.stop();
  for (const upstream of upstreams) await upstream.stop();
});

/** Which upstream answers a conversation, turn by turn. */
async function whereItGoes(turns: readonly unknown[][], headers: Record<string, string> = {}): Promise<string[]> {
  const places: string[] = [];
  for (const messages of turns) {
    const body = messageBody({ messages });
    const answer = await ask(`${gateway.url}/v1/messages`, { headers: messageHeaders(gateway.key, headers), body });
    places.push(String(answer.headers["x-weir-upstream"]));
  }
  return places;
}

const turn = (...texts: string[]): unknown[] =>
  texts.map((content, i) => ({ role: i % 2 === 0 ? "user" : "assistant", content }));

describe("a conversation among several upstreams", () => {
  it("stays where its prompt cache is warm, known by its session", async () => {
    const turns = [turn("a"), turn("b"), turn("c"), turn("d")];
    const places = await whereItGoes(turns, { "x-claude-code-session-id": "s-1" });
    expect(new Set(places).size).toBe(1);
  });

  it("without a session is known by its first message, if it is to be cached, however long it grows", async () => {
    const first = "Refactor the payment module.";
    const turns = [turn(first), turn(first, "Done.", "Go on."), turn(first, "Done.", "Go on.", "Yes.", "Test it.")];
    const cached = turns.map((messages) => messages.with(0, { role: "user", content: [marked(first)] }));
    expect(new Set(await whereItGoes(cached)).size).toBe(1);
  });

  it("takes its turns when nothing of it is to be cached, were it the same every time", async () => {
    const places = await whereItGoes([
      turn("same"),
      turn("same"),
      turn("same"),
      turn("same"),
      turn("same"),
      turn("same"),
    ]);
    expect(new Set(places).size).toBe(3);
  });
});

function marked(text: string): unknown {
  return { type: "text", text, cache_control: { type: "ephemeral" } };
}

describe("a count of tokens", () => {
  const COUNT = "/v1/messages/count_tokens";
  const chat = chatDialect();

  async function gatewayOf(upstreams: TestGatewayOptions["upstreams"]): Promise<TestGateway> {
    return startTestGateway({ upstreams });
  }

  it("goes to the target that can count, wherever it stands in the route", async () => {
    const [first, second] = [upstreams[0]!, upstreams[1]!];
    const weir = await gatewayOf([{ baseUrl: first.url, dialect: chat }, { baseUrl: second.url }]);
    first.reset();
    const answer = await ask(`${weir.url}${COUNT}`, { headers: messageHeaders(weir.key), body: messageBody() });
    await weir.stop();

    expect({ status: answer.status, body: jsonOf(answer) }).toEqual({ status: 200, body: { input_tokens: 7 } });
    expect(answer.headers["x-weir-upstream"]).toBe("anthropic-2");
    expect(answer.headers["x-weir-warning"]).toBeUndefined();
    expect(first.requests).toEqual([]);
  });

  it.each([
    [COUNT, messageBody(), "input_tokens"],
    ["/model/claude-sonnet-5-5/count-tokens", bedrockCount(), "inputTokens"],
    ["/v1/responses/input_tokens", { model: "claude-sonnet-5-5", input: "Say hello." }, "input_tokens"],
  ])("is estimated, and says so, where no target can count (%s)", async (path, body, member) => {
    const only = upstreams[0]!;
    only.reset();
    const weir = await gatewayOf([{ baseUrl: only.url, dialect: chat }]);
    const answer = await ask(`${weir.url}${path}`, { headers: messageHeaders(weir.key), body });
    const entries = [...weir.journal.entries];
    weir.services.accessLog.flush();
    await weir.stop();

    expect(answer.status).toBe(200);
    expect(jsonOf(answer)).toHaveProperty(member, expect.any(Number));
    expect(answer.headers["x-weir-warning"]).toContain("input_tokens is an estimate by Weir");
    expect(answer.headers["request-id"]).toMatch(/^req_/);
    expect(only.requests).toEqual([]);
    expect(entries).toEqual([]);
    expect(JSON.parse(weir.accessLines.at(-1) ?? "{}")).toMatchObject({ status: 200, outcome: "complete" });
  });
});

function chatDialect(): CatalogueDialect {
  const row = providerRow("openai");
  return new CatalogueDialect({ row, parameters: {}, wires: ["openai-chat"], custom: null, modelId: (asked) => asked });
}

function bedrockCount(): unknown {
  const invoke = {
    anthropic_version: "bedrock-2023-05-31",
    max_tokens: 10,
    messages: [{ role: "user", content: "Hi" }],
  };
  return { input: { invokeModel: { body: Buffer.from(JSON.stringify(invoke)).toString("base64") } } };
}
