import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { FakeUpstream } from "../../../test/harness/fake-upstream.ts";
import { startTestGateway, type TestGateway, type TestGatewayOptions } from "../../../test/harness/gateway.ts";
import { ask, jsonOf } from "../../../test/harness/http-answer.ts";
import { messageBody, messageHeaders } from "../../../test/harness/message-request.ts";
import { AddressList } from "../../core/address-list.ts";
import type { Snapshot } from "../snapshot.ts";

let upstream: FakeUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await FakeUpstream.start();
});

afterAll(async () => {
  await upstream.stop();
});

afterEach(async () => {
  await gateway.stop();
  upstream.reset();
});

async function start(options: Partial<TestGatewayOptions> = {}): Promise<void> {
  gateway = await startTestGateway({ upstreams: [{ baseUrl: upstream.url }], ...options });
}

function access(given: { allow?: string[]; deny?: string[]; trustedProxies?: string[] }): Partial<Snapshot> {
  const { allow = [], deny = [], trustedProxies = [] } = given;
  const list = (entries: string[]): AddressList => new AddressList(entries);
  return { access: { allow: list(allow), deny: list(deny), trustedProxies: list(trustedProxies) } };
}

/** The code of the refusal, or the status of the answer. */
async function outcome(headers: Record<string, string> = {}, path = "/v1/messages"): Promise<string | number> {
  const answer = await ask(`${gateway.url}${path}`, {
    headers: messageHeaders(gateway.key, headers),
    body: messageBody(),
  });
  const { error } = jsonOf(answer) as { error?: { code: string } }; // every answer here is JSON
  return error?.code ?? answer.status;
}

describe("the allow and deny lists", () => {
  it.each([
    [{ allow: ["127.0.0.0/8"] }, 200],
    [{ allow: ["10.0.0.0/8"] }, "weir:access:address"],
    [{ deny: ["10.0.0.0/8"] }, 200],
    [{ deny: ["127.0.0.1"] }, "weir:access:address"],
    [{ allow: ["127.0.0.0/8"], deny: ["127.0.0.1"] }, "weir:access:address"],
    [{}, 200],
  ])("%j: %s for a caller on loopback", async (lists, expected) => {
    await start({ snapshot: access(lists) });

    expect(await outcome()).toBe(expected);
  });

  it("do not keep anybody from seeing that Weir is well", async () => {
    await start({ snapshot: access({ deny: ["127.0.0.1"] }) });

    expect((await ask(`${gateway.url}/healthz`)).status).toBe(200);
    expect((await ask(`${gateway.url}/api/hello`, { method: "HEAD" })).status).toBe(403);
  });
});

describe("X-Forwarded-For", () => {
  const lists = { allow: ["192.0.2.0/24"] };

  it("is believed from a trusted proxy", async () => {
    await start({ snapshot: access({ ...lists, trustedProxies: ["127.0.0.1"] }) });

    expect(await outcome({ "x-forwarded-for": "192.0.2.7" })).toBe(200);
    expect(await outcome({ "x-forwarded-for": "192.0.2.7, 203.0.113.9" })).toBe("weir:access:address");
    expect(await outcome({ "x-forwarded-for": "203.0.113.9, 192.0.2.7" })).toBe(200);
    expect(await outcome()).toBe("weir:access:address");
  });

  it("that holds no address passes no deny list", async () => {
    await start({ snapshot: access({ deny: ["10.0.0.0/8"], trustedProxies: ["127.0.0.1"] }) });

    expect(await outcome({ "x-forwarded-for": "192.0.2.7" })).toBe(200);
    expect(await outcome({ "x-forwarded-for": "not-an-address" })).toBe("weir:access:address");
  });

  it("is not believed from anybody else", async () => {
    await start({ snapshot: access(lists) });

    expect(await outcome({ "x-forwarded-for": "192.0.2.7" })).toBe("weir:access:address");
  });

  it("decides where a key that is bound to addresses is used from", async () => {
    const scopes = { models: [], endpoints: [], addresses: ["192.0.2.7"] };
    await start({ key: { scopes }, snapshot: access({ trustedProxies: ["127.0.0.1"] }) });

    expect(await outcome({ "x-forwarded-for": "192.0.2.7" })).toBe(200);
    expect(await outcome({ "x-forwarded-for": "192.0.2.8" })).toBe("weir:access:address");
  });
});

describe("draining", () => {
  it("refuses new work, says when to come again, and goes on answering health", async () => {
    await start();
    gateway.setDraining(true);
    const answer = await ask(`${gateway.url}/v1/messages`, {
      headers: messageHeaders(gateway.key),
      body: messageBody(),
    });

    expect(answer.status).toBe(503);
    expect(answer.headers["retry-after"]).toBe("1");
    expect(jsonOf(answer)).toMatchObject({ error: { type: "overloaded_error", code: "weir:server:draining" } });
    expect(upstream.requests).toEqual([]);
    for (const path of ["/healthz", "/readyz", "/health", "/"]) {
      expect([path, (await ask(gateway.url + path)).status]).toEqual([path, 200]);
    }
  });
});

describe("a URL", () => {
  it("may be as long as the limit, and no longer", async () => {
    await start({ snapshot: { maxUrlLength: 100 } });
    const path = (length: number): string => "/v1/messages?".padEnd(length, "x");

    expect(await outcome({}, path(100))).toBe(200);
    expect(await outcome({}, path(101))).toBe("weir:request:url_too_long");
  });
});
