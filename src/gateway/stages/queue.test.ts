import { request as httpRequest } from "node:http";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { FakeUpstream } from "../../../test/harness/fake-upstream.ts";
import { startTestGateway, type TestGateway } from "../../../test/harness/gateway.ts";
import { ask, jsonOf, type HttpAnswer } from "../../../test/harness/http-answer.ts";
import { messageBody, messageHeaders } from "../../../test/harness/message-request.ts";
import { eventually } from "../../../test/harness/waiting.ts";
import { DEFAULT_OVERLOAD } from "../../routing/settings.ts";

/** One runs, one waits; the rest is refused. */
const ONE_PLACE = {
  ...DEFAULT_OVERLOAD,
  limit: { ...DEFAULT_OVERLOAD.limit, initial: 1, min: 1, max: 1 },
  maxQueued: 1,
};

let upstream: FakeUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await FakeUpstream.start();
  gateway = await startTestGateway({ upstreams: [{ baseUrl: upstream.url }], overload: ONE_PLACE });
});
afterEach(() => upstream.reset());
afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

function post(headers: Record<string, string> = {}): Promise<HttpAnswer> {
  return ask(`${gateway.url}/v1/messages`, { headers: messageHeaders(gateway.key, headers), body: messageBody() });
}

/** An exchange that holds the one place until it is let go. */
async function holdThePlace(): Promise<() => void> {
  const letGo = Promise.withResolvers<void>();
  upstream.reply({ kind: "whole", before: () => letGo.promise });
  const arrived = upstream.nextRequest();
  const answer = post();
  await arrived;
  return () => {
    letGo.resolve();
    void answer;
  };
}

const waiting = (): number => gateway.services.overload.describe().queuedInteractive;

describe("when the process has no room", () => {
  it("a request waits until there is, and is answered as if nothing had been", async () => {
    const letGo = await holdThePlace();
    const second = post();
    await eventually("the second waits", () => waiting() === 1);
    expect(upstream.requests).toHaveLength(1);
    letGo();
    expect((await second).status).toBe(200);
    await eventually("all places are free", () => gateway.services.overload.describe().inFlight === 0);
  });

  it("more than may wait are refused with 529 and when to come back, before their body is read", async () => {
    const letGo = await holdThePlace();
    const second = post();
    await eventually("the second waits", () => waiting() === 1);
    const third = await post();
    expect(third.status).toBe(529);
    expect(Number(third.headers["retry-after"])).toBeGreaterThan(0);
    expect(jsonOf(third)).toMatchObject({ error: { type: "overloaded_error", code: "weir:server:overloaded" } });
    letGo();
    expect((await second).status).toBe(200);
  });

  it("an interactive request takes the place in the queue of one that said it can wait", async () => {
    const letGo = await holdThePlace();
    const patient = post({ "x-weir-urgency": "batch" });
    await eventually("the patient one waits", () => gateway.services.overload.describe().queuedBatch === 1);
    const person = post();
    expect((await patient).status).toBe(529);
    letGo();
    expect((await person).status).toBe(200);
  });

  it("a client that leaves the queue leaves no trace: nothing is asked for it, nothing charged", async () => {
    const letGo = await holdThePlace();
    const entriesBefore = gateway.journal.entries.length;
    const leaving = httpRequest(`${gateway.url}/v1/messages`, { method: "POST", headers: messageHeaders(gateway.key) });
    leaving.on("error", () => {}).end(JSON.stringify(messageBody()));
    await eventually("it waits", () => waiting() === 1);
    leaving.destroy();
    await eventually("it waits no more", () => waiting() === 0);
    letGo();
    await eventually("all places are free", () => gateway.services.overload.describe().inFlight === 0);
    expect(upstream.requests).toHaveLength(1);
    expect(gateway.journal.entries).toHaveLength(entriesBefore + 1);
  });
});

describe("a key that asks for more than its own limits allow", () => {
  it("is told so with a 429, and takes no place from others while it waits for itself", async () => {
    const own = { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: 1 };
    const weir = await startTestGateway({
      upstreams: [{ baseUrl: upstream.url }],
      key: { limits: own },
      snapshot: { queue: { size: 3, timeoutMs: 60_000 } },
      // Room for two, and nobody may wait.
      overload: { ...ONE_PLACE, limit: { ...ONE_PLACE.limit, initial: 2, min: 2, max: 2 }, maxQueued: 0 },
    });
    const letGo = Promise.withResolvers<void>();
    upstream.otherwise({ kind: "whole", before: () => letGo.promise });
    const headers = messageHeaders(weir.key);
    const answers = Array.from({ length: 50 }, () => ask(`${weir.url}/v1/messages`, { headers, body: messageBody() }));
    await eventually("three wait for the first", () => weir.services.rate.gate.queued === 3);
    expect(weir.services.overload.describe()).toMatchObject({ inFlight: 1, queuedInteractive: 0 });
    letGo.resolve();
    const all = await Promise.all(answers);
    await weir.stop();

    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200, 429]));
    const refused = all.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    for (const { headers: got } of refused) expect(got["retry-after"]).toBe("1");
  });
});
