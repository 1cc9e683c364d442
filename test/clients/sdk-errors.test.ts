/** @anthropic-ai/sdk against a real Weir whose upstream does what the test says: errors, retries, cuts. */
import { gzipSync } from "node:zlib";

import Anthropic, {
  APIError,
  APIUserAbortError,
  AnthropicError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
  UnprocessableEntityError,
} from "@anthropic-ai/sdk";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { FakeUpstream, type Reply } from "../harness/fake-upstream.ts";
import { messageEvents } from "../harness/message-events.ts";
import { eventually } from "../harness/waiting.ts";
import { inDirectory, newPerson } from "../harness/weir-people.ts";
import { WeirProcess } from "../harness/weir-process.ts";

const HELLO = { model: "claude-sonnet-5-5", max_tokens: 64, messages: [{ role: "user" as const, content: "Hello." }] };
const WHOLE_TEXT = "Grüße, 世界 und 🌊🏞️ plain end.";

let upstream: FakeUpstream;
let weir: WeirProcess;
let client: Anthropic;

beforeAll(async () => {
  upstream = await FakeUpstream.start();
  weir = await WeirProcess.start({
    upstreamUrl: upstream.url,
    // A probe of an upstream that has failed so often would be counted as a request.
    config: { limits: { max_request_bytes: 200_000 }, health: { probes: { enabled: false } } },
  });
  client = new Anthropic({ apiKey: weir.key, baseURL: weir.url, maxRetries: 2 });
});
afterEach(() => upstream.reset());
afterAll(async () => {
  await weir.dispose();
  await upstream.stop();
});

const failing = (status: number, type: string, headers: Record<string, string> = {}): Reply => ({
  kind: "whole",
  status,
  body: { type: "error", error: { type, message: `upstream says ${status}` } },
  headers,
});

/** What the SDK throws. */
async function errorOf(work: Promise<unknown>): Promise<APIError> {
  const error = await work.then(
    () => new Error("it succeeded"),
    (thrown: unknown) => thrown,
  );
  if (error instanceof APIError) return error;
  throw error;
}

describe("an error of Weir's own", () => {
  it("401: a key that Weir does not know, tried once", async () => {
    const stranger = new Anthropic({ apiKey: `wr-dev-${"x".repeat(43)}`, baseURL: weir.url, maxRetries: 5 });
    const error = await errorOf(stranger.messages.create(HELLO));
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error.requestID).toMatch(/^req_/);
    expect(error.message).toContain("not known to Weir");
    expect(upstream.requests).toEqual([]);
  });

  it("400: a request that is wrong, with the field's name", async () => {
    const error = await errorOf(client.messages.create({ ...HELLO, max_tokens: -1 }));
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error.message).toContain("max_tokens");
  });

  it("403: a model that the key does not allow", async () => {
    const { secret } = await newPerson(weir, {
      scopes: { models: ["claude-haiku-*"], endpoints: [], addresses: [] },
    });
    const scoped = new Anthropic({ apiKey: secret, baseURL: weir.url, maxRetries: 5 });
    const error = await errorOf(scoped.messages.create(HELLO));
    expect(error).toBeInstanceOf(PermissionDeniedError);
    expect(error.message).toContain("claude-haiku-*");
    const listed = await scoped.models.list({ limit: 1_000 });
    expect(listed.data.map(({ id }) => id)).toEqual(["claude-haiku-5-5", "claude-haiku-4-5"]);
    expect((await scoped.messages.create({ ...HELLO, model: "claude-haiku-4-5" })).type).toBe("message");
    expect(upstream.requests.length).toBe(1);
  });

  it("429: a budget that is used up, tried once, with the reset to wait for", async () => {
    const { organizationId, keyId, secret } = await newPerson(weir);
    await inDirectory(weir, (directory) =>
      directory.putBudget({
        id: `bud_${keyId}`,
        organizationId,
        scope: "key",
        subjectId: keyId,
        window: "month",
        limitMicroUsd: 1,
        enforcement: "hard",
      }),
    );
    const poor = new Anthropic({ apiKey: secret, baseURL: weir.url, maxRetries: 5 });
    const error = await eventually("the budget is in force", () =>
      errorOf(poor.messages.create(HELLO)).catch((problem: unknown) => {
        if (problem instanceof Error && problem.message === "it succeeded") return null;
        throw problem;
      }),
    );
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error.type).toBe("billing_error");
    expect(error.message).toMatch(/spend limit reached · resets \w+ \d+ · the monthly budget of this key, \$0\.000001/);
    expect(error.headers?.get("x-should-retry")).toBe("false");
    expect(Number(error.headers?.get("retry-after"))).toBeGreaterThan(0);
  });

  it("404: a model that nobody serves", async () => {
    const error = await errorOf(client.messages.create({ ...HELLO, model: "claude-nothing-1" }));
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error.message).toContain("model: claude-nothing-1");
  });

  it("413: a request that is too large", async () => {
    const content = "x".repeat(300_000);
    const error = await errorOf(client.messages.create({ ...HELLO, messages: [{ role: "user", content }] }));
    expect(error.status).toBe(413);
    expect(error.type).toBe("request_too_large");
    expect(upstream.requests).toEqual([]);
  });

  it("502: no upstream answers; tried again, as the client is told to do", async () => {
    upstream.otherwise({ kind: "reset" });
    const error = await errorOf(client.messages.create(HELLO));
    expect(error).toBeInstanceOf(InternalServerError);
    expect(error.status).toBe(502);
    // Three times by the client, and by Weir as often as its retry budget allows.
    expect(upstream.requests.length).toBeGreaterThanOrEqual(3);
  });
});

describe("an error of the upstream", () => {
  it.each([
    [400, "invalid_request_error", BadRequestError],
    [403, "permission_error", PermissionDeniedError],
    [404, "not_found_error", NotFoundError],
    [413, "request_too_large", APIError],
    [422, "invalid_request_error", UnprocessableEntityError],
  ])("%i is the same to the client as without Weir, and not tried again", async (status, type, expected) => {
    upstream.reply(failing(status, type));
    const error = await errorOf(client.messages.create(HELLO));
    expect(error).toBeInstanceOf(expected);
    expect([error.status, error.type]).toEqual([status, type]);
    expect(error.message).toContain(`upstream says ${status}`);
    expect(upstream.requests.length).toBe(1);
  });

  it.each([
    [429, "rate_limit_error"],
    [529, "overloaded_error"],
    [500, "api_error"],
  ])("%i is tried again by the client, and recovers", async (status, type) => {
    upstream.reply(failing(status, type, { "retry-after": "0" }));
    const message = await client.messages.create(HELLO);
    expect(message.content[0]).toMatchObject({ text: WHOLE_TEXT });
    expect(upstream.requests.length).toBe(2);
  });

  it("with x-should-retry: false is not tried again", async () => {
    upstream.reply(failing(529, "overloaded_error", { "x-should-retry": "false" }));
    const error = await errorOf(client.messages.create(HELLO));
    expect([error.status, error.type]).toEqual([529, "overloaded_error"]);
    expect(upstream.requests.length).toBe(1);
  });

  it("429 with retry-after reaches the client with it", async () => {
    upstream.reply(failing(429, "rate_limit_error", { "retry-after": "55", "x-should-retry": "false" }));
    const error = await errorOf(client.messages.create(HELLO));
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error.headers?.get("retry-after")).toBe("55");
  });

  it("inside a stream is an error of the stream, with the upstream's type", async () => {
    upstream.reply({ kind: "stream", cut: { afterEvents: 5, how: "error" } });
    const error = await errorOf(client.messages.stream(HELLO).finalMessage());
    expect(error.type).toBe("overloaded_error");
  });
});

describe("a stream", () => {
  it("comes whole through the stream helper, events in the upstream's order", async () => {
    const seen: string[] = [];
    const stream = client.messages.stream(HELLO);
    stream.on("streamEvent", (event) => seen.push(event.type));
    const message = await stream.finalMessage();
    expect(message.content[0]).toMatchObject({ text: WHOLE_TEXT });
    const names = messageEvents().map((event) => event.name);
    expect(seen).toEqual(names.filter((name) => name !== "ping"));
  });

  it.each(["destroy", "reset", "end"] as const)(
    "that is cut (%s) fails in the client, and never looks whole",
    async (how) => {
      upstream.reply({ kind: "stream", cut: { afterEvents: 6, how } });
      const outcome = await client.messages
        .stream(HELLO)
        .finalMessage()
        .then(
          () => "whole",
          (error: unknown) => (error instanceof AnthropicError ? "failed" : "strange"),
        );
      expect(outcome).toBe("failed");
    },
  );

  it("that the client aborts is aborted upstream, and charged as far as it went", async () => {
    const goOn = Promise.withResolvers<void>();
    upstream.reply({ kind: "stream", before: (index) => (index === 5 ? goOn.promise : undefined) });
    const headers = { "x-claude-code-session-id": "aborted" };
    const stream = client.messages.stream(HELLO, { headers });
    stream.on("text", () => stream.abort());
    await expect(stream.finalMessage()).rejects.toBeInstanceOf(APIUserAbortError);
    await upstream.requests[0]!.closedEarly;
    const rows = await weir.entries((entries) => entries.some((row) => row.sessionId === "aborted"));
    expect(rows.find((row) => row.sessionId === "aborted")).toMatchObject({
      outcome: "client_gone",
      usageSource: "partial",
    });
    goOn.resolve();
  });
});

describe("what the SDK sends", () => {
  it("reaches the upstream as it sent it: beta headers, unknown fields, its own name", async () => {
    // A field that this version of the SDK does not know, as a later one may send it.
    const later = { unheard_of: { nested: [1, "zwei", null] } };
    await client.beta.messages.create({ ...HELLO, ...later, betas: ["something-2026-01-01"] });
    const seen = upstream.requests[0]!;
    expect(seen.url).toMatch(/^\/v1\/messages(\?beta=true)?$/);
    expect(seen.headers["anthropic-beta"]).toContain("something-2026-01-01");
    expect(seen.headers["x-stainless-lang"]).toBe("js");
    expect(JSON.parse(seen.body.toString("utf8"))).toMatchObject({ unheard_of: { nested: [1, "zwei", null] } });
  });

  it("may be compressed", async () => {
    const response = await fetch(`${weir.url}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": weir.key, "content-type": "application/json", "content-encoding": "gzip" },
      body: gzipSync(JSON.stringify(HELLO)),
    });
    expect(response.status).toBe(200);
  });
});
