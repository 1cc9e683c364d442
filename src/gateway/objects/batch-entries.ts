import type { Identity } from "../../identity/key-ring.ts";
import type { BudgetSubject } from "../../ledger/budgets/budget-book.ts";
import type { Entry } from "../../message/entry.ts";
import type { UsageSource } from "../../message/usage.ts";
import type { OwnedObject } from "../../store/ports/owned-objects.ts";
import type { TalliedUse } from "./batch-tally.ts";
import type { JsonObject } from "./json-object.ts";

/** Who pays for a batch: the key that made it and what stands behind it now. */
export interface BatchPayer {
  readonly teamId: string | null;
  readonly userType: string;
  readonly path: readonly BudgetSubject[];
  readonly timeZone: string;
}

/** The ledger's name of a batch. */
export function batchExchangeId(batchId: string): string {
  return `bat_${batchId}`;
}

/** The payer of a batch. A key that the directory no longer has still pays, with its user and organisation. */
export function batchPayer(batch: OwnedObject, identities: Iterable<Identity>): BatchPayer {
  for (const { key, principal, path, organization } of identities) {
    if (key.id !== batch.keyId || principal.organizationId !== batch.organizationId) continue;
    return { teamId: principal.teamId, userType: principal.userType, path, timeZone: organization.timeZone };
  }
  const path: BudgetSubject[] = [{ scope: "organization", id: batch.organizationId }];
  if (batch.userId !== null) path.push({ scope: "user", id: batch.userId });
  path.push({ scope: "key", id: batch.keyId });
  return { teamId: null, userType: batch.userId === null ? "service" : "developer", path, timeZone: "UTC" };
}

/**
 * The ledger rows of an ended batch, one for each of its tallied uses, numbered as attempts from 1: the same batch always
 * makes the same rows, so the ledger's unique key on (exchange, attempt) keeps a second settling out. They belong to the
 * budget windows of `nowMs`, when they are counted.
 */
export function batchEntries(
  batch: OwnedObject,
  uses: readonly TalliedUse[],
  facts: { payer: BatchPayer; document: JsonObject; usageSource: UsageSource; priceVersion: string; nowMs: number },
): readonly Entry[] {
  const { payer, document, usageSource, priceVersion, nowMs } = facts;
  return uses.map(({ model, usage, costMicroUsd }, index) => ({
    exchangeId: batchExchangeId(batch.id),
    attempt: index + 1,
    attempts: uses.length,
    organizationId: batch.organizationId,
    teamId: payer.teamId,
    userId: batch.userId,
    keyId: batch.keyId,
    userType: payer.userType,
    sessionId: null,
    agentId: null,
    parentAgentId: null,
    tag: null,
    endpoint: "batches",
    clientFormat: "anthropic",
    modelAsked: model,
    modelServed: model,
    target: batch.target,
    // A use sums up all of the upstream's ids that are one model here.
    targetModel: null,
    routeReason: null,
    stream: false,
    status: 200,
    outcome: "complete",
    usage,
    usageSource,
    costMicroUsd,
    cacheMove: null,
    cacheLossMicroUsd: 0,
    priceVersion,
    reservedMicroUsd: 0,
    admittedAtMs: nowMs,
    settledAtMs: nowMs,
    latencyMs: durationMs(document),
    timeToFirstTokenMs: null,
    upstreamRequestId: null,
  }));
}

/** From the batch's creation to its end by the upstream's own times; 0 when it does not say. */
function durationMs(document: JsonObject): number {
  const ms = Date.parse(String(document["ended_at"])) - Date.parse(String(document["created_at"]));
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
