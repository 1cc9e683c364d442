import { request as httpRequest } from "node:http";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { FakeUpstream } from "../../../test/harness/fake-upstream.ts";
import { startTestGateway, type TestGateway, UNCOUNTED_ROUTING } from "../../../test/harness/gateway.ts";
import { ask, jsonOf, LiveAnswer, type HttpAnswer } from "../../../test/harness/http-answer.ts";
import { messageBody, messageHeaders } from "../../../test/harness/message-request.ts";
import { eventually } from "../../../test/harness/waiting.ts";
import { parseExposition } from "../../telemetry/testing/parse-exposition.ts";
import type { Entry } from "../../message/entry.ts";

let upstream: FakeUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await FakeUpstream.start();
});

afterAll(async () => {
  await upstream.stop();
});

beforeEach(async () => {
  upstream.reset();
  gateway = await startTestGateway({ upstreams: [{ baseUrl: upstream.url }] });
});

afterEach(async () => {
  await gateway.stop();
});

function post(changes: Record<string, unknown> = {}, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  return ask(`${gateway.url}/v1/messages`, {
    headers: messageHeaders(gateway.key, headers),
    body: messageBody(changes),
  });
}

async function theEntry(): Promise<Entry> {
  await eventually("the exchange is settled", () => gateway.journal.entries.length > 0);
  expect(gateway.journal.entries).toHaveLength(1);
  return gateway.journal.entries[0]!;
}

/** How many heads of answers the gateway has got lately. */
function headsSeen(): number {
  const { router, clock } = gateway.services;
  return router.describe(clock.monotonicMs(), 0).upstreams.reduce((sum, { volume }) => sum + volume, 0);
}

describe("the entry of an exchange", () => {
  it.each([true, false])("tells who, what, where, how much and how long (stream: %s)", async (stream) => {
    const headers = {
      "x-claude-code-session-id": "session-7",
      "x-claude-code-agent-id": "agent-7",
      "x-claude-code-parent-agent-id": "agent-1",
    };
    const answer = await post({ stream, model: "claude-sonnet-5-5-20260601" }, headers);

    expect(await theEntry()).toEqual({
      exchangeId: answer.headers["request-id"],
      attempt: 1,
      attempts: 1,
      organizationId: "org_1",
      teamId: "team_1",
      userId: "usr_1",
      keyId: "key_1",
      userType: "developer",
      tag: null,
      sessionId: "session-7",
      agentId: "agent-7",
      parentAgentId: "agent-1",
      endpoint: "messages",
      clientFormat: "anthropic",
      modelAsked: "claude-sonnet-5-5-20260601",
      modelServed: "claude-sonnet-5-5",
      target: "anthropic",
      targetModel: "claude-sonnet-5-5-20260601",
      routeReason: "order",
      stream,
      status: 200,
      outcome: "complete",
      usage: {
        inputTokens: 100,
        outputTokens: 12,
        cacheReadTokens: 1_000,
        cacheWrite5mTokens: 20,
        cacheWrite1hTokens: 0,
        webSearchRequests: 0,
        serviceTier: null,
        speed: null,
        inferenceGeo: null,
      },
      usageSource: "reported",
      // 100 x 2 + 12 x 10 + 1,000 x 0.1 + 20 x 2.5
      costMicroUsd: 470,
      cacheMove: null,
      cacheLossMicroUsd: 0,
      priceVersion: "2026-11",
      reservedMicroUsd: gateway.journal.opens[0]?.reservedMicroUsd,
      admittedAtMs: gateway.journal.opens[0]?.admittedAtMs,
      settledAtMs: expect.any(Number),
      latencyMs: expect.any(Number),
      timeToFirstTokenMs: expect.any(Number),
      upstreamRequestId: "req_fake_upstream",
    });
  });

  it("names the model as the upstream that answered calls it, and why that one was asked", async () => {
    await gateway.stop();
    const models = [
      { id: "our-model", label: null, description: null, upstreamModel: { anthropic: "claude-sonnet-5-5-20260601" } },
    ];
    gateway = await startTestGateway({ upstreams: [{ baseUrl: upstream.url }], models });
    await post({ model: "our-model" });

    expect(await theEntry()).toMatchObject({
      modelAsked: "our-model",
      target: "anthropic",
      targetModel: "claude-sonnet-5-5-20260601",
      routeReason: "order",
    });
  });

  it("tells which format the client spoke, from its admission on", async () => {
    const body = { model: "claude-sonnet-5-5", messages: [{ role: "user", content: "Hello" }] };
    await ask(`${gateway.url}/v1/chat/completions`, { headers: messageHeaders(gateway.key), body });

    expect(gateway.journal.opens).toMatchObject([{ clientFormat: "openai-chat" }]);
    expect(await theEntry()).toMatchObject({ clientFormat: "openai-chat" });
  });

  it("has no target, reason or move where no upstream was asked", async () => {
    await gateway.stop();
    const routing = { ...UNCOUNTED_ROUTING, deployment: { kind: "single", cloud: "aws" } } as const;
    gateway = await startTestGateway({ upstreams: [{ baseUrl: upstream.url }], routing });
    await post();

    expect(upstream.requests).toEqual([]);
    expect(await theEntry()).toMatchObject({
      clientFormat: "anthropic",
      target: null,
      targetModel: null,
      routeReason: null,
      outcome: "refused",
      cacheMove: null,
      cacheLossMicroUsd: 0,
    });
  });

  it("prices the move of a session that its upstream could not keep, and only that one", async () => {
    await gateway.stop();
    const second = await FakeUpstream.start();
    const affinity = { ...UNCOUNTED_ROUTING.affinity, enabled: true };
    gateway = await startTestGateway({
      upstreams: [
        { name: "first", baseUrl: upstream.url },
        { name: "second", baseUrl: second.url },
      ],
      routing: { ...UNCOUNTED_ROUTING, affinity },
    });
    try {
      const session = { "x-claude-code-session-id": "session-7" };
      const model = "claude-sonnet-5-5";
      await post({ model }, session);
      upstream.reply({ kind: "whole", status: 529 });
      await post({ model }, session);
      await post({ model }, session);
    } finally {
      await second.stop();
    }

    expect(gateway.journal.entries).toMatchObject([
      { target: "first", cacheMove: null, cacheLossMicroUsd: 0 },
      // 1,020 warm tokens: written anew at 2.5 instead of read at 0.1
      { target: "second", cacheMove: "moved_failed", cacheLossMicroUsd: 2_448 },
      { target: "second", routeReason: "affinity", cacheMove: null, cacheLossMicroUsd: 0 },
    ]);
  });

  it("is made of the open record that was written before the upstream was asked", async () => {
    let opensWhenAsked = -1;
    upstream.otherwise(() => {
      opensWhenAsked = gateway.journal.opens.length;
      return { kind: "whole" };
    });
    await post();

    expect(opensWhenAsked).toBe(1);
    expect(gateway.journal.opens[0]?.exchangeId).toBe((await theEntry()).exchangeId);
  });

  it("is estimated where a whole answer reported nothing", async () => {
    upstream.reply({ kind: "whole", body: '{"type":"message","content":[]}' });
    const answer = await post();
    expect(answer.body.toString()).toBe('{"type":"message","content":[]}');
    const { usage, usageSource, costMicroUsd } = await theEntry();

    expect(usageSource).toBe("estimated");
    expect(usage.inputTokens).toBeGreaterThan(20);
    expect(usage.outputTokens).toBe(8);
    expect(costMicroUsd).toBeGreaterThan(0);
  });

  it("says 499 when the client left before anything was sent to it", async () => {
    upstream.reply({
      kind: "stream",
      headers: { "content-type": "application/json" },
      cut: { afterEvents: 1, how: "hang" },
    });
    const request = httpRequest(`${gateway.url}/v1/messages`, { method: "POST", headers: messageHeaders(gateway.key) });
    const arrived = upstream.nextRequest();
    const before = headsSeen();
    request.on("error", () => {}).end(JSON.stringify(messageBody()));
    const seen = await arrived;
    await eventually("the answer is being gathered, nothing of which has gone out", () => headsSeen() > before);
    request.destroy();
    await seen.closedEarly;

    expect(await theEntry()).toMatchObject({ outcome: "client_gone", status: 499, usageSource: "estimated" });
  });

  it("says 200 when the client left a stream that it had begun to receive", async () => {
    upstream.reply({ kind: "stream", cut: { afterEvents: 4, how: "hang" } });
    const live = await LiveAnswer.open(`${gateway.url}/v1/messages`, {
      headers: messageHeaders(gateway.key),
      body: messageBody({ stream: true }),
    });
    await live.events(4);
    live.leave();

    expect(await theEntry()).toMatchObject({ outcome: "client_gone", status: 200, usageSource: "partial" });
  });
});

describe("an entry that cannot be made durable", () => {
  beforeEach(() => {
    gateway.journal.failWith = new Error("disk is gone");
  });

  it("holds a whole answer back: the client gets a 503", async () => {
    const answer = await post();

    expect(answer.status).toBe(503);
    expect(jsonOf(answer)).toMatchObject({ error: { code: "weir:server:journal_full" } });
  });

  it("holds a stream's end back: it looks cut", async () => {
    const answer = await post({ stream: true });

    expect(answer.isWhole).toBe(false);
    expect(answer.body.toString()).toContain("message_delta");
    expect(answer.body.toString()).not.toContain("message_stop");
  });
});

describe("metrics and access log", () => {
  async function lines(): Promise<Record<string, unknown>[]> {
    gateway.services.accessLog.flush();
    return gateway.accessLines
      .join("")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
  }

  it("have the exchange once, with the figures of its entry", async () => {
    const answer = await post();
    const page = gateway.services.metrics.instruments.map((one) => one.render()).join("");
    const sample = (name: string): unknown => parseExposition(page).get(name)?.samples[0];

    expect(sample("claude_requests_total")).toMatchObject({
      value: 1,
      labels: { model: "claude-sonnet-5-5", status: "200", user_type: "developer" },
    });
    expect(sample("claude_tokens_consumed_total")).toMatchObject({ value: 1_132, labels: { user_id: "usr_1" } });
    expect(sample("claude_active_connections")).toMatchObject({ value: 0 });
    expect(await lines()).toMatchObject([
      {
        request_id: answer.headers["request-id"],
        status: 200,
        outcome: "complete",
        input_tokens: 100,
        cost_micro_usd: 470,
      },
    ]);
  });

  it("have a refusal with its status and type, and no series for a model that nobody serves", async () => {
    await post({ model: 'invented"}\n-model' });
    const page = gateway.services.metrics.instruments.map((one) => one.render()).join("");

    expect(parseExposition(page).get("claude_errors_total")?.samples).toMatchObject([
      { labels: { error_type: "not_found_error", model: "none" }, value: 1 },
    ]);
    expect(page).not.toContain("invented");
    expect(await lines()).toMatchObject([
      { status: 404, model: "none", target: null, outcome: "refused", cost_micro_usd: 0 },
    ]);
    expect(parseExposition(page).get("weir_exchanges_total")?.samples).toMatchObject([
      { labels: { outcome: "refused" }, value: 1 },
    ]);
  });
});
