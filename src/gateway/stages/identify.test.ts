import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { FakeUpstream } from "../../../test/harness/fake-upstream.ts";
import { startTestGateway, type TestGateway, type TestGatewayOptions } from "../../../test/harness/gateway.ts";
import { ask, jsonOf } from "../../../test/harness/http-answer.ts";
import { messageBody } from "../../../test/harness/message-request.ts";
import { newKeySecret } from "../../identity/key-secret.ts";

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
});

async function start(options: Partial<TestGatewayOptions> = {}): Promise<void> {
  gateway = await startTestGateway({ upstreams: [{ baseUrl: upstream.url }], ...options });
}

async function outcome(headers: Record<string, string>): Promise<string> {
  const answer = await ask(`${gateway.url}/v1/messages`, { headers, body: messageBody() });
  const { error } = jsonOf(answer) as { error?: { code: string } }; // every answer here is JSON
  return error?.code ?? String(answer.status);
}

describe("a credential", () => {
  it("may be an x-api-key or a bearer token", async () => {
    await start();

    expect(await outcome({ "x-api-key": gateway.key })).toBe("200");
    expect(await outcome({ authorization: `Bearer ${gateway.key}` })).toBe("200");
    expect(await outcome({ authorization: `bearer  ${gateway.key}` })).toBe("200");
  });

  it("of Weir's counts beside a foreign one, on either header", async () => {
    await start();
    const foreign = "sk-ant-oat01-someone-elses";

    expect(await outcome({ "x-api-key": gateway.key, authorization: `Bearer ${foreign}` })).toBe("200");
    expect(await outcome({ "x-api-key": foreign, authorization: `Bearer ${gateway.key}` })).toBe("200");
    expect(await outcome({ "x-api-key": gateway.key, authorization: `Bearer ${gateway.key}` })).toBe("200");
    expect(await outcome({ "x-api-key": gateway.key, authorization: "Basic dXNlcjpwYXNz" })).toBe("200");
  });

  it("is missing, malformed or unknown otherwise", async () => {
    await start();

    expect(await outcome({})).toBe("weir:auth:missing");
    expect(await outcome({ authorization: gateway.key })).toBe("weir:auth:missing");
    expect(await outcome({ authorization: "Bearer" })).toBe("weir:auth:missing");
    expect(await outcome({ authorization: `Bearer ${gateway.key} ${gateway.key}` })).toBe("weir:auth:missing");
    expect(await outcome({ "x-api-key": newKeySecret("dev") })).toBe("weir:auth:unknown_key");
    expect(await outcome({ "x-api-key": `${gateway.key}, ${gateway.key}` })).toBe("weir:auth:unknown_key");
    expect(await outcome({ "x-api-key": "" })).not.toBe("200");
  });

  it("is not asked of those who only warm the connection", async () => {
    await start();

    expect((await ask(`${gateway.url}/api/hello`, { method: "HEAD" })).status).toBe(200);
    expect((await ask(`${gateway.url}/v1/models`)).status).toBe(401);
  });
});

describe("with authentication off", () => {
  it("a request without a key runs under the oldest key, with its limits and in its name", async () => {
    await start({ snapshot: { requireKey: false } });

    expect(await outcome({})).toBe("200");
    expect(gateway.journal.entries).toMatchObject([{ keyId: "key_1", userId: "usr_1" }]);
  });

  it("a key that is sent must still be a good one", async () => {
    await start({ snapshot: { requireKey: false } });

    expect(await outcome({ "x-api-key": newKeySecret("dev") })).toBe("weir:auth:unknown_key");
    expect(await outcome({ "x-api-key": gateway.key })).toBe("200");
  });

  it("nothing runs when there is no valid key at all", async () => {
    await start({ snapshot: { requireKey: false }, key: { revokedAtMs: 1 } });

    expect(await outcome({})).toBe("weir:auth:missing");
  });
});
