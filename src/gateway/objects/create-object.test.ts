import { describe, expect, it, vi } from "vitest";

import type { ConfiguredModel } from "../../routing/route-table.ts";
import { StoreError } from "../../store/ports/store-error.ts";
import { batchMeterOf } from "./batch-meter.ts";
import { BatchSettler } from "./batch-settler.ts";
import { answered } from "./testing/fake-object-upstream.ts";
import { batchRequest, MODEL, startObjectsGateway } from "./testing/objects-gateway.ts";

const BATCHES = "/v1/messages/batches";

describe("creating a batch", () => {
  it("passes body, query and headers on, with Weir's credential in place of the caller's", async () => {
    const { call, upstream, keys } = await startObjectsGateway();
    const body = `{ "requests": [ ${JSON.stringify(batchRequest("a"))} ], "more": "é" }`;
    const answer = await call("ada", "POST", `/any/prefix${BATCHES}?beta=true`, {
      body,
      headers: {
        "content-type": "application/json",
        "anthropic-beta": "some-beta",
        "anthropic-workspace-id": "wrkspc_1",
        authorization: `Bearer ${keys.ada}`,
        cookie: "secret=1",
      },
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ id: "msgbatch_1", processing_status: "in_progress" });
    const [seen] = upstream.requests;
    expect(seen).toMatchObject({ method: "POST", url: `${BATCHES}?beta=true` });
    expect(seen?.body.toString()).toBe(body);
    expect(seen?.headers).toMatchObject({
      "x-api-key": "sk-upstream-credential",
      "anthropic-beta": "some-beta",
      "anthropic-workspace-id": "wrkspc_1",
      "anthropic-version": "2023-06-01",
      "content-type": "application/json",
    });
    expect(seen?.headers).not.toHaveProperty("authorization");
    expect(seen?.headers).not.toHaveProperty("cookie");
    expect(answer.headers.get("x-weir-upstream")).toBe("anthropic");
    expect(answer.headers.get("request-id")).toMatch(/^req_/);
    expect(answer.headers.has("anthropic-ratelimit-requests-remaining")).toBe(false);
  });

  it("writes models under the names that they have upstream, and nothing else", async () => {
    const models = [
      { id: "our-opus", label: null, description: null, upstreamModel: { anthropic: "claude-opus-5-5" } },
    ];
    const { upstream, makeBatch } = await startObjectsGateway({ models });
    await makeBatch("ada", [
      batchRequest("a", { model: "our-opus" }),
      batchRequest("b"),
      batchRequest("c", { model: "our-opus" }),
    ]);
    const sent = JSON.parse(upstream.requests[0]?.body.toString() ?? "") as {
      requests: { params: { model: string } }[];
    };
    expect(sent.requests.map(({ params }) => params.model)).toEqual(["claude-opus-5-5", MODEL, "claude-opus-5-5"]);
  });

  it("goes to the first upstream that serves every model in it", async () => {
    const upstreams = [
      { baseUrl: "http://127.0.0.1:9", name: "first" },
      { baseUrl: "http://127.0.0.1:9", name: "second" },
    ];
    const models: ConfiguredModel[] = [
      { id: "only-second", label: null, description: null, upstreamModel: { second: "x" } },
      { id: "only-first", label: null, description: null, upstreamModel: { first: "y" } },
    ];
    const { call } = await startObjectsGateway({ upstreams, models });
    const requests = [batchRequest("a"), batchRequest("b", { model: "only-second" })];
    const failed = await call("ada", "POST", BATCHES, { json: { requests } });
    expect(failed.status).toBe(502);
    expect(await failed.text()).toContain("second did not answer");
    const divided = await call("ada", "POST", BATCHES, {
      json: { requests: [...requests, batchRequest("c", { model: "only-first" })] },
    });
    expect(divided.status).toBe(400);
    expect(await divided.text()).toMatch(/no single upstream that takes batches serves all of/);
  });

  it.each<[string, unknown, number, RegExp]>([
    ["JSON that is none", "{", 400, /not valid JSON/],
    ["an empty list", { requests: [] }, 400, /at least one/],
    ["a repeated custom_id", { requests: [batchRequest("a"), batchRequest("a")] }, 400, /appears twice/],
    ["an unknown model", { requests: [batchRequest("a", { model: "gpt-9" })] }, 404, /model: gpt-9/],
    ["no max_tokens", { requests: [batchRequest("a", { max_tokens: null })] }, 400, /requests\.0\.params: max_tokens/],
    [
      "a file of somebody else",
      {
        requests: [
          batchRequest("a", {
            messages: [{ role: "user", content: [{ type: "document", source: { type: "file", file_id: "file_x" } }] }],
          }),
        ],
      },
      404,
      /File not found: file_x/,
    ],
  ])("refuses %s before the upstream hears of it", async (_, body, status, message) => {
    const { call, upstream } = await startObjectsGateway();
    const answer = await call("ada", "POST", BATCHES, typeof body === "string" ? { body } : { json: body });
    expect(answer.status).toBe(status);
    expect(await answer.text()).toMatch(message);
    expect(upstream.requests).toEqual([]);
  });

  it("refuses bodies of other types, too large ones, and compressed ones that are not what they say", async () => {
    const { call, upstream } = await startObjectsGateway({ snapshot: { maxRequestBytes: 1_000 } });
    const type = { "content-type": "text/plain" };
    expect((await call("ada", "POST", BATCHES, { body: "{}", headers: type })).status).toBe(415);
    expect((await call("ada", "POST", BATCHES, { body: "x".repeat(1_001) })).status).toBe(413);
    const gzip = { "content-encoding": "gzip" };
    expect((await call("ada", "POST", BATCHES, { body: "{}", headers: gzip })).status).toBe(400);
    expect(upstream.requests).toEqual([]);
  });

  it("is within a key's scopes: the endpoint, and every model in the batch", async () => {
    const haiku = await startObjectsGateway({ scopes: { models: ["claude-haiku-*"] } });
    const mixed = [batchRequest("a", { model: "claude-haiku-4-5" }), batchRequest("b")];
    const refused = await haiku.call("ada", "POST", BATCHES, { json: { requests: mixed } });
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain(MODEL);
    await haiku.makeBatch("ada", mixed.slice(0, 1));

    const filesOnly = await startObjectsGateway({ scopes: { endpoints: ["files"] } });
    for (const path of [BATCHES, `${BATCHES}/msgbatch_1`, `${BATCHES}/msgbatch_1/results`]) {
      expect((await filesOnly.call("ada", "GET", path)).status).toBe(403);
    }
    await filesOnly.makeFile("ada");
    const batchesOnly = await startObjectsGateway({ scopes: { endpoints: ["batches"] } });
    expect((await batchesOnly.call("ada", "POST", "/v1/files", { body: "x" })).status).toBe(403);
    const elsewhere = await startObjectsGateway({ scopes: { addresses: ["10.0.0.0/8"] } });
    expect((await elsewhere.call("ada", "GET", "/v1/files")).status).toBe(403);
    for (const { upstream } of [filesOnly, batchesOnly, elsewhere]) {
      expect(upstream.seen("GET", BATCHES)).toEqual([]);
    }
  });

  it("counts as one request a minute, however many are in it", async () => {
    const unlimited = { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null };
    const { call } = await startObjectsGateway({
      limits: {
        defaults: {
          key: { ...unlimited, requestsPerMinute: 2 },
          user: unlimited,
          team: unlimited,
          organization: unlimited,
        },
        named: { key: {}, user: {}, team: {}, organization: {} },
      },
    });
    const requests = Array.from({ length: 10 }, (_, index) => batchRequest(String(index)));
    const statuses: number[] = [];
    for (let at = 0; at < 3; at++) statuses.push((await call("ada", "POST", BATCHES, { json: { requests } })).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  it("is refused by the status of the upstream, word for word, and then owned by nobody", async () => {
    const { call, upstream, store } = await startObjectsGateway();
    const error = '{"type":"error",  "error":{"type":"invalid_request_error","message":"its own words"}}';
    upstream.override = (_request, response) => {
      response.writeHead(400, { "content-type": "application/json", "x-secret": "1" }).end(error);
      return true;
    };
    const answer = await call("ada", "POST", BATCHES, { json: { requests: [batchRequest("a")] } });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toBe(error);
    expect(answer.headers.has("x-secret")).toBe(false);
    expect(await store.unsettledBatches(10)).toEqual([]);
  });

  it.each<[number, Record<string, string>]>([
    [401, {}],
    [307, { location: "http://127.0.0.1:1/" }],
  ])("takes status %s of the upstream for the upstream's fault", async (status, headers) => {
    const { call, upstream } = await startObjectsGateway();
    upstream.override = (_request, response) => {
      response.writeHead(status, headers).end("sk-secret");
      return true;
    };
    const answer = await call("ada", "POST", BATCHES, { json: { requests: [batchRequest("a")] } });
    expect(answer.status).toBe(502);
    expect(await answer.text()).not.toContain("sk-secret");
  });

  it.each(["not json", "{}", '{"id":7}', '{"id":"../x"}', "[]"])(
    "does not release an answer without an id: %s",
    async (body) => {
      const { call, upstream } = await startObjectsGateway();
      upstream.override = (_request, response) => {
        response.end(body);
        return true;
      };
      expect((await call("ada", "POST", BATCHES, { json: { requests: [batchRequest("a")] } })).status).toBe(502);
    },
  );

  it("is refused while usage cannot be recorded", async () => {
    const { gateway, call, upstream } = await startObjectsGateway();
    gateway.journal.state = "disk_full";
    const answer = await call("ada", "POST", BATCHES, { json: { requests: [batchRequest("a")] } });
    expect(answer.status).toBe(503);
    expect(upstream.requests).toEqual([]);
  });

  it("is seen through when the client goes away, so that what runs is owned and metered", async () => {
    const { call, upstream, store, gateway } = await startObjectsGateway();
    const arrived = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    upstream.override = (request, response) => {
      if (request.method !== "POST") return false;
      upstream.override = null;
      request.resume();
      request.once("end", () => {
        arrived.resolve();
        void goOn.promise.then(() => response.end('{"id":"msgbatch_late","processing_status":"in_progress"}'));
      });
      return true;
    };
    const leaving = new AbortController();
    const gone = call("ada", "POST", BATCHES, { json: { requests: [batchRequest("a")] }, signal: leaving.signal });
    await arrived.promise;
    leaving.abort();
    await expect(gone).rejects.toThrow();
    // By the second answer after it, the gateway has seen the connection close.
    for (let at = 0; at < 2; at++) await fetch(`${gateway.url}/healthz`);
    goOn.resolve();
    await vi.waitFor(async () => expect(await store.get("batch", "msgbatch_late")).toMatchObject({ userId: "usr_1" }));
    await vi.waitFor(() => expect(gateway.server.inProgress).toBe(0));
    gateway.services.accessLog.flush();
    expect(gateway.accessLines.join("")).toContain('"status":499,"outcome":"client_gone"');
  });
});

describe("a budget", () => {
  const budget = (limitMicroUsd: number, scope: "organization" | "key" = "organization") =>
    ({
      id: "bud_1",
      organizationId: "org_1",
      scope,
      subjectId: scope === "key" ? "key_1" : "org_1",
      window: "day",
      limitMicroUsd,
      enforcement: "hard",
    }) as const;
  // 10 x 10,000 output tokens at 10 dollars a million, at half price: half a dollar and a little for the input.
  const requests = Array.from({ length: 10 }, (_, index) => batchRequest(String(index), { max_tokens: 10_000 }));

  it.each(["organization", "key"] as const)(
    "of the %s without room for a batch at half price refuses it",
    async (scope) => {
      const small = await startObjectsGateway({ budgets: [budget(500_000, scope)], reserve: "worst_case" });
      const refused = await small.call("ada", "POST", BATCHES, { json: { requests } });
      expect(refused.status).toBe(429);
      expect(await refused.json()).toMatchObject({ error: { type: "billing_error", message: /^spend limit reached/ } });
      expect(refused.headers.get("x-should-retry")).toBe("false");
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(small.upstream.requests).toEqual([]);
    },
  );

  it("with room lets it pass, says how full it is, and keeps nothing reserved", async () => {
    const { call, gateway } = await startObjectsGateway({ budgets: [budget(510_000)], reserve: "worst_case" });
    for (let at = 0; at < 3; at++) {
      const answer = await call("ada", "POST", BATCHES, { json: { requests } });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("anthropic-ratelimit-unified-status")).toBe("allowed");
    }
    const path = [{ scope: "organization", id: "org_1" }] as const;
    const [standing] = gateway.services.budgets.standings(path, "UTC", gateway.services.clock.nowMs());
    expect(standing?.counter).toMatchObject({ spent: 0, reserved: 0, exposure: 0 });
  });
});

describe("an owner that cannot be recorded", () => {
  it("after one failure is recorded at the second try", async () => {
    const { store, makeBatch, call } = await startObjectsGateway();
    vi.spyOn(store, "add").mockRejectedValueOnce(new StoreError("unavailable", "the connection was lost"));
    const id = await makeBatch("ada");
    expect((await call("ada", "GET", `${BATCHES}/${id}`)).status).toBe(200);
  });

  it("means that the batch is cancelled, answered with 503, and metered all the same", async () => {
    const { store, call, upstream, gateway } = await startObjectsGateway();
    vi.spyOn(store, "add").mockRejectedValue(new StoreError("unavailable", "the database is away"));
    const answer = await call("ada", "POST", `${BATCHES}?beta=true`, {
      json: { requests: [batchRequest("a")] },
      headers: { "anthropic-workspace-id": "wrkspc_1" },
    });
    expect(answer.status).toBe(503);
    expect(await answer.text()).toMatch(/so it has been cancelled; try again/);
    const [cancel] = upstream.seen("POST", `${BATCHES}/msgbatch_1/cancel`);
    expect(cancel?.headers).toMatchObject({
      "anthropic-workspace-id": "wrkspc_1",
      "x-api-key": "sk-upstream-credential",
    });
    upstream.end("msgbatch_1", [answered("a", MODEL, { input_tokens: 1_000, output_tokens: 0 })]);
    const meter = batchMeterOf(gateway.services);
    const [orphan] = meter.orphans;
    expect(orphan).toMatchObject({ id: "msgbatch_1", userId: "usr_1" });
    if (orphan !== undefined) expect(await meter.settle(orphan)).toBe("settled");
    expect(gateway.journal.entries.map(({ userId, costMicroUsd }) => [userId, costMicroUsd])).toEqual([
      ["usr_1", 1_000],
    ]);
    expect(meter.orphans).toEqual([]);
  });

  it("means that the file is deleted, and 503 also when even that fails", async () => {
    const { store, call, upstream } = await startObjectsGateway();
    vi.spyOn(store, "add").mockRejectedValue(new StoreError("unavailable", "the database is away"));
    expect((await call("ada", "POST", "/v1/files", { body: "text" })).status).toBe(503);
    expect(upstream.files.size).toBe(0);
    upstream.override = (request, response) => {
      if (request.method === "DELETE") response.writeHead(500).end();
      return request.method === "DELETE";
    };
    expect((await call("ada", "POST", "/v1/files", { body: "text" })).status).toBe(503);
  });

  it("although it was recorded after all does not make a batch cost twice", async () => {
    const { store, call, upstream, gateway } = await startObjectsGateway();
    const add = store.add.bind(store);
    vi.spyOn(store, "add").mockImplementation(async (object) => {
      await add(object);
      throw new StoreError("unavailable", "the answer was lost");
    });
    expect((await call("ada", "POST", BATCHES, { json: { requests: [batchRequest("a")] } })).status).toBe(503);
    upstream.end("msgbatch_1", [answered("a", MODEL, { input_tokens: 1_000, output_tokens: 0 })]);
    const settler = new BatchSettler(gateway.services, { ledger: null });
    for (let at = 0; at < 3; at++) await settler.sweep();
    expect(gateway.journal.entries).toHaveLength(1);
    expect(await store.unsettledBatches(1)).toEqual([]);
  });

  it("because the id is another's leaves that other's object alone", async () => {
    const { call, upstream, makeFile } = await startObjectsGateway();
    const file = await makeFile("bob");
    upstream.override = (request, response) => {
      if (request.method !== "POST") return false;
      request.resume();
      request.once("end", () => response.end(JSON.stringify({ id: file })));
      return true;
    };
    expect((await call("eve", "POST", "/v1/files", { body: "text" })).status).toBe(502);
    expect(upstream.files.has(file)).toBe(true);
    expect((await call("bob", "GET", `/v1/files/${file}`)).status).toBe(200);
  });
});
