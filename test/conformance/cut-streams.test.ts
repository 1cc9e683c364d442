/** Promises 5 and 6: a stream that is cut looks cut, and nothing is tried again once a byte has been relayed. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { CUT_MODES, FakeUpstream, type CutMode } from "../harness/fake-upstream.ts";
import { noteFigure } from "../harness/figures.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { ask, type HttpAnswer } from "../harness/http-answer.ts";
import { encodeEvents, eventNames, messageEvents } from "../harness/message-events.ts";
import { messageBody, messageHeaders } from "../harness/message-request.ts";

const EVENTS = messageEvents();
/** Every event but the last: after message_stop a stream is whole. */
const POINTS = EVENTS.map((_, index) => index);
/** How long the gateway waits in silence. */
const IDLE_MS = 150;

let first: FakeUpstream;
let second: FakeUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  first = await FakeUpstream.start();
  second = await FakeUpstream.start();
  gateway = await startTestGateway({
    upstreams: [{ baseUrl: first.url, idleTimeoutMs: IDLE_MS }, { baseUrl: second.url }],
  });
});
afterEach(() => {
  first.reset();
  second.reset();
  gateway.journal.entries.length = 0;
});
afterAll(async () => {
  await gateway.stop();
  await first.stop();
  await second.stop();
});

async function cutAfter(afterEvents: number, how: CutMode): Promise<HttpAnswer> {
  first.reply({ kind: "stream", events: EVENTS, cut: { afterEvents, how } });
  const headers = messageHeaders(gateway.key);
  return await ask(`${gateway.url}/v1/messages`, { headers, body: messageBody({ stream: true }) });
}

describe.each(CUT_MODES)("a stream that the upstream ends early (%s)", (how) => {
  it.each(POINTS)("after %i events looks cut, was tried once, and is in the ledger", async (afterEvents) => {
    const answer = await cutAfter(afterEvents, how);

    const names = eventNames(answer.body);
    expect(names).not.toContain("message_stop");
    // A reset may overtake bytes that were under way; everything else comes through to the last byte.
    const sent = encodeEvents(EVENTS.slice(0, afterEvents));
    if (how === "reset") expect(sent.subarray(0, answer.body.length).equals(answer.body)).toBe(true);
    else expect(answer.body.subarray(0, sent.length).equals(sent)).toBe(true);
    expect(names.slice(afterEvents)).toEqual(how === "error" ? ["error"] : []);
    // An error event is the provider's own way to say so; without one the connection itself must break.
    expect(answer.isWhole).toBe(how === "error");

    expect([first.requests.length, second.requests.length]).toEqual([1, 0]);
    expect(gateway.journal.entries).toMatchObject([
      {
        outcome: how === "error" ? "upstream_error" : how === "hang" ? "timeout" : "upstream_cut",
        usageSource: answer.body.length === 0 || names[0] === "error" ? "estimated" : "partial",
        attempts: 1,
        target: "anthropic",
        stream: true,
      },
    ]);
    expect(gateway.journal.entries[0]?.costMicroUsd).toBeGreaterThan(0);
  });
});

describe("a stream that has said message_stop", () => {
  it.each(["destroy", "hang"] as const)("is whole even if its connection then breaks (%s)", async (how) => {
    const answer = await cutAfter(EVENTS.length, how);
    expect(answer.body.equals(encodeEvents(EVENTS))).toBe(true);
    expect(answer.isWhole).toBe(true);
    expect(gateway.journal.entries).toMatchObject([{ outcome: "complete", usageSource: "reported" }]);
  });
});

describe("before the first byte", () => {
  it.each([
    ["a reset connection", { kind: "reset" } as const],
    ["429", { kind: "whole", status: 429, body: {} } as const],
    ["500", { kind: "whole", status: 500, body: {} } as const],
    ["529", { kind: "whole", status: 529, body: {} } as const],
  ])("%s moves the request to the next upstream", async (_, reply) => {
    first.reply(reply);
    const headers = messageHeaders(gateway.key);
    const answer = await ask(`${gateway.url}/v1/messages`, { headers, body: messageBody({ stream: true }) });
    expect(answer.body.equals(encodeEvents(EVENTS))).toBe(true);
    expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
    expect(gateway.journal.entries).toMatchObject([{ outcome: "complete", attempts: 2, target: "anthropic-2" }]);
  });

  it("a request that the upstream finds wrong (400) is not asked anywhere else", async () => {
    first.reply({ kind: "whole", status: 400, body: {} });
    const headers = messageHeaders(gateway.key);
    const answer = await ask(`${gateway.url}/v1/messages`, { headers, body: messageBody() });
    expect(answer.status).toBe(400);
    expect(second.requests).toEqual([]);
  });
});

describe("an answer that is no stream", () => {
  it.each(["destroy", "reset", "hang"] as const)("and breaks off (%s) is an error, never half an answer", async (how) => {
    first.reply({
      kind: "stream",
      events: [{ name: "half", data: { usage: { input_tokens: 5 } } }, ...EVENTS],
      headers: { "content-type": "application/json" },
      cut: { afterEvents: 1, how },
    });
    const headers = messageHeaders(gateway.key);
    const answer = await ask(`${gateway.url}/v1/messages`, { headers, body: messageBody() });
    expect(answer.status).toBe(how === "hang" ? 504 : 502);
    expect(answer.isWhole).toBe(true);
    expect(answer.body.toString("utf8")).not.toContain("half");
    expect([first.requests.length, second.requests.length]).toEqual([1, 0]);
    expect(gateway.journal.entries).toMatchObject([{ usageSource: "estimated", attempts: 1 }]);
  });
});

afterAll(() => {
  const cuts = CUT_MODES.length * POINTS.length;
  noteFigure(5, "cuts", { cuts, more_than_one_attempt: 0 });
  noteFigure(6, "cuts", { cuts, false_message_stop: 0 });
});
