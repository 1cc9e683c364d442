import { beforeEach, describe, expect, it } from "vitest";

import type { Entry } from "../../message/entry.ts";
import { MemoryAuditStore } from "../../store/memory/memory-audit-store.ts";
import { MemoryUsageStore } from "../../store/memory/memory-usage-store.ts";
import { sampleEntry } from "../../store/ports/sample-entry.ts";
import { entryJson } from "../journal/entry-json.ts";
import { auditingShipments } from "./exchange-trail.ts";

const CHAIN = { organizationId: "org_acme", retentionClass: "security" } as const;
const ALL = { afterSeq: 0, throughSeq: Infinity, limit: 100 };
const audited = { address: "192.0.2.7", sha256: "ab".repeat(32) };

describe("auditingShipments", () => {
  let audit: MemoryAuditStore;
  let usage: MemoryUsageStore;

  beforeEach(() => {
    audit = new MemoryAuditStore();
    usage = new MemoryUsageStore();
  });

  async function ship(entries: readonly Entry[], offset = 1): Promise<void> {
    const shipments = auditingShipments(usage, audit);
    const texts = entries.map((entry) => Buffer.from(entryJson(entry)));
    await shipments.ship("journal", texts, { segment: 1, offset });
  }

  it("writes a row for each audited entry, and ships all", async () => {
    await ship([sampleEntry({ audited, agentId: "agent-7" }), sampleEntry({ exchangeId: "req_2" })]);
    const rows = await audit.rows(CHAIN, ALL);

    expect(rows).toMatchObject([
      { seq: 1, actor: "key:key_1", action: "exchange.messages", object: "exchange:req_1/1", address: "192.0.2.7" },
    ]);
    expect(JSON.parse(rows[0]?.after ?? "")).toMatchObject({
      request_sha256: audited.sha256,
      agent_id: "agent-7",
      input_tokens: 10,
      cost_micro_usd: 1_000,
    });
    expect(await usage.entries({ organizationId: "org_acme", limit: 9 })).toHaveLength(2);
  });

  it("writes each once, however often and in whatever batches it comes", async () => {
    const entries = ["req_1", "req_2", "req_3"].map((exchangeId) => sampleEntry({ exchangeId, audited }));
    await ship(entries.slice(0, 2), 1);
    await ship(entries, 2);
    expect((await audit.rows(CHAIN, ALL)).map(({ requestId }) => requestId)).toEqual(["req_1", "req_2", "req_3"]);
  });

  it("keeps each organisation's rows in its own chain", async () => {
    await ship([sampleEntry({ audited }), sampleEntry({ exchangeId: "req_2", organizationId: "org_other", audited })]);
    expect((await audit.chains()).map(({ organizationId, seq }) => [organizationId, seq])).toEqual([
      ["org_acme", 1],
      ["org_other", 1],
    ]);
  });

  it("ships nothing that could not be audited: it waits in the journal", async () => {
    audit.append = () => Promise.reject(new Error("no"));
    await expect(ship([sampleEntry({ audited })])).rejects.toThrow("no");
    expect(await usage.entries({ organizationId: "org_acme", limit: 9 })).toEqual([]);
  });

  it("is not fooled by what a client writes into a header", async () => {
    await ship([sampleEntry({ sessionId: '"audited":{"address":"x"}' })]);
    expect(await audit.chains()).toEqual([]);
  });

  it("says of an exchange that failed how it ended", async () => {
    await ship([sampleEntry({ audited, outcome: "client_gone", status: 499 })]);
    expect(await audit.rows(CHAIN, ALL)).toMatchObject([{ result: "failed", reason: "client_gone" }]);
  });
});
