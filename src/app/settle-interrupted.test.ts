import { describe, expect, it } from "vitest";

import { MemoryJournal } from "../../test/harness/gateway.ts";
import { silentLogger, type Logger } from "../core/logger.ts";
import type { OpenRecord } from "../message/entry.ts";
import { settleInterrupted } from "./settle-interrupted.ts";

const NOW_MS = Date.UTC(2026, 10, 20, 12);

function open(given: Partial<OpenRecord> = {}): OpenRecord {
  return {
    exchangeId: "req_1",
    organizationId: "org_1",
    teamId: "team_1",
    userId: "usr_1",
    keyId: "key_1",
    userType: "developer",
    sessionId: "s",
    agentId: null,
    parentAgentId: null,
    tag: null,
    endpoint: "messages",
    clientFormat: "openai-chat",
    modelAsked: "opus",
    modelServed: "claude-opus-5",
    stream: true,
    reservedMicroUsd: 4_200,
    estimatedInputTokens: 321,
    priceVersion: "2026-11",
    admittedAtMs: NOW_MS - 60_000,
    ...given,
  };
}

describe("settleInterrupted", () => {
  it("charges each exchange what it had reserved, in the window in which it was reserved, as an estimate", async () => {
    const journal = new MemoryJournal();
    await settleInterrupted(journal, [open()], { nowMs: NOW_MS, logger: silentLogger });

    expect(journal.entries).toMatchObject([
      {
        exchangeId: "req_1",
        outcome: "interrupted",
        usageSource: "estimated",
        costMicroUsd: 4_200,
        reservedMicroUsd: 4_200,
        usage: { inputTokens: 321, outputTokens: 0 },
        admittedAtMs: NOW_MS - 60_000,
        settledAtMs: NOW_MS,
        latencyMs: 60_000,
        status: 499,
        clientFormat: "openai-chat",
        target: null,
        targetModel: null,
        cacheLossMicroUsd: 0,
        attempt: 1,
      },
    ]);
    expect(journal.entries[0]).not.toHaveProperty("estimatedInputTokens");
  });

  it("takes no time for negative when the clock has gone back over the crash", async () => {
    const journal = new MemoryJournal();
    await settleInterrupted(journal, [open({ admittedAtMs: NOW_MS + 5_000 })], { nowMs: NOW_MS, logger: silentLogger });

    expect(journal.entries[0]?.latencyMs).toBe(0);
  });

  it("settles all, and says once how many", async () => {
    const journal = new MemoryJournal();
    const warnings: object[] = [];
    const logger: Logger = { ...silentLogger, warn: (fields) => warnings.push(fields) };
    const opens = Array.from({ length: 50 }, (_, i) => open({ exchangeId: `req_${i}` }));
    await settleInterrupted(journal, opens, { nowMs: NOW_MS, logger });

    expect(journal.entries.map((entry) => entry.exchangeId)).toEqual(opens.map(({ exchangeId }) => exchangeId));
    expect(warnings).toEqual([{ exchanges: 50 }]);
  });

  it("says nothing when there was nothing", async () => {
    const warnings: object[] = [];
    const logger: Logger = { ...silentLogger, warn: (fields) => warnings.push(fields) };
    await settleInterrupted(new MemoryJournal(), [], { nowMs: NOW_MS, logger });

    expect(warnings).toEqual([]);
  });

  it("fails when one cannot be made durable: Weir must not start without it", async () => {
    const journal = new MemoryJournal();
    journal.failWith = new Error("disk is gone");

    await expect(settleInterrupted(journal, [open()], { nowMs: NOW_MS, logger: silentLogger })).rejects.toThrow(
      "disk is gone",
    );
  });
});
