import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { FakeUpstream } from "../../../test/harness/fake-upstream.ts";
import {
  startTestGateway,
  UNLIMITED,
  type TestGateway,
  type TestGatewayOptions,
} from "../../../test/harness/gateway.ts";
import { ask, jsonOf, type HttpAnswer } from "../../../test/harness/http-answer.ts";
import { messageBody, messageHeaders } from "../../../test/harness/message-request.ts";
import { eventually, within } from "../../../test/harness/waiting.ts";
import { ManualClock } from "../../core/clock.ts";
import type { LimitSettings } from "../../policy/rate/limit-table.ts";
import type { BudgetRecord, SubjectLimits } from "../../store/ports/directory.ts";

const NOW_MS = Date.UTC(2026, 10, 20, 12);

let upstream: FakeUpstream;
let gateway: TestGateway | null = null;

beforeAll(async () => {
  upstream = await FakeUpstream.start();
});

afterAll(async () => {
  await upstream.stop();
});

beforeEach(() => {
  upstream.reset();
});

afterEach(async () => {
  await gateway?.stop();
  gateway = null;
});

async function start(options: Partial<TestGatewayOptions> = {}): Promise<TestGateway> {
  gateway = await startTestGateway({ upstreams: [{ baseUrl: upstream.url }], ...options });
  return gateway;
}

function post(
  weir: TestGateway,
  { path = "/v1/messages", changes = {} }: { path?: string; changes?: Record<string, unknown> } = {},
): Promise<HttpAnswer> {
  return ask(`${weir.url}${path}`, { headers: messageHeaders(weir.key), body: messageBody(changes) });
}

function limits(of: Partial<Record<keyof LimitSettings["defaults"], Partial<SubjectLimits>>>): LimitSettings {
  const { defaults } = UNLIMITED;
  return {
    ...UNLIMITED,
    defaults: {
      key: { ...defaults.key, ...of.key },
      user: { ...defaults.user, ...of.user },
      team: { ...defaults.team, ...of.team },
      organization: { ...defaults.organization, ...of.organization },
    },
  };
}

function budget(given: Partial<BudgetRecord>): BudgetRecord {
  return {
    id: "bud_1",
    organizationId: "org_1",
    scope: "key",
    subjectId: "key_1",
    window: "day",
    limitMicroUsd: 1_000_000,
    enforcement: "hard",
    ...given,
  };
}

describe("a budget", () => {
  it("that has no room refuses with the words and headers that Claude Code reads, and reaches no upstream", async () => {
    const weir = await start({
      clock: new ManualClock(NOW_MS),
      budgets: [budget({ scope: "team", subjectId: "team_1", limitMicroUsd: 50 })],
    });
    const answer = await post(weir);
    const reset = String(Date.UTC(2026, 10, 21) / 1_000);

    expect(answer.status).toBe(429);
    expect(answer.headers).toMatchObject({
      "retry-after": "43200",
      "x-should-retry": "false",
      "anthropic-ratelimit-unified-status": "rejected",
      "anthropic-ratelimit-unified-reset": reset,
      "anthropic-ratelimit-unified-overage-reset": reset,
      "anthropic-ratelimit-unified-overage-period": "daily",
      "anthropic-ratelimit-unified-overage-disabled-reason": "org_spend_cap_reached",
    });
    expect(jsonOf(answer)).toEqual({
      type: "error",
      error: {
        type: "billing_error",
        message:
          "spend limit reached · resets Nov 21 · the daily budget of this team, $0.00005, has no room for this request " +
          "($0.00 spent, $0.00 reserved by running requests); ask your administrator for an increase",
        code: "weir:budget:exceeded",
        remedy: "Wait for the reset, or ask for a higher budget.",
      },
      request_id: answer.headers["request-id"],
    });
    expect(upstream.requests).toEqual([]);
    expect(weir.journal.opens).toEqual([]);
  });

  it("is shown on every answer of those who have one, with what is reserved counted", async () => {
    const weir = await start({ budgets: [budget({ limitMicroUsd: 60_000 })] });
    const { headers } = await post(weir, { changes: { max_tokens: 2_048 } });

    expect(headers["anthropic-ratelimit-unified-status"]).toBe("allowed");
    const utilization = Number(headers["anthropic-ratelimit-unified-overage-utilization"]);
    expect(utilization).toBeCloseTo((weir.journal.opens[0]?.reservedMicroUsd ?? 0) / 60_000, 3);
    expect(utilization).toBeGreaterThan(0);
  });

  it("is not mentioned to those who have none", async () => {
    const weir = await start();
    const { headers } = await post(weir);

    expect(Object.keys(headers).filter((name) => name.startsWith("anthropic-ratelimit"))).toEqual([]);
  });

  it("opens again with its next window", async () => {
    const clock = new ManualClock(NOW_MS);
    const weir = await start({ clock, reserve: "worst_case", budgets: [budget({ limitMicroUsd: 2_000 })] });
    const changes = { max_tokens: 100 };
    expect((await post(weir, { changes })).status).toBe(200);
    while ((await post(weir, { changes })).status === 200);

    clock.advance(Date.UTC(2026, 10, 21) - NOW_MS);
    expect((await post(weir, { changes })).status).toBe(200);
  });

  it("does not apply to count_tokens", async () => {
    const weir = await start({
      budgets: [budget({ limitMicroUsd: 1 })],
      limits: limits({ key: { requestsPerMinute: 1 } }),
    });
    const path = "/v1/messages/count_tokens";
    const answers = await Promise.all(Array.from({ length: 25 }, () => post(weir, { path })));

    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 25 }, () => 200));
    expect(weir.journal.entries).toEqual([]);
  });

  it("reserves for the dearest upstream that may answer, not for the first one", async () => {
    const models = [
      {
        id: "house-model",
        label: null,
        description: null,
        upstreamModel: { cheap: "claude-haiku-4-5", dear: "claude-opus-5" },
      },
    ];
    const both = [
      { name: "cheap", baseUrl: upstream.url },
      { name: "dear", baseUrl: upstream.url },
    ];
    const reserved = async (upstreams: TestGatewayOptions["upstreams"]): Promise<number> => {
      const weir = await start({ upstreams, models, reserve: "worst_case" });
      await post(weir, { changes: { model: "house-model" } });
      await weir.stop();
      return weir.journal.opens[0]?.reservedMicroUsd ?? 0;
    };

    expect(await reserved(both)).toBe(await reserved(both.slice(1)));
    expect(await reserved(both)).toBeGreaterThan(await reserved(both.slice(0, 1)));
  });

  it("is given back when the upstream fails", async () => {
    const weir = await start({ budgets: [budget({})] });
    upstream.otherwise({ kind: "reset" });
    await post(weir);
    const [standing] = weir.services.budgets.standings(
      [{ scope: "key", id: "key_1" }],
      "UTC",
      weir.services.windowClock.nowMs(),
    );

    expect(standing?.counter).toMatchObject({ reserved: 0, exposure: 0 });
  });
});

describe("a rate limit", () => {
  it("refuses the request too many with retry-after, and tells the client that it may come again", async () => {
    const clock = new ManualClock(NOW_MS);
    const weir = await start({ clock, limits: limits({ user: { requestsPerMinute: 2 } }) });
    expect([(await post(weir)).status, (await post(weir)).status]).toEqual([200, 200]);
    const answer = await post(weir);

    expect(answer.status).toBe(429);
    expect(answer.headers["retry-after"]).toBe("30");
    expect(answer.headers["x-should-retry"]).toBeUndefined();
    expect(jsonOf(answer)).toMatchObject({
      error: { type: "rate_limit_error", message: "Rate limit of this user: 2 requests a minute. Try again in 30 s." },
    });

    clock.advance(30_000);
    expect((await post(weir)).status).toBe(200);
  });

  it("counts the tokens that were really used, cache reads included", async () => {
    const clock = new ManualClock(NOW_MS);
    const weir = await start({ clock, limits: limits({ key: { tokensPerMinute: 1_000 } }) });
    // The answer reports 1,132 tokens.
    expect((await post(weir)).status).toBe(200);

    expect(jsonOf(await post(weir))).toMatchObject({ error: { code: "weir:limit:tokens" } });
  });
});

describe("concurrency", () => {
  it("lets those who wait in one by one, first come first served, and nobody else meanwhile", async () => {
    const weir = await start({ limits: limits({ key: { maxConcurrent: 1 } }) });
    const gate = Promise.withResolvers<void>();
    const order: string[] = [];
    upstream.otherwise((request) => {
      order.push(String(request.headers["x-claude-code-session-id"]));
      return { kind: "whole", before: () => gate.promise };
    });
    const answers: Promise<HttpAnswer>[] = [];
    for (const name of ["1", "2", "3"]) {
      const headers = messageHeaders(weir.key, { "x-claude-code-session-id": name });
      answers.push(ask(`${weir.url}/v1/messages`, { headers, body: messageBody() }));
      const waiting = Number(name) - 1;
      await eventually(
        "the request runs or waits",
        () => weir.services.rate.gate.queued === waiting && order.length === 1,
      );
    }
    gate.resolve();

    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(order).toEqual(["1", "2", "3"]);
    expect(weir.services.rate.gate.active("key_1")).toBe(0);
  });

  it("refuses beyond the queue's size, and after the queue's timeout", async () => {
    const weir = await start({
      limits: limits({ key: { maxConcurrent: 1 } }),
      snapshot: { queue: { size: 1, timeoutMs: 300 } },
    });
    const gate = Promise.withResolvers<void>();
    upstream.otherwise({ kind: "whole", before: () => gate.promise });
    const first = post(weir);
    await eventually("the first request runs", () => upstream.requests.length === 1);
    const second = post(weir);
    await eventually("the second request waits", () => weir.services.rate.gate.queued === 1);

    expect(jsonOf(await post(weir))).toMatchObject({
      error: {
        type: "rate_limit_error",
        message: "Concurrency limit of this key: 1 requests at once, and 1 more are waiting already.",
      },
    });
    const late = await within("the waiting request to be refused", second);
    expect(late.status).toBe(429);
    expect(late.headers["retry-after"]).toBe("1");
    expect(jsonOf(late)).toMatchObject({
      error: { message: expect.stringContaining("no place came free within 0.3 s") },
    });
    gate.resolve();
    expect((await first).status).toBe(200);
  });
});

describe("a full journal", () => {
  it("refuses before anything is sent, and gives back what was reserved", async () => {
    const weir = await start({ budgets: [budget({})], limits: limits({ key: { maxConcurrent: 1 } }) });
    weir.journal.state = "disk_full";
    const answer = await post(weir);

    expect(answer.status).toBe(503);
    expect(answer.headers["retry-after"]).toBe("10");
    expect(jsonOf(answer)).toMatchObject({ error: { code: "weir:server:journal_full" } });
    expect(upstream.requests).toEqual([]);
    const [standing] = weir.services.budgets.standings(
      [{ scope: "key", id: "key_1" }],
      "UTC",
      weir.services.windowClock.nowMs(),
    );
    expect(standing?.counter).toMatchObject({ spent: 0, reserved: 0 });
    expect(weir.services.rate.gate.active("key_1")).toBe(0);
  });
});

describe("access", () => {
  const scopes = { models: ["claude-haiku-*"], endpoints: [], addresses: [] };

  it("is refused to models and endpoints that the key does not allow, and told plainly", async () => {
    const weir = await start({ key: { scopes: { ...scopes, endpoints: ["models"] } } });
    expect(jsonOf(await post(weir))).toMatchObject({
      error: { type: "permission_error", code: "weir:access:endpoint" },
    });

    await weir.stop();
    const other = await start({ key: { scopes } });
    expect(jsonOf(await post(other))).toMatchObject({
      error: { message: "This key does not allow the model claude-sonnet-5-5; it allows: claude-haiku-*." },
    });
    expect((await post(other, { changes: { model: "claude-haiku-4-5-20251001" } })).status).toBe(200);
  });
});
