/** What clients ask besides messages: embeddings, lists of models, Bedrock's counts of tokens and inference profiles. */
import type OpenAI from "openai";
import { AzureOpenAI, BadRequestError } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { cloudKind, CLOUDS } from "../../harness/clouds/clouds.ts";
import { CloudStack, embeddingsAt, modelAt } from "./cloud-stack.ts";
import { countsTokens } from "./responses-cells.ts";
import { anthropic, openai } from "./sdks.ts";

const WITH_EMBEDDINGS = ["openai", "azure-openai", "azure-openai-deployments"].map(cloudKind);
const WITHOUT = CLOUDS.filter(({ speaksMessages }) => speaksMessages);

let stack: CloudStack;
beforeAll(async () => {
  stack = await CloudStack.start();
});
afterAll(async () => stack?.dispose());

describe("openai embeddings", () => {
  it.each(WITH_EMBEDDINGS)("come from $kind", async (kind) => {
    await stack.run({ name: "embeddings", kind, format: "openai-chat" }, async () => {
      const { embeddings } = openai(stack);
      const { data, usage } = await embeddings.create({ model: embeddingsAt(kind), input: ["one", "two"] });
      expect(data.map(({ index, embedding }) => [index, embedding.length > 1])).toEqual([
        [0, true],
        [1, true],
      ]);
      expect(usage.prompt_tokens).toBeGreaterThan(0);
    });
  });

  it.each(WITH_EMBEDDINGS)("are charged by what $kind reports", async (kind) => {
    const { embeddings } = openai(stack);
    const { data, response } = await embeddings
      .create({ model: embeddingsAt(kind), input: "a few words", encoding_format: "base64" })
      .withResponse();
    const id = response.headers.get("request-id");
    const rows = await stack.weir.entries((all) => all.some(({ exchangeId }) => exchangeId === id));
    expect(rows.filter(({ exchangeId }) => exchangeId === id)).toMatchObject([
      { target: kind.kind, endpoint: "embeddings", usage: { inputTokens: data.usage.prompt_tokens, outputTokens: 0 } },
    ]);
  });

  it.each(WITHOUT)("are refused for a model at $kind, which has none", async (kind) => {
    const error = await openai(stack)
      .embeddings.create({ model: modelAt(kind), input: "one" })
      .then(
        () => null,
        (thrown: unknown) => thrown,
      );
    expect(error).toBeInstanceOf(BadRequestError);
    expect(String(error)).toContain("no upstream that makes embeddings");
    expect(stack.cloud(kind).charges).toEqual([]);
  });
});

describe("AzureOpenAI, which has the deployment in the path", () => {
  const azure = (): AzureOpenAI =>
    new AzureOpenAI({
      apiKey: stack.weir.key,
      endpoint: stack.weir.url,
      apiVersion: "2024-10-21",
      maxRetries: 0,
      fetch: stack.wire.fetch,
    });

  it.each(["bedrock", "azure-openai-deployments"].map(cloudKind))("gets its answers from $kind", async (kind) => {
    await stack.run({ name: "azure chat", kind, format: "openai-chat" }, async () => {
      const model = modelAt(kind);
      const stream = azure().chat.completions.stream({ model, messages: [{ role: "user", content: "Say hello." }] });
      expect((await stream.finalChatCompletion()).choices[0]?.message.content).toMatch(/./);
    });
  });

  it("gets embeddings", async () => {
    const kind = cloudKind("azure-openai");
    await stack.run({ name: "azure embeddings", kind, format: "openai-chat" }, async () => {
      const { data } = await azure().embeddings.create({ model: embeddingsAt(kind), input: "one" });
      expect(data).toHaveLength(1);
    });
  });
});

describe("the list of models", () => {
  it("is read by both SDKs, and has what is configured", async () => {
    const wanted = CLOUDS.map(modelAt);
    const ofAnthropic = await Array.fromAsync(anthropic(stack).models.list({ limit: 1_000 }));
    expect(ofAnthropic.map(({ id }) => id)).toEqual(expect.arrayContaining(wanted));
    const ofOpenAi = await Array.fromAsync(openai(stack).models.list());
    expect(ofOpenAi.map(({ id }) => id)).toEqual(expect.arrayContaining(wanted));
    expect(ofOpenAi[0]).toMatchObject({ object: "model", created: expect.any(Number), owned_by: expect.any(String) });
  });

  it("gives one model by its id", async () => {
    const model: OpenAI.Model = await openai(stack).models.retrieve("at-bedrock");
    expect(model).toMatchObject({ id: "at-bedrock", object: "model" });
  });
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** What none of the SDKs here sends, but the AWS SDK and Google's do. */
async function call(path: string, body?: object): Promise<Answer> {
  const response = await fetch(stack.weir.url + path, {
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    headers: { authorization: `Bearer ${stack.weir.key}`, "content-type": "application/json" },
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64");
const MESSAGES = { messages: [{ role: "user", content: "Say hello." }] };
const INVOKED = {
  input: { invokeModel: { body: base64({ anthropic_version: "2026-10-21", max_tokens: 1, ...MESSAGES }) } },
};
const VERTEX_COUNT = "/projects/p/locations/global/publishers/anthropic/models/count-tokens:rawPredict";

describe("tokens", () => {
  const counting = CLOUDS.filter((kind) => countsTokens(kind));

  it.each(counting)("are counted at $kind", async (kind) => {
    const server = stack.cloud(kind);
    server.reset();
    const model = modelAt(kind);
    const answers = [
      await call("/v1/messages/count_tokens", { model, ...MESSAGES }),
      await call(`/model/${model}/count-tokens`, INVOKED),
      await call(VERTEX_COUNT, { anthropic_version: "2026-10-21", model, ...MESSAGES }),
      await call("/v1/responses/input_tokens", { model, input: "Say hello." }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const count = expect.any(Number);
    expect(answers.map(({ body }) => body)).toEqual([
      { input_tokens: count },
      { inputTokens: count },
      { input_tokens: count },
      { object: "response.input_tokens", input_tokens: count },
    ]);
    expect(new Set(answers.map(({ body }) => Object.values(body as object).at(-1))).size).toBe(1);
    expect([server.problems, server.charges]).toEqual([[], []]);
    counted.push(...answers.map(({ headers }) => headers.get("request-id")));
  });

  it.each(CLOUDS.filter((kind) => !countsTokens(kind)))(
    "are estimated at $kind, in each format's form and with a warning",
    async (kind) => {
      stack.cloud(kind).reset();
      const model = modelAt(kind);
      const answers = [
        await call("/v1/messages/count_tokens", { model, ...MESSAGES }),
        await call(`/model/${model}/count-tokens`, INVOKED),
        await call(VERTEX_COUNT, { anthropic_version: "vertex-2023-10-16", model, ...MESSAGES }),
        await call("/v1/responses/input_tokens", { model, input: "Say hello." }),
      ];
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      const count = expect.any(Number);
      expect(answers.map(({ body }) => body)).toEqual([
        { input_tokens: count },
        { inputTokens: count },
        { input_tokens: count },
        { object: "response.input_tokens", input_tokens: count },
      ]);
      for (const { headers } of answers) expect(headers.get("x-weir-warning")).toContain("input_tokens is an estimate");
      expect(stack.cloud(kind).charges).toEqual([]);
      expect(stack.cloud(kind).requests).toEqual([]);
      counted.push(...answers.map(({ headers }) => headers.get("request-id")));
    },
  );

  it("cannot be counted by clients of Chat Completions, which has no words for it", async () => {
    const answer = await call("/v1/chat/completions/count_tokens", { model: "at-anthropic", ...MESSAGES });
    expect(answer.status).toBe(404);
  });
});

/** Request ids of what was counted. */
const counted: (string | null)[] = [];

describe("Bedrock's inference profiles", () => {
  it("are the models", async () => {
    const { body } = await call("/inference-profiles?maxResults=1000");
    expect(body).toMatchObject({
      inferenceProfileSummaries: expect.arrayContaining([
        expect.objectContaining({ inferenceProfileId: "at-bedrock" }),
      ]),
    });
  });
});

it("the ledger holds one entry for each exchange, with what the cloud billed", async () => stack.checkLedger());

it("the ledger has nothing of counting tokens", async () => {
  const rows = await stack.weir.database.entries();
  expect(counted.length).toBeGreaterThan(0);
  expect(rows.filter(({ exchangeId }) => counted.includes(exchangeId))).toEqual([]);
});
