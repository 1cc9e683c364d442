import type { Logger } from "../core/logger.ts";
import type { Journal } from "../ledger/journal/journal.ts";
import type { Entry, OpenRecord } from "../message/entry.ts";
import { emptyUsage } from "../message/usage.ts";

/**
 * Settles what a killed process left open: nobody knows what those exchanges used, so each is charged what it had
 * reserved, labelled as an estimate. Resolves when all are durable.
 */
export async function settleInterrupted(
  journal: Journal,
  opens: readonly OpenRecord[],
  { nowMs, logger }: { nowMs: number; logger: Logger },
): Promise<void> {
  await Promise.all(opens.map((open) => settle(journal, interruptedEntry(open, nowMs))));
  if (opens.length > 0) {
    logger.warn({ exchanges: opens.length }, "exchanges that a crash had interrupted are settled with an estimate");
  }
}

function settle(journal: Journal, entry: Entry): Promise<void> {
  return new Promise((resolve, reject) => {
    journal.settle(entry, (error) => (error === null ? resolve() : reject(error)));
  });
}

function interruptedEntry(open: OpenRecord, nowMs: number): Entry {
  const { estimatedInputTokens, ...common } = open;
  return {
    ...common,
    attempt: 1,
    attempts: 1,
    target: null,
    targetModel: null,
    routeReason: null,
    status: 499,
    outcome: "interrupted",
    usage: { ...emptyUsage(), inputTokens: estimatedInputTokens },
    usageSource: "estimated",
    costMicroUsd: open.reservedMicroUsd,
    cacheMove: null,
    cacheLossMicroUsd: 0,
    settledAtMs: nowMs,
    latencyMs: Math.max(0, Math.round(nowMs - open.admittedAtMs)),
    timeToFirstTokenMs: null,
    upstreamRequestId: null,
  };
}
