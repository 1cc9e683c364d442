import { afterEach, describe, expect, it } from "vitest";

import { systemClock } from "../../../core/clock.ts";
import { RequestTemplate } from "../body/request-template.ts";
import { FakeMessagesServer, type Arrived, type Behaviour } from "../testing/fake-messages-server.ts";
import { testPlan } from "../testing/test-plan.ts";
import type { ExchangeResult } from "./exchange.ts";
import { Sender } from "./sender.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

interface Setup {
  readonly behave?: (request: Arrived) => Behaviour;
  readonly changes?: Parameters<typeof testPlan>[1];
  readonly connections?: number;
}

async function setUp({ behave, changes, connections = 10 }: Setup): Promise<{
  fake: FakeMessagesServer;
  sender: Sender;
  send: (client?: number) => Promise<ExchangeResult | null>;
  gaps: number[];
}> {
  const fake = await FakeMessagesServer.start(behave);
  const plan = testPlan(fake.url, changes);
  const sender = new Sender(plan, systemClock, connections);
  closing.push(
    () => fake.stop(),
    () => sender.close(),
  );
  const { model, stream } = plan.request;
  const template = new RequestTemplate({ bytes: 2048, model, stream, seed: 1 });
  const gaps: number[] = [];
  const send = (client = 0): Promise<ExchangeResult | null> =>
    sender.send({
      template,
      marks: { nonce: "n", user: "u", maxTokens: 7, sharedPrefix: 1 },
      dueMs: systemClock.monotonicMs(),
      client,
      onGap: (gapMs) => gaps.push(gapMs),
    });
  return { fake, sender, send, gaps };
}

describe("a request that succeeds", () => {
  it("is measured to its first byte, first token and end, with its events, tokens and bytes", async () => {
    const { send, gaps, fake } = await setUp({ behave: () => ({ kind: "answer", firstMs: 30, deltas: 4, gapMs: 20 }) });
    const result = await send();
    expect(result).toMatchObject({
      status: 200,
      failure: null,
      unfinished: false,
      bytesSent: 2048,
      events: 8,
      tokens: { inputTokens: 10, outputTokens: 4, cacheReadTokens: 100, cacheWriteTokens: 7 },
    });
    expect(gaps).toHaveLength(3);
    expect(result!.ttfbMs!).toBeLessThanOrEqual(result!.ttftMs!);
    expect(result!.ttftMs!).toBeLessThan(result!.endMs - result!.dueMs);
    expect(result!.tokensPerSecond).toBeGreaterThan(0);
    expect(fake.arrived[0]).toMatchObject({ path: "/v1/messages", bytes: 2048, body: { stream: true, max_tokens: 7 } });
    expect(fake.arrived[0]?.headers).toMatchObject({
      "content-type": "application/json",
      "anthropic-version": "2023-06-01",
    });
  });

  it("without a stream has its usage read from the answer and no time to first token", async () => {
    const { send } = await setUp({ changes: { request: { stream: false } } });
    expect(await send()).toMatchObject({ failure: null, ttftMs: null, tokens: { inputTokens: 10, outputTokens: 5 } });
  });

  it("reuses its connection, unless connections are not to be kept", async () => {
    const kept = await setUp({});
    for (let i = 0; i < 5; i++) await kept.send();
    expect(kept.fake.connections).toBe(1);
    const fresh = await setUp({ changes: { plan: { keepAlive: false } } });
    for (let i = 0; i < 5; i++) await fresh.send();
    expect(fresh.fake.connections).toBe(5);
  });

  it("carries the key of its client, in the chosen header, and the user's headers", async () => {
    const keys = ["key-one-canary", "key-two-canary"];
    const headers = { "anthropic-beta": "beta-1", "anthropic-version": "2024-01-01" };
    const { send, fake } = await setUp({ changes: { secrets: { keys, headers } } });
    for (const client of [0, 1, 2]) await send(client);
    expect(fake.arrived.map((request) => request.headers["x-api-key"])).toEqual([
      "key-one-canary",
      "key-two-canary",
      "key-one-canary",
    ]);
    expect(fake.arrived[0]?.headers).toMatchObject({ "anthropic-beta": "beta-1", "anthropic-version": "2024-01-01" });
    const bearer = await setUp({ changes: { secrets: { keys, keyHeader: "authorization" } } });
    await bearer.send();
    expect(bearer.fake.arrived[0]?.headers["authorization"]).toBe("Bearer key-one-canary");
  });
});

describe("a request that fails", () => {
  it.each<[string, Behaviour, object]>([
    [
      "an error status",
      { kind: "status", status: 429, type: "rate_limit_error", message: "slow" },
      { kind: "http", detail: "429 rate_limit_error", message: "slow" },
    ],
    ["a reset before the answer", { kind: "reset" }, { kind: "reset", detail: "ECONNRESET" }],
    [
      "a stream that ends without message_stop",
      { kind: "cut", afterDeltas: 2, broken: false },
      { kind: "cut", detail: "ended without message_stop", message: "after 4 events" },
    ],
    [
      "a stream whose connection breaks",
      { kind: "cut", afterDeltas: 2, broken: true },
      { kind: "cut", detail: "closed during the answer" },
    ],
    [
      "an error event in the stream",
      { kind: "error_event", type: "overloaded_error", message: "busy" },
      { kind: "stream_error", detail: "overloaded_error", message: "busy" },
    ],
    [
      "an answer that is no stream",
      { kind: "text", text: "<h1>Hello" },
      { kind: "protocol", detail: "200 without an event stream", message: "<h1>Hello" },
    ],
  ])("by %s is told apart", async (_, behaviour, expected) => {
    const { send } = await setUp({ behave: () => behaviour });
    expect((await send())?.failure).toMatchObject(expected);
    // The connection's place is free again.
    expect((await send())?.failure).toMatchObject(expected);
  });

  it("without a stream fails when the answer is no message", async () => {
    const { send } = await setUp({
      behave: () => ({ kind: "text", text: "{}" }),
      changes: { request: { stream: false } },
    });
    expect((await send())?.failure).toMatchObject({ kind: "protocol", detail: "200 without a message" });
  });

  it("for want of a server is a failed connection", async () => {
    const { fake, send } = await setUp({});
    await fake.stop();
    expect((await send())?.failure).toMatchObject({ kind: "connect", detail: "ECONNREFUSED" });
  });

  it("by silence is ended by the sweep once its time is over, and its place is free again", async () => {
    let silent = true;
    const { send, sender } = await setUp({
      behave: () => (silent ? { kind: "silence" } : { kind: "answer" }),
      changes: { limits: { timeoutMs: 50 } },
      connections: 1,
    });
    const first = send();
    const second = send();
    const sweeping = setInterval(() => sender.sweep(), 5);
    expect((await first)?.failure).toMatchObject({ kind: "timeout", detail: "before the answer" });
    silent = false;
    clearInterval(sweeping);
    expect((await second)?.failure ?? null).toBe(null);
  });

  it("does not show the key, which the server repeats", async () => {
    const { send } = await setUp({
      behave: ({ headers }) => ({
        kind: "status",
        status: 401,
        type: "authentication_error",
        message: `bad key ${String(headers["x-api-key"])}`,
      }),
      changes: { secrets: { keys: ["wr-test-canary"] } },
    });
    expect((await send())?.failure?.message).toBe("bad key [redacted]");
  });
});

describe("connections", () => {
  it("are no more than allowed; further requests wait and count their waiting", async () => {
    const { send, sender, fake } = await setUp({ behave: () => ({ kind: "answer", firstMs: 20 }), connections: 2 });
    const all = Array.from({ length: 6 }, () => send());
    expect([sender.inFlight, sender.queued]).toEqual([2, 4]);
    const results = await Promise.all(all);
    expect(fake.connections).toBe(2);
    expect(results.every((result) => result?.failure === null)).toBe(true);
    expect(results.at(-1)!.sentMs).toBeGreaterThan(results.at(-1)!.dueMs);
  });

  it("closed at the end of the run leave running requests unfinished and waiting ones unsent", async () => {
    const { send, sender } = await setUp({ behave: () => ({ kind: "silence" }), connections: 1 });
    const [running, waiting] = [send(), send()];
    await sender.close();
    expect(await running).toMatchObject({ unfinished: true, failure: null });
    expect(await waiting).toBe(null);
    expect(await send()).toBe(null);
  });
});
