/** Promise 2: a hard budget is never passed by concurrency. (One process; several processes come with shared counters.) */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { BudgetRecord } from "../../src/store/ports/directory.ts";
import { exactCostMicroUsd } from "../harness/exact-cost.ts";
import { FakeUpstream, type SeenRequest } from "../harness/fake-upstream.ts";
import { noteFigure } from "../harness/figures.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { ask, jsonOf, type HttpAnswer } from "../harness/http-answer.ts";
import { messageDocument } from "../harness/message-events.ts";
import { messageBody, messageHeaders } from "../harness/message-request.ts";
import { eventually } from "../harness/waiting.ts";
import { WeirProcess } from "../harness/weir-process.ts";

const PARALLEL = 200;
const ROOM_FOR = 10;
const MAX_TOKENS = 4_000;
const MODEL = "claude-sonnet-5-5";

let upstream: FakeUpstream;
beforeAll(async () => {
  upstream = await FakeUpstream.start();
});
afterAll(async () => upstream.stop());

function budgetOf(limitMicroUsd: number, scope: "key" | "user" | "team" | "organization" = "key"): BudgetRecord {
  const subjectId = { key: "key_1", user: "usr_1", team: "team_1", organization: "org_1" }[scope];
  return { id: "bud_1", organizationId: "org_1", scope, subjectId, window: "day", limitMicroUsd, enforcement: "hard" };
}

function post({ url, key }: { url: string; key: string }): Promise<HttpAnswer> {
  const body = messageBody({ model: MODEL, max_tokens: MAX_TOKENS });
  return ask(`${url}/v1/messages`, { headers: messageHeaders(key), body });
}

/** The dearest that the provider can say of a request: its input all written to the cache, its output to the limit. */
function dearest(request: SeenRequest): Record<string, unknown> {
  const written = Math.floor(request.body.length / 2);
  const usage = { input_tokens: 0, output_tokens: MAX_TOKENS, cache_creation_input_tokens: written };
  return messageDocument({ model: MODEL, usage });
}

/** What one request reserves in the worst case. */
async function worstCase(): Promise<number> {
  const gateway = await startTestGateway({ upstreams: [{ baseUrl: upstream.url }], reserve: "worst_case" });
  await post(gateway);
  await gateway.stop();
  return gateway.journal.opens[0]!.reservedMicroUsd;
}

/** Sends many at once while the upstream answers none of them; then lets it answer. */
async function stampede(target: {
  url: string;
  key: string;
}): Promise<{ admitted: HttpAnswer[]; refused: HttpAnswer[] }> {
  const before = upstream.requests.length;
  const go = Promise.withResolvers<void>();
  upstream.otherwise((request) => ({ kind: "whole", body: dearest(request), before: () => go.promise }));
  let decided = 0;
  const answers = Array.from({ length: PARALLEL }, async () => {
    const answer = await post(target);
    decided++;
    return answer;
  });
  await eventually("all are decided", () => decided + upstream.requests.length - before === PARALLEL);
  go.resolve();
  const all = await Promise.all(answers);
  const admitted = all.filter(({ status }) => status === 200);
  return { admitted, refused: all.filter(({ status }) => status !== 200) };
}

function counterOf(gateway: TestGateway): { spent: number; reserved: number } {
  const [standing] = gateway.services.budgets.standings([{ scope: "key", id: "key_1" }], "UTC", Date.now());
  return { spent: standing?.counter.spent ?? -1, reserved: standing?.counter.reserved ?? -1 };
}

describe(`${PARALLEL} requests at once on a budget with room for ${ROOM_FOR}`, () => {
  it.each(["key", "user", "team", "organization"] as const)(
    "reserving the worst case: exactly that many run, whoever the budget is for (%s), and it is not passed",
    async (scope) => {
      const limit = ROOM_FOR * (await worstCase());
      const gateway = await startTestGateway({
        upstreams: [{ baseUrl: upstream.url }],
        reserve: "worst_case",
        budgets: [budgetOf(limit, scope)],
      });
      const { admitted, refused } = await stampede(gateway);
      await gateway.stop();
      expect([admitted.length, refused.length]).toEqual([ROOM_FOR, PARALLEL - ROOM_FOR]);
      const spent = gateway.journal.entries.reduce((sum, entry) => sum + entry.costMicroUsd, 0);
      expect(spent).toBeLessThanOrEqual(limit);
      expect(gateway.journal.entries.length).toBe(ROOM_FOR);
      noteFigure(2, `worst case, ${scope}`, { parallel: PARALLEL, admitted: admitted.length });
    },
  );

  it("one micro-dollar short of that room: one fewer runs", async () => {
    const limit = ROOM_FOR * (await worstCase()) - 1;
    const gateway = await startTestGateway({
      upstreams: [{ baseUrl: upstream.url }],
      reserve: "worst_case",
      budgets: [budgetOf(limit)],
    });
    const { admitted } = await stampede(gateway);
    await gateway.stop();
    expect(admitted.length).toBe(ROOM_FOR - 1);
  });

  it.each([0, 30_000, 200_000])(
    "reserving what is expected: spend never passes the limit by more than the declared %i micro-dollars",
    async (maxOvershootMicroUsd) => {
      const limit = ROOM_FOR * (await worstCase());
      const gateway = await startTestGateway({
        upstreams: [{ baseUrl: upstream.url }],
        reserve: "expected",
        maxOvershootMicroUsd,
        budgets: [budgetOf(limit)],
      });
      let highest = 0;
      for (let wave = 0; wave < 3; wave++) {
        const { refused } = await stampede(gateway);
        expect(refused.length).toBeGreaterThan(0);
        const { spent, reserved } = counterOf(gateway);
        expect(reserved).toBe(0);
        highest = Math.max(highest, spent);
      }
      await gateway.stop();
      expect(highest).toBeLessThanOrEqual(limit + maxOvershootMicroUsd);
      expect(highest).toBeGreaterThan(limit / 2);
      noteFigure(2, `expected, bound ${maxOvershootMicroUsd}`, { limit, spent: highest });
    },
  );
});

describe("a real Weir whose budget was partly spent before it was started", () => {
  it("admits exactly what is left, and says so in the words and headers that Claude Code reads", async () => {
    upstream.otherwise((request) => ({ kind: "whole", body: dearest(request) }));
    const weir = await WeirProcess.start({
      upstreamUrl: upstream.url,
      config: { budgeting: { reserve: "worst_case" } },
    });
    try {
      expect((await post(weir)).status).toBe(200);
      const [row] = await weir.entries(1);
      expect(row!.costMicroUsd).toBe(exactCostMicroUsd(MODEL, row!.usage));
      await weir.end();
      const limit = row!.costMicroUsd + ROOM_FOR * row!.reservedMicroUsd;
      await weir.configure({
        upstreamUrl: upstream.url,
        config: {
          budgeting: { reserve: "worst_case" },
          budgets: [{ scope: "user", window: "week", limit_usd: String(limit / 1_000_000) }],
        },
      });
      await weir.begin();

      const { admitted, refused } = await stampede(weir);
      expect([admitted.length, refused.length]).toEqual([ROOM_FOR, PARALLEL - ROOM_FOR]);
      const refusal = refused[0]!;
      expect(refusal.status).toBe(429);
      expect(jsonOf(refusal)).toMatchObject({
        type: "error",
        error: {
          type: "billing_error",
          message: expect.stringMatching(/^spend limit reached · resets .*weekly budget/),
        },
      });
      expect(refusal.headers).toMatchObject({
        "x-should-retry": "false",
        "retry-after": expect.stringMatching(/^\d+$/),
        "anthropic-ratelimit-unified-status": "rejected",
      });
      const rows = await weir.entries(1 + ROOM_FOR);
      expect(rows.reduce((sum, entry) => sum + entry.costMicroUsd, 0)).toBeLessThanOrEqual(limit);
      noteFigure(2, "worst case, real process", { parallel: PARALLEL, admitted: admitted.length });
    } finally {
      await weir.dispose();
    }
  });
});
