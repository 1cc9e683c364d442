/** Promise 3: the exact integer cost of what was used, once, on the row and on every counter. */
import { Agent } from "node:http";

import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import type { BudgetRecord } from "../../src/store/ports/directory.ts";
import { exactCostMicroUsd, PRICED_MODELS } from "../harness/exact-cost.ts";
import { FakeUpstream } from "../harness/fake-upstream.ts";
import { noteFigure } from "../harness/figures.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { ask } from "../harness/http-answer.ts";
import { messageDocument, messageEvents, type ReportedUsage } from "../harness/message-events.ts";
import { messageBody, messageHeaders } from "../harness/message-request.ts";

/** So large that it never refuses: it is here for its counter. */
const BUDGET: BudgetRecord = {
  id: "bud_1",
  organizationId: "org_1",
  scope: "user",
  subjectId: "usr_1",
  window: "total",
  limitMicroUsd: 9_000_000_000_000,
  enforcement: "hard",
};

let upstream: FakeUpstream;
let gateway: TestGateway;
const agent = new Agent({ keepAlive: true });

beforeAll(async () => {
  upstream = await FakeUpstream.start();
  gateway = await startTestGateway({ upstreams: [{ baseUrl: upstream.url }], budgets: [BUDGET] });
});
afterEach(() => upstream.reset());
afterAll(async () => {
  agent.destroy();
  await gateway.stop();
  await upstream.stop();
});

const tokens = fc.oneof(fc.nat(50), fc.nat(20_000), fc.nat(900_000));
const usage: fc.Arbitrary<ReportedUsage> = fc
  .record({
    input_tokens: tokens,
    output_tokens: tokens,
    cache_read_input_tokens: tokens,
    fiveMinutes: tokens,
    oneHour: tokens,
    searches: fc.nat(5),
    service_tier: fc.constantFrom("standard", "priority", "batch"),
    speed: fc.constantFrom("standard", "fast"),
    inference_geo: fc.constantFrom("us", "global", "not_available"),
  })
  .map(({ fiveMinutes, oneHour, searches, ...plain }) => ({
    ...plain,
    cache_creation_input_tokens: fiveMinutes + oneHour,
    cache_creation: { ephemeral_5m_input_tokens: fiveMinutes, ephemeral_1h_input_tokens: oneHour },
    server_tool_use: { web_search_requests: searches },
  }));

function spent(): { spent: number; reserved: number } {
  const standings = gateway.services.budgets.standings([{ scope: "user", id: "usr_1" }], "UTC", Date.now());
  const counter = standings[0]?.counter;
  return { spent: counter?.spent ?? -1, reserved: counter?.reserved ?? -1 };
}

describe("the cost of an exchange", () => {
  it("is what an independent exact computation says, for every model, kind of token and multiplier", async () => {
    let exchanges = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...PRICED_MODELS), usage, fc.boolean(), async (model, reported, stream) => {
        upstream.reply(
          stream
            ? { kind: "stream", events: messageEvents({ model, usage: reported }) }
            : { kind: "whole", body: messageDocument({ model, usage: reported }) },
        );
        const answer = await ask(`${gateway.url}/v1/messages`, {
          headers: messageHeaders(gateway.key),
          body: messageBody({ model, stream }),
          agent,
        });
        expect(answer.status).toBe(200);
        exchanges++;
        const entry = gateway.journal.entries.at(-1)!;
        expect(gateway.journal.entries.length).toBe(exchanges);
        expect(entry.usage).toMatchObject({
          inputTokens: reported.input_tokens,
          outputTokens: reported.output_tokens,
          cacheReadTokens: reported.cache_read_input_tokens,
          cacheWrite5mTokens: reported.cache_creation?.ephemeral_5m_input_tokens,
          cacheWrite1hTokens: reported.cache_creation?.ephemeral_1h_input_tokens,
        });
        expect(entry.costMicroUsd).toBe(exactCostMicroUsd(model, entry.usage));
      }),
      { numRuns: 400 },
    );
    noteFigure(3, "exact cost", { exchanges, differences: 0 });
  });

  it("is counted once: the counter holds the sum of all rows, and nothing stays reserved", () => {
    const sum = gateway.journal.entries.reduce((sum, entry) => sum + entry.costMicroUsd, 0);
    expect(spent()).toEqual({ spent: sum, reserved: 0 });
    expect(sum).toBeGreaterThan(0);
  });

  it("is counted once also when an exchange is settled twice", async () => {
    const before = spent().spent;
    const path = [{ scope: "user", id: "usr_1" } as const];
    const reservation = gateway.services.budgets.reserve(path, "UTC", { expected: 100, worst: 200 }, Date.now());
    if (!("settled" in reservation)) throw new Error("the budget has room");
    gateway.services.budgets.settle(reservation, 77);
    gateway.services.budgets.settle(reservation, 77);
    expect(spent()).toEqual({ spent: before + 77, reserved: 0 });
  });

  it("of counting tokens is nothing: no row, no reservation", async () => {
    const rows = gateway.journal.entries.length;
    const before = spent();
    const headers = messageHeaders(gateway.key);
    const answer = await ask(`${gateway.url}/v1/messages/count_tokens`, { headers, body: messageBody(), agent });
    expect(answer.status).toBe(200);
    expect(gateway.journal.entries.length).toBe(rows);
    expect(spent()).toEqual(before);
  });
});
