import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { startTestGateway, type TestGateway, type TestGatewayOptions } from "../../../test/harness/gateway.ts";
import { ask, jsonOf } from "../../../test/harness/http-answer.ts";
import { messageHeaders } from "../../../test/harness/message-request.ts";
import { BUILTIN_MODELS } from "../../message/models.ts";

const ALL = BUILTIN_MODELS.map((model) => model.id);
const NOWHERE = [{ baseUrl: "http://127.0.0.1:9" }];

interface Page {
  readonly data: readonly { readonly id: string; readonly display_name: string; readonly description?: string }[];
  readonly has_more: boolean;
  readonly first_id: string | null;
  readonly last_id: string | null;
}

async function get(gateway: TestGateway, query: string): Promise<{ status: number; document: unknown }> {
  const answer = await ask(`${gateway.url}/v1/models${query}`, { headers: messageHeaders(gateway.key) });
  return { status: answer.status, document: jsonOf(answer) };
}

async function page(gateway: TestGateway, query: string): Promise<Page> {
  const { status, document } = await get(gateway, query);
  expect(status).toBe(200);
  return document as Page; // the status says so
}

async function ids(gateway: TestGateway, query = "?limit=1000"): Promise<string[]> {
  return (await page(gateway, query)).data.map((model) => model.id);
}

describe("GET /v1/models", () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startTestGateway({ upstreams: NOWHERE });
  });

  afterAll(async () => {
    await gateway.stop();
  });

  it("lists every model in the Models API's shape", async () => {
    const { data, ...rest } = await page(gateway, "?limit=1000");

    expect(data.map((model) => model.id)).toEqual(ALL);
    expect(data[0]).toEqual({
      type: "model",
      id: ALL[0],
      display_name: BUILTIN_MODELS[0]?.label,
      created_at: "2026-01-01T00:00:00Z",
      object: "model",
      created: 1_767_225_600,
      owned_by: "anthropic",
    });
    expect(rest).toEqual({ object: "list", has_more: false, first_id: ALL[0], last_id: ALL.at(-1) });
  });

  it.each([1, 3, 7, ALL.length, 1_000])("gives every model once when read forwards by pages of %d", async (limit) => {
    const read: string[] = [];
    let query = `?limit=${limit}`;
    for (;;) {
      const { data, has_more, last_id } = await page(gateway, query);
      read.push(...data.map((model) => model.id));
      if (!has_more) break;
      query = `?limit=${limit}&after_id=${last_id}`;
    }

    expect(read).toEqual(ALL);
  });

  it.each([1, 3, 7])("gives every model once when read backwards by pages of %d", async (limit) => {
    const read: string[] = [ALL.at(-1)!];
    for (;;) {
      const { data, has_more, first_id } = await page(gateway, `?limit=${limit}&before_id=${read[0]}`);
      read.unshift(...data.map((model) => model.id));
      if (!has_more) break;
      expect(first_id).toBe(read[0]);
    }

    expect(read).toEqual(ALL);
  });

  it("ends in an empty page", async () => {
    expect(await page(gateway, `?after_id=${ALL.at(-1)}`)).toEqual({
      object: "list",
      data: [],
      has_more: false,
      first_id: null,
      last_id: null,
    });
    expect(await page(gateway, `?before_id=${ALL[0]}`)).toMatchObject({ data: [], has_more: false });
  });

  it.each(["?after_id=nobody", "?before_id=nobody", "?limit=0", "?limit=1001", "?limit=x", "?limit=1.5", "?limit=-1"])(
    "refuses %s",
    async (query) => {
      const { status, document } = await get(gateway, query);

      expect(status).toBe(400);
      expect(document).toMatchObject({ error: { code: "weir:request:invalid_field" } });
    },
  );

  it("gives one model by its id", async () => {
    expect((await get(gateway, "/claude-opus-5")).document).toMatchObject({ type: "model", id: "claude-opus-5" });
    expect((await get(gateway, "/claude%2Dopus-5")).document).toMatchObject({ id: "claude-opus-5" });
  });

  it.each(["/nobody", "/", "/claude-opus-5/x", "/%E0%A4%A", "/%"])("has nothing at %s", async (path) => {
    const { status, document } = await get(gateway, path);

    expect(status).toBe(404);
    expect(document).toMatchObject({ error: { type: "not_found_error" } });
  });
});

describe("what a key sees", () => {
  async function seenWith(options: Partial<TestGatewayOptions>): Promise<string[]> {
    const gateway = await startTestGateway({ upstreams: NOWHERE, ...options });
    try {
      return await ids(gateway);
    } finally {
      await gateway.stop();
    }
  }

  it("is what its scopes allow", async () => {
    const scopes = { models: ["claude-haiku-*", "claude-opus-5"], endpoints: [], addresses: [] };

    expect(await seenWith({ key: { scopes } })).toEqual(["claude-opus-5", "claude-haiku-5-5", "claude-haiku-4-5"]);
  });

  it("includes configured models that some upstream serves, and no others", async () => {
    const served = { id: "house", label: "House", description: "Ours", upstreamModel: { anthropic: "claude-opus-5" } };
    const orphan = { id: "orphan", label: null, description: null, upstreamModel: { elsewhere: "x" } };

    expect((await seenWith({ models: [served, orphan] })).slice(0, 2)).toEqual(["house", ALL[0]]);
  });

  it("is nothing when it may not use the endpoint", async () => {
    const gateway = await startTestGateway({
      upstreams: NOWHERE,
      key: { scopes: { models: [], endpoints: ["messages"], addresses: [] } },
    });
    const { status } = await get(gateway, "");
    await gateway.stop();

    expect(status).toBe(403);
  });

  it("says so where answers are made up", async () => {
    const gateway = await startTestGateway({ upstreams: [{ ...NOWHERE[0]!, provider: "sandbox" }] });
    const { data } = await page(gateway, "");
    await gateway.stop();

    expect(data[0]?.display_name).toBe(`${BUILTIN_MODELS[0]?.label} (sandbox)`);
  });
});

describe("models of the sandbox", () => {
  it.each([
    ["sandbox", "1"],
    ["anthropic", undefined],
  ])("are listed with the header that says so (%s)", async (provider, header) => {
    const gateway = await startTestGateway({ upstreams: [{ baseUrl: "http://127.0.0.1:9", provider }] });
    const headers = messageHeaders(gateway.key);
    const list = await ask(`${gateway.url}/v1/models`, { headers });
    const one = await ask(`${gateway.url}/v1/models/${ALL[0]}`, { headers });
    await gateway.stop();

    expect([list.headers["x-weir-sandbox"], one.headers["x-weir-sandbox"]]).toEqual([header, header]);
  });
});
