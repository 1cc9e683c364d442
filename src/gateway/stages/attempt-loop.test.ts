import { request as httpRequest } from "node:http";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { FakeUpstream } from "../../../test/harness/fake-upstream.ts";
import { startTestGateway, UNCOUNTED_ROUTING, type TestGateway } from "../../../test/harness/gateway.ts";
import { ask, jsonOf, type HttpAnswer } from "../../../test/harness/http-answer.ts";
import { messageBody, messageHeaders } from "../../../test/harness/message-request.ts";
import { eventually } from "../../../test/harness/waiting.ts";
import { WeirError } from "../../core/weir-error.ts";
import { DEFAULT_ROUTING } from "../../routing/settings.ts";
import { StaticCredential } from "../../upstream/credentials/static-credential.ts";

/** A credential that has nothing valid to send. */
class SpentCredential extends StaticCredential {
  override headers(): never {
    throw new WeirError("weir:upstream:credential", "The token of first could not be renewed since 12:00.");
  }
}

let first: FakeUpstream;
let second: FakeUpstream;
let gateway: TestGateway;

beforeEach(async () => {
  first = await FakeUpstream.start();
  second = await FakeUpstream.start();
});
afterEach(async () => {
  await gateway.stop();
  await first.stop();
  await second.stop();
});

function post(headers: Record<string, string> = {}): Promise<HttpAnswer> {
  return ask(`${gateway.url}/v1/messages`, { headers: messageHeaders(gateway.key, headers), body: messageBody() });
}

describe("an upstream that cannot be asked", () => {
  it("for want of a valid credential is passed over, and the next one answers", async () => {
    gateway = await startTestGateway({
      upstreams: [{ baseUrl: first.url, credential: new SpentCredential("first", []) }, { baseUrl: second.url }],
    });
    const answer = await post();
    expect(answer.status).toBe(200);
    expect(answer.headers["x-weir-upstream"]).toBe("anthropic-2");
    expect(first.requests).toEqual([]);
  });

  it("for want of a valid credential is the reason that the caller is told when there is no other", async () => {
    gateway = await startTestGateway({
      upstreams: [{ baseUrl: first.url, credential: new SpentCredential("first", []) }],
    });
    const answer = await post();
    expect(answer.status).toBe(502);
    expect(answer.body.toString()).toContain("could not be renewed since 12:00");
  });

  it("because as many requests are open as may be is passed over; when all are full, the caller is told to come back", async () => {
    gateway = await startTestGateway({
      upstreams: [
        { baseUrl: first.url, maxConcurrent: 1 },
        { baseUrl: second.url, maxConcurrent: 1 },
      ],
    });
    const letGo = Promise.withResolvers<void>();
    for (const upstream of [first, second]) upstream.reply({ kind: "whole", before: () => letGo.promise });
    const held = [post(), post()];
    await eventually("both are busy", () => first.requests.length === 1 && second.requests.length === 1);
    const third = await post();
    expect(third.status).toBe(529);
    expect(third.headers["retry-after"]).toBe("1");
    expect(jsonOf(third)).toMatchObject({ error: { type: "overloaded_error", code: "weir:upstream:full" } });
    letGo.resolve();
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200]);
  });
});

describe("a failed attempt", () => {
  it("is repeated at the only upstream, and the answer says which attempt it is", async () => {
    gateway = await startTestGateway({
      upstreams: [{ baseUrl: first.url }],
      routing: { ...UNCOUNTED_ROUTING, retry: { ...DEFAULT_ROUTING.retry, baseDelayMs: 1 } },
    });
    first.reply({ kind: "whole", status: 529, body: {} }, { kind: "reset" });
    const answer = await post();
    expect(answer.status).toBe(200);
    expect(answer.headers["x-weir-route"]).toContain("attempt=3");
    expect(gateway.journal.entries).toMatchObject([{ attempts: 3, outcome: "complete" }]);
    const page = gateway.services.metrics.instruments.map((one) => one.render()).join("");
    expect(page).toContain('weir_retries_total{upstream="anthropic",kind="retry"} 2\n');
  });

  it("is not waited for by a client that leaves during the pause", async () => {
    gateway = await startTestGateway({
      upstreams: [{ baseUrl: first.url }],
      routing: {
        ...UNCOUNTED_ROUTING,
        retry: { ...DEFAULT_ROUTING.retry, maxRetryAfterMs: 60_000, maxDelayMs: 60_000 },
      },
    });
    first.reply({ kind: "whole", status: 529, body: {}, headers: { "retry-after": "30" } });
    const arrived = first.nextRequest();
    const leaving = httpRequest(`${gateway.url}/v1/messages`, { method: "POST", headers: messageHeaders(gateway.key) });
    leaving.on("error", () => {}).end(JSON.stringify(messageBody()));
    await arrived;
    const { router, clock } = gateway.services;
    await eventually(
      "the attempt has failed",
      () => router.describe(clock.monotonicMs(), 0).upstreams[0]?.inFlight === 0,
    );
    leaving.destroy();
    await eventually("its row is there", () => gateway.journal.entries.length === 1);
    expect(gateway.journal.entries).toMatchObject([{ outcome: "client_gone", status: 499 }]);
    expect(first.requests).toHaveLength(1);
  });
});
