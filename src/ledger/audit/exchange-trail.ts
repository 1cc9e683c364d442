import type { AuditAct } from "../../core/audit-act.ts";
import { ENTRY_DEFAULTS } from "../../message/entry-defaults.ts";
import type { Entry } from "../../message/entry.ts";
import type { AuditStore } from "../../store/ports/audit.ts";
import type { UsageStore } from "../../store/ports/usage.ts";
import { draftRow, extendChain } from "./audit-chain.ts";

/** Only the texts of audited entries have it: what clients send stands escaped in JSON. */
const MARK = Buffer.from('"audited":{');

type Shipments = Pick<UsageStore, "cursor" | "ship">;

/**
 * Where the shipper takes entries when exchanges are audited: their rows are written into the audit trail first, once each
 * however often a batch comes. The hot path has nothing to do with it; while the trail is away the journal keeps everything.
 */
export function auditingShipments(usage: Shipments, audit: AuditStore): Shipments {
  return {
    cursor: (journalId) => usage.cursor(journalId),
    ship: async (journalId, entries, cursor) => {
      await recordExchanges(audit, entries.filter(isAudited).map(entryOf));
      return await usage.ship(journalId, entries, cursor);
    },
  };
}

async function recordExchanges(audit: AuditStore, entries: readonly Entry[]): Promise<void> {
  for (const [organizationId, own] of Map.groupBy(entries, (entry) => entry.organizationId)) {
    const drafts = own.map((entry) => draftRow(exchangeAct(entry), Math.floor(entry.settledAtMs)));
    const objects = own.map(objectOf);
    await audit.append(
      { organizationId, retentionClass: "security" },
      (tip, known) =>
        extendChain(
          tip,
          drafts.filter(({ object }) => object === null || !known.has(object)),
        ),
      objects,
    );
  }
}

/** An exchange as a row of the audit trail. */
function exchangeAct(entry: Entry): AuditAct {
  const { usage } = entry;
  return {
    organizationId: entry.organizationId,
    actor: `key:${entry.keyId}`,
    action: `exchange.${entry.endpoint}`,
    object: objectOf(entry),
    before: null,
    after: {
      request_sha256: entry.audited?.sha256,
      user_id: entry.userId,
      team_id: entry.teamId,
      session_id: entry.sessionId,
      agent_id: entry.agentId,
      parent_agent_id: entry.parentAgentId,
      client_format: entry.clientFormat,
      model_asked: entry.modelAsked,
      model_served: entry.modelServed,
      target: entry.target,
      target_model: entry.targetModel,
      status: entry.status,
      outcome: entry.outcome,
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      cache_read_tokens: usage.cacheReadTokens,
      cache_write_tokens: usage.cacheWrite5mTokens + usage.cacheWrite1hTokens,
      cost_micro_usd: entry.costMicroUsd,
    },
    address: entry.audited?.address ?? null,
    requestId: entry.exchangeId,
    result: entry.outcome === "complete" ? "done" : "failed",
    reason: entry.outcome === "complete" ? null : entry.outcome,
    retentionClass: "security",
  };
}

function objectOf({ exchangeId, attempt }: Entry): string {
  return `exchange:${exchangeId}/${attempt}`;
}

function isAudited(text: Buffer): boolean {
  return text.includes(MARK);
}

function entryOf(text: Buffer): Entry {
  // The journal's own text: the shape is the one that entryJson writes.
  return { ...ENTRY_DEFAULTS, ...(JSON.parse(text.toString("utf8")) as Entry) };
}
