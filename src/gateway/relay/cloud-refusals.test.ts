/** What clouds refuse in ways of their own, and what becomes of it on the whole data plane. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { FakeUpstream } from "../../../test/harness/fake-upstream.ts";
import { startTestGateway, type TestGateway } from "../../../test/harness/gateway.ts";
import { ask, jsonOf, type HttpAnswer } from "../../../test/harness/http-answer.ts";
import { messageBody, messageHeaders } from "../../../test/harness/message-request.ts";
import { providerRow } from "../../upstream/catalogue/providers.ts";
import { CatalogueDialect } from "../../upstream/dialect.ts";
import type { StreamFraming } from "../../upstream/upstream.ts";
import type { WireName } from "../../wire/codec.ts";

let first: FakeUpstream;
let second: FakeUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  first = await FakeUpstream.start();
  second = await FakeUpstream.start();
});
beforeEach(() => {
  first.reset();
  second.reset();
});
afterEach(() => gateway.stop());
afterAll(async () => {
  await first.stop();
  await second.stop();
});

function dialect(wire: WireName, framing: StreamFraming = "none"): CatalogueDialect {
  const row = providerRow("custom");
  return new CatalogueDialect({ row, parameters: {}, wires: [wire], custom: null, modelId: () => "m", framing });
}

async function start(wire: WireName, framing: StreamFraming = "none"): Promise<void> {
  gateway = await startTestGateway({
    upstreams: [{ baseUrl: first.url, dialect: dialect(wire, framing) }, { baseUrl: second.url }],
  });
}

function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  return ask(gateway.url + path, { headers: messageHeaders(gateway.key, headers), body });
}

function sentTo(upstream: FakeUpstream, index = 0): Record<string, unknown> {
  return JSON.parse(upstream.requests[index]?.body.toString() ?? "{}");
}

describe("a beta that Bedrock does not know", () => {
  const REFUSAL = { kind: "whole", status: 400, body: { message: "invalid beta flag" } } as const;
  const BETAS = "interleaved-thinking-2025-05-14,context-management-2025-06-27,new-thing-2026-10-01";
  const body = messageBody({ context_management: { edits: [] } });

  it("is left out in one repeat there, but for those that the body needs, and the client is told", async () => {
    await start("bedrock");
    first.reply(REFUSAL);
    const answer = await post("/v1/messages", body, { "anthropic-beta": BETAS });

    expect(answer.status).toBe(200);
    expect(first.requests).toHaveLength(2);
    expect(sentTo(first, 0)["anthropic_beta"]).toEqual(BETAS.split(","));
    expect(sentTo(first, 1)["anthropic_beta"]).toEqual(["context-management-2025-06-27"]);
    expect(String(answer.headers["x-weir-warning"])).toContain("anthropic-beta: new-thing-2026-10-01");
    expect(second.requests).toEqual([]);
    expect(gateway.journal.entries).toMatchObject([{ attempts: 2, outcome: "complete" }]);
  });

  it("is not sent there again, nor are those given up that were taken before", async () => {
    await start("bedrock");
    await post("/v1/messages", body, { "anthropic-beta": "interleaved-thinking-2025-05-14" });
    first.reply(REFUSAL);
    await post("/v1/messages", body, { "anthropic-beta": BETAS });
    await post("/v1/messages", body, { "anthropic-beta": BETAS });

    const kept = ["interleaved-thinking-2025-05-14", "context-management-2025-06-27"];
    expect(first.requests).toHaveLength(4);
    expect(sentTo(first, 2)["anthropic_beta"]).toEqual(kept);
    expect(sentTo(first, 3)["anthropic_beta"]).toEqual(kept);
  });

  it("is the client's own when leaving it out does not help, or when something in the body needs it", async () => {
    await start("bedrock");
    first.reply(REFUSAL, REFUSAL);
    const again = await post("/v1/messages", body, { "anthropic-beta": BETAS });
    expect([again.status, first.requests.length]).toEqual([400, 2]);

    first.reset();
    first.reply(REFUSAL);
    const needed = await post("/v1/messages", body, { "anthropic-beta": "context-management-2025-06-27" });
    expect([needed.status, first.requests.length]).toEqual([400, 1]);
    expect(jsonOf(needed)).toMatchObject({ error: { message: "invalid beta flag" } });
  });

  it("goes back word for word to a client of Bedrock's own format", async () => {
    await start("bedrock");
    first.reply(REFUSAL);
    const bedrock = { anthropic_version: "bedrock-2023-05-31", anthropic_beta: ["x-1"], max_tokens: 5, messages: [] };
    const answer = await post("/model/claude-sonnet-5-5/invoke", bedrock);

    expect([answer.status, jsonOf(answer)]).toEqual([400, { message: "invalid beta flag" }]);
    expect(first.requests).toHaveLength(1);
  });
});

describe("an error of the container behind SageMaker", () => {
  const modelError = (status: number): object => ({
    ErrorCode: "SERVER_ERROR_FROM_MODEL",
    OriginalStatusCode: status,
    OriginalMessage: JSON.stringify({ type: "error", error: { type: "api_error", message: "inside" } }),
    message: "Received server error from primary",
  });

  it.each([500, 503, 429, 401])("is judged by its own status, so that %i fails over", async (status) => {
    await start("anthropic", "aws-event-stream");
    first.reply({ kind: "whole", status: 424, body: modelError(status) });
    const answer = await post("/v1/messages", messageBody());

    expect(answer.status).toBe(200);
    expect(answer.headers["x-weir-upstream"]).toBe("anthropic-2");
    expect(gateway.journal.entries).toMatchObject([{ attempts: 2, target: "anthropic-2" }]);
  });

  it("is the caller's own where it is a 400, and goes back as the container said it", async () => {
    await start("anthropic", "aws-event-stream");
    first.reply({ kind: "whole", status: 424, body: modelError(400) });
    const answer = await post("/v1/messages", messageBody());

    expect([answer.status, jsonOf(answer)]).toMatchObject([400, { error: { message: "inside" } }]);
    expect(second.requests).toEqual([]);
  });
});

describe("an upstream's 529 for a client of Bedrock", () => {
  const bedrock = { anthropic_version: "bedrock-2023-05-31", max_tokens: 5, messages: [] };

  it.each<WireName>(["bedrock", "anthropic"])("is a 503, which AWS's SDKs repeat, from %s", async (wire) => {
    gateway = await startTestGateway({ upstreams: [{ baseUrl: first.url, dialect: dialect(wire) }] });
    first.reply({ kind: "whole", status: 529, body: { message: "Overloaded" } });
    const answer = await post("/model/claude-sonnet-5-5/invoke", bedrock);

    expect(answer.status).toBe(503);
    expect(gateway.journal.entries).toMatchObject([{ status: 503 }]);
  });
});

describe("a Vertex client whose body contradicts its method", () => {
  const PATH = "/v1/projects/p/locations/l/publishers/anthropic/models/claude-sonnet-5-5";
  const vertex = { anthropic_version: "vertex-2023-10-16", max_tokens: 5, messages: [] };

  it("gets a whole answer from :rawPredict, is told so, and Google never sees the contradiction", async () => {
    await start("vertex");
    const answer = await post(`${PATH}:rawPredict`, { ...vertex, stream: true });

    expect(answer.status).toBe(200);
    expect(jsonOf(answer)).toMatchObject({ type: "message" });
    expect(String(answer.headers["x-weir-warning"])).toContain("stream says otherwise than the path");
    expect(first.requests[0]?.url).toBe("/m:rawPredict");
    expect(sentTo(first)).toEqual(vertex);
  });

  it("gets a stream from :streamRawPredict", async () => {
    await start("vertex");
    const answer = await post(`${PATH}:streamRawPredict`, vertex);

    expect(answer.headers["content-type"]).toContain("text/event-stream");
    expect(first.requests[0]?.url).toBe("/m:streamRawPredict");
    expect(sentTo(first)).toEqual({ ...vertex, stream: true });
  });
});
