/** Promise 4: a client that goes away stops the upstream, and pays for what it got. */
import { request as httpRequest } from "node:http";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import type { Entry } from "../../src/message/entry.ts";
import { exactCostMicroUsd } from "../harness/exact-cost.ts";
import { FakeUpstream } from "../harness/fake-upstream.ts";
import { noteFigure, spread } from "../harness/figures.ts";
import { startTestGateway, UNLIMITED, type TestGateway } from "../harness/gateway.ts";
import { LiveAnswer } from "../harness/http-answer.ts";
import { messageEvents } from "../harness/message-events.ts";
import { messageBody, messageHeaders } from "../harness/message-request.ts";
import { eventually, within } from "../harness/waiting.ts";

const EVENTS = messageEvents();
const MODEL = "claude-sonnet-5-5";

let upstream: FakeUpstream;
let gateway: TestGateway;
/** How long after the client left the upstream's connection was closed, milliseconds. */
const delaysMs: number[] = [];

beforeAll(async () => {
  upstream = await FakeUpstream.start();
  gateway = await startTestGateway({ upstreams: [{ baseUrl: upstream.url }] });
});
afterEach(() => {
  upstream.reset();
  gateway.journal.entries.length = 0;
});
afterAll(async () => {
  noteFigure(4, "upstream closed after, ms", { departures: delaysMs.length, ...spread(delaysMs) });
  await gateway.stop();
  await upstream.stop();
});

/** The one row of the exchange. */
async function theEntry(): Promise<Entry> {
  const entries = await eventually(
    "the row is there",
    () => gateway.journal.entries.length > 0 && gateway.journal.entries,
  );
  expect(entries.length).toBe(1);
  return entries[0]!;
}

describe.each(["close", "reset"] as const)("a client that leaves a stream (%s)", (how) => {
  it.each(EVENTS.map((_, index) => index).slice(1))(
    "after %i events ends the upstream's work and has its row",
    async (count) => {
      upstream.reply({ kind: "stream", events: EVENTS, cut: { afterEvents: count, how: "hang" } });
      const live = await LiveAnswer.open(`${gateway.url}/v1/messages`, {
        headers: messageHeaders(gateway.key),
        body: messageBody({ stream: true }),
      });
      await live.events(count);

      const leftAtMs = performance.now();
      live.leave(how);
      const closedAtMs = await within("the upstream's connection to be closed", upstream.requests[0]!.closedEarly);
      delaysMs.push(closedAtMs - leftAtMs);

      const entry = await theEntry();
      expect(entry).toMatchObject({
        outcome: "client_gone",
        usageSource: "partial",
        target: "anthropic",
        attempts: 1,
      });
      // What the provider said of the input is known as soon as the stream begins; the output is counted as it passed.
      expect(entry.usage).toMatchObject({ inputTokens: 100, cacheReadTokens: 1_000 });
      expect(entry.usage.outputTokens).toBeGreaterThanOrEqual(1);
      expect(entry.costMicroUsd).toBe(exactCostMicroUsd(MODEL, entry.usage));
      expect(entry.costMicroUsd).toBeGreaterThan(0);
    },
  );
});

describe("a client that leaves", () => {
  it("before the answer has begun ends the upstream's work, and pays for the input", async () => {
    upstream.reply({ kind: "silent" });
    const arrived = upstream.nextRequest();
    const headers = messageHeaders(gateway.key);
    const request = httpRequest(`${gateway.url}/v1/messages`, { method: "POST", headers });
    request.on("error", () => {}).end(JSON.stringify(messageBody({ stream: true })));
    const seen = await arrived;
    request.destroy();
    await within("the upstream's connection to be closed", seen.closedEarly);
    const entry = await theEntry();
    expect(entry).toMatchObject({ outcome: "client_gone", status: 499, usageSource: "estimated" });
    expect(entry.usage.inputTokens).toBeGreaterThan(0);
    expect(entry.costMicroUsd).toBeGreaterThan(0);
  });

  it("after the head of a stream and before its first event ends the upstream's work, and pays for the input", async () => {
    upstream.reply({ kind: "stream", events: EVENTS, cut: { afterEvents: 0, how: "hang" } });
    const arrived = upstream.nextRequest();
    const headers = messageHeaders(gateway.key);
    const request = httpRequest(`${gateway.url}/v1/messages`, { method: "POST", headers });
    request.on("error", () => {}).end(JSON.stringify(messageBody({ stream: true })));
    const seen = await arrived;
    request.destroy();
    await within("the upstream's connection to be closed", seen.closedEarly);
    expect(await theEntry()).toMatchObject({ outcome: "client_gone", status: 499, usageSource: "estimated" });
    const { router, clock } = gateway.services;
    expect(router.describe(clock.monotonicMs(), 0).upstreams).toMatchObject([{ consecutiveFailures: 0 }]);
  });

  it("during an answer that is no stream ends the upstream's work, and has its row", async () => {
    upstream.reply({
      kind: "stream",
      events: EVENTS,
      headers: { "content-type": "application/json" },
      cut: { afterEvents: 2, how: "hang" },
    });
    const arrived = upstream.nextRequest();
    const headers = messageHeaders(gateway.key);
    const request = httpRequest(`${gateway.url}/v1/messages`, { method: "POST", headers });
    request.on("error", () => {}).end(JSON.stringify(messageBody()));
    const seen = await arrived;
    request.destroy();
    await within("the upstream's connection to be closed", seen.closedEarly);
    expect(await theEntry()).toMatchObject({ outcome: "client_gone", usageSource: "estimated" });
  });

  it("in the middle of its own body reaches no upstream and has no row", async () => {
    const headers = { ...messageHeaders(gateway.key), "content-length": "5000" };
    const request = httpRequest(`${gateway.url}/v1/messages`, { method: "POST", headers });
    const gone = new Promise((resolve) => request.once("error", resolve).once("close", resolve));
    request.write("{");
    await eventually("the gateway has the request", () => gateway.server.inProgress === 1);
    request.destroy();
    await gone;
    await eventually("the gateway is done with it", () => gateway.server.inProgress === 0);
    expect(upstream.requests).toEqual([]);
    expect(gateway.journal.entries).toEqual([]);
  });

  it("while it waits for a place reaches no upstream, and the next one in the queue gets the place", async () => {
    const one = { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: 1 };
    const narrow = await startTestGateway({
      upstreams: [{ baseUrl: upstream.url }],
      limits: { ...UNLIMITED, defaults: { ...UNLIMITED.defaults, key: one } },
    });
    const answers = Promise.withResolvers<void>();
    upstream.reply({ kind: "whole", before: () => answers.promise });
    const post = (): ReturnType<typeof LiveAnswer.open> =>
      LiveAnswer.open(`${narrow.url}/v1/messages`, { headers: messageHeaders(narrow.key), body: messageBody() });
    const first = post();
    await eventually("the first one runs", () => upstream.requests.length === 1);
    const headers = messageHeaders(narrow.key);
    const leaving = httpRequest(`${narrow.url}/v1/messages`, { method: "POST", headers });
    leaving.on("error", () => {}).end(JSON.stringify(messageBody({ metadata: { user_id: "leaving" } })));
    const { gate } = narrow.services.rate;
    await eventually("it waits", () => gate.queued === 1);
    const third = post();
    await eventually("the third waits too", () => gate.queued === 2);
    leaving.destroy();
    await eventually("it waits no more", () => gate.queued === 1);
    answers.resolve();
    expect([(await first).status, (await third).status]).toEqual([200, 200]);
    expect(upstream.requests.map((request) => request.body.includes("leaving"))).toEqual([false, false]);
    await eventually("the rows are there", () => narrow.journal.entries.length === 2);
    await narrow.stop();
  });
});
