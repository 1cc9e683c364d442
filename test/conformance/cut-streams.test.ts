/** Promises 5 and 6: a stream that is cut looks cut, and nothing is tried again once a byte has been relayed. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { CUT_MODES, FakeUpstream, type CutMode, type Reply, type SeenRequest } from "../harness/fake-upstream.ts";
import { noteFigure } from "../harness/figures.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { ask, type HttpAnswer } from "../harness/http-answer.ts";
import { encodeEvents, eventNames, messageEvents } from "../harness/message-events.ts";
import { messageBody, messageHeaders } from "../harness/message-request.ts";

const EVENTS = messageEvents();
/** After the first event, which is what counts as begun, and before the last: after message_stop a stream is whole. */
const POINTS = EVENTS.map((_, index) => index).slice(1);
/** How long the gateway waits in silence. */
const IDLE_MS = 150;

let first: FakeUpstream;
let second: FakeUpstream;
let gateway: TestGateway;
/** Has the first upstream alone. */
let lonely: TestGateway;

beforeAll(async () => {
  first = await FakeUpstream.start();
  second = await FakeUpstream.start();
  gateway = await startTestGateway({
    upstreams: [{ baseUrl: first.url, idleTimeoutMs: IDLE_MS }, { baseUrl: second.url }],
  });
  lonely = await startTestGateway({ upstreams: [{ baseUrl: first.url, idleTimeoutMs: IDLE_MS }] });
});
afterEach(() => {
  first.reset();
  second.reset();
  gateway.journal.entries.length = 0;
  lonely.journal.entries.length = 0;
});
afterAll(async () => {
  await gateway.stop();
  await lonely.stop();
  await first.stop();
  await second.stop();
});

/** Asks for a stream that is cut; the session in the ledger tells which one it was. */
async function cutAfter(afterEvents: number, how: CutMode): Promise<HttpAnswer> {
  const session = `${how} ${afterEvents}`;
  const headers = messageHeaders(gateway.key, { "x-claude-code-session-id": session });
  return await ask(`${gateway.url}/v1/messages`, { headers, body: messageBody({ stream: true }) });
}

/** Cuts as the session says. */
function cutAsAsked(request: SeenRequest): Reply {
  const [how, afterEvents] = String(request.headers["x-claude-code-session-id"]).split(" ");
  const mode = CUT_MODES.find((known) => known === how) ?? "destroy";
  return { kind: "stream", events: EVENTS, cut: { afterEvents: Number(afterEvents), how: mode } };
}

/** What a client got, in the terms of the promise. */
function described(answer: HttpAnswer, afterEvents: number): Record<string, unknown> {
  const names = eventNames(answer.body);
  const sent = encodeEvents(EVENTS.slice(0, afterEvents));
  return {
    afterEvents,
    isPrefix: sent.subarray(0, answer.body.length).equals(answer.body.subarray(0, sent.length)),
    relayed: Math.min(answer.body.length, sent.length) === sent.length ? "all" : "less",
    after: names.slice(afterEvents),
    stops: names.filter((name) => name === "message_stop").length,
    isWhole: answer.isWhole,
  };
}

describe.each(CUT_MODES)("a stream that the upstream ends early (%s), at every event", (how) => {
  const OUTCOMES = { error: "upstream_error", hang: "timeout" } as const;
  const outcome = how === "error" || how === "hang" ? OUTCOMES[how] : "upstream_cut";

  it("looks cut, was tried once, and is in the ledger", async () => {
    first.otherwise(cutAsAsked);
    const answers = await Promise.all(POINTS.map((afterEvents) => cutAfter(afterEvents, how)));

    expect(answers.map((answer, index) => described(answer, POINTS[index]!))).toEqual(
      POINTS.map((afterEvents) => ({
        afterEvents,
        isPrefix: true,
        // A reset may overtake bytes that were under way; everything else comes through to the last byte.
        relayed: how === "reset" ? expect.any(String) : "all",
        after: how === "error" ? ["error"] : [],
        stops: 0,
        // An error event is the provider's own way to say so; without one the connection itself must break.
        isWhole: how === "error",
      })),
    );
    expect([first.requests.length, second.requests.length]).toEqual([POINTS.length, 0]);

    const entries = gateway.journal.entries.toSorted((a, b) => a.sessionId!.localeCompare(b.sessionId!));
    expect(entries).toMatchObject(
      POINTS.map((afterEvents) => ({
        sessionId: `${how} ${afterEvents}`,
        outcome,
        usageSource: how === "reset" ? expect.any(String) : "partial",
        attempts: 1,
        target: "anthropic",
        costMicroUsd: expect.toSatisfy((cost: number) => cost > 0),
      })),
    );
    noteFigure(5, `cut: ${how}`, { cuts: POINTS.length, second_attempts: second.requests.length });
    noteFigure(6, `cut: ${how}`, { cuts: POINTS.length, false_message_stop: 0 });
  });
});

describe("a stream that has said message_stop", () => {
  it.each(["destroy", "hang"] as const)("is whole even if its connection then breaks (%s)", async (how) => {
    first.otherwise(cutAsAsked);
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

  it.each(CUT_MODES)(
    "a stream that ends before its first event (%s) has not begun: the next upstream answers",
    async (how) => {
      first.reply({ kind: "stream", events: EVENTS, cut: { afterEvents: 0, how } });
      const headers = messageHeaders(gateway.key);
      const answer = await ask(`${gateway.url}/v1/messages`, { headers, body: messageBody({ stream: true }) });
      expect(answer.body.equals(encodeEvents(EVENTS))).toBe(true);
      expect(gateway.journal.entries).toMatchObject([{ outcome: "complete", attempts: 2, target: "anthropic-2" }]);
    },
  );

  it("an error as the first event reaches the client where there is no other upstream", async () => {
    first.reply({ kind: "stream", events: EVENTS, cut: { afterEvents: 0, how: "error" } });
    const headers = messageHeaders(lonely.key);
    const answer = await ask(`${lonely.url}/v1/messages`, { headers, body: messageBody({ stream: true }) });
    expect(eventNames(answer.body)).toEqual(["error"]);
    expect(lonely.journal.entries).toMatchObject([{ outcome: "upstream_error", attempts: 1 }]);
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
  const broken = (how: "destroy" | "reset" | "hang"): Reply => ({
    kind: "stream",
    events: [{ name: "half", data: { usage: { input_tokens: 5 } } }, ...EVENTS],
    headers: { "content-type": "application/json" },
    cut: { afterEvents: 1, how },
  });

  it.each(["destroy", "reset", "hang"] as const)(
    "and breaks off (%s) is an error where nobody else can answer, never half an answer",
    async (how) => {
      first.reply(broken(how));
      const headers = messageHeaders(lonely.key);
      const answer = await ask(`${lonely.url}/v1/messages`, { headers, body: messageBody() });
      expect(answer.status).toBe(how === "hang" ? 504 : 502);
      expect(answer.isWhole).toBe(true);
      expect(answer.body.toString("utf8")).not.toContain("half");
      expect(first.requests).toHaveLength(1);
      expect(lonely.journal.entries).toMatchObject([{ usageSource: "estimated", attempts: 1 }]);
    },
  );

  it.each(["destroy", "reset", "hang"] as const)(
    "and breaks off (%s) is given by the next upstream: nothing of it had gone out",
    async (how) => {
      first.reply(broken(how));
      const headers = messageHeaders(gateway.key);
      const answer = await ask(`${gateway.url}/v1/messages`, { headers, body: messageBody() });
      expect(answer.status).toBe(200);
      expect(answer.body.toString("utf8")).not.toContain("half");
      expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
      expect(gateway.journal.entries).toMatchObject([{ outcome: "complete", attempts: 2, target: "anthropic-2" }]);
    },
  );
});
