import { setTimeout as sleep } from "node:timers/promises";

import type { AuditTrail, RetentionClass } from "../../core/audit-act.ts";
import type { Clock } from "../../core/clock.ts";
import type { AuditStatement, AuditStore, ChainId, ChainState, ChainTip } from "../../store/ports/audit.ts";
import type { AuditFinding } from "./audit-finding.ts";
import { ChainVerifier } from "./chain-verifier.ts";
import type { StatementSigner, TrustedKeys } from "./statement-signer.ts";

const DAY_MS = 86_400_000;
const PAGE_ROWS = 2_000;
const MOST_HEADS = 100_000;
/** Rows removed in one transaction. */
const STEP_ROWS = 50_000;

export interface RetentionParts {
  readonly store: AuditStore;
  readonly trail: AuditTrail;
  readonly signer: StatementSigner;
  readonly keys: TrustedKeys;
  readonly clock: Clock;
}

export interface RetentionRequest {
  /** For how many days rows of a class are kept. */
  readonly days: Readonly<Record<RetentionClass, number>>;
  /** Who asks, as in `AuditAct.actor`. */
  readonly actor: string;
  readonly reason: string | null;
  /** Only says what would be removed. */
  readonly isDryRun: boolean;
}

export interface RetentionResult extends ChainId {
  /** Rows older than this have expired. */
  readonly cutoffMs: number;
  /** Rows removed, or that would be. */
  readonly removed: number;
  readonly throughSeq: number;
  /** Why nothing was removed although rows have expired: they are evidence. */
  readonly finding: AuditFinding | null;
}

interface Step extends ChainTip {
  readonly removed: number;
}

/**
 * Removes expired rows from the beginning of every chain, behind signed checkpoints with which the rest still verifies. What
 * does not verify is not removed. The removal is itself an act in the trail of the organisation, written down before it.
 */
export async function applyRetention(parts: RetentionParts, request: RetentionRequest): Promise<RetentionResult[]> {
  const results: RetentionResult[] = [];
  for (const state of await parts.store.chains()) {
    const cutoffMs = parts.clock.nowMs() - request.days[state.retentionClass] * DAY_MS;
    const result = await retainChain(parts, request, { state, cutoffMs });
    if (result !== null) results.push(result);
  }
  return results;
}

async function retainChain(
  parts: RetentionParts,
  request: RetentionRequest,
  { state, cutoffMs }: { state: ChainState; cutoffMs: number },
): Promise<RetentionResult | null> {
  const { store, trail, signer, clock } = parts;
  const { organizationId, retentionClass } = state;
  const origin = await store.checkpoint(state);
  const firstKept = await store.firstSeqSince(state, cutoffMs);
  const throughSeq = (firstKept ?? state.seq + 1) - 1;
  if (throughSeq <= (origin?.seq ?? 0)) return null;
  const { steps, finding } = await examine(parts, { state, origin, throughSeq });
  const removed = finding === null ? steps.reduce((sum, step) => sum + step.removed, 0) : 0;
  const result: RetentionResult = { organizationId, retentionClass, cutoffMs, removed, throughSeq, finding };
  if (request.isDryRun) return result;
  const act = {
    organizationId,
    actor: request.actor,
    action: "audit.retain",
    object: `chain:${organizationId}/${retentionClass}`,
    before: null,
    after: { class: retentionClass, cutoff: new Date(cutoffMs), through_seq: throughSeq, removed },
    address: null,
    requestId: null,
  } as const;
  if (finding !== null) {
    const reason = `the expired rows do not verify, and are kept as evidence: row ${finding.seq} ${finding.kind}`;
    await trail.record({ ...act, result: "refused", reason });
    return result;
  }
  await trail.record({ ...act, result: "done", reason: request.reason });
  for (const step of steps) await store.prune(signer.checkpoint(step, clock.nowMs(), step.removed));
  return result;
}

/** Verifies what has expired, and cuts it into steps. */
async function examine(
  { store, keys }: RetentionParts,
  { state, origin, throughSeq }: { state: ChainState; origin: AuditStatement | null; throughSeq: number },
): Promise<{ steps: Step[]; finding: AuditFinding | null }> {
  const { organizationId, retentionClass } = state;
  const verifier = new ChainVerifier(state, { keys, origin });
  const steps: Step[] = [];
  let afterSeq = origin?.seq ?? 0;
  let pending = 0;
  for (;;) {
    const rows = await store.rows(state, { afterSeq, throughSeq, limit: PAGE_ROWS });
    const last = rows.at(-1);
    if (last === undefined) break;
    verifier.take(rows, await store.heads(state, { afterSeq, throughSeq: last.seq, limit: MOST_HEADS }));
    afterSeq = last.seq;
    pending += rows.length;
    if (pending < STEP_ROWS && last.seq < throughSeq) continue;
    steps.push({ organizationId, retentionClass, seq: last.seq, hash: last.hash, removed: pending });
    pending = 0;
  }
  return { steps, finding: verifier.finish(null).findings[0] ?? null };
}

/** Does something now and then every so often until the signal aborts; failures go to `onFailure`. */
export async function repeatedly(
  work: () => Promise<void>,
  { everyMs, signal, onFailure }: { everyMs: number; signal: AbortSignal; onFailure: (error: unknown) => void },
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch (error) {
      onFailure(error);
    }
    // Aborted: the loop ends.
    await sleep(everyMs, undefined, { signal }).catch(() => {});
  }
}
