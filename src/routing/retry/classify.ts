import type { AttemptFailure } from "../health/signal.ts";
import { statusOf } from "../health/verdict.ts";

/** What may be done about a failure. */
export type FailureClass =
  /** The caller's fault: every target would say the same. Goes back word for word. */
  | "caller"
  /** It may pass by itself within moments: worth a repeat where it happened when there is no better place. */
  | "passing"
  /** The same target would say the same again: only another can help. */
  | "elsewhere"
  /** The exchange has no time left. */
  | "out_of_time";

/** Statuses that only another target can help against: credential, rights, model, method. */
const ELSEWHERE: ReadonlySet<number> = new Set([401, 403, 404, 501]);

/**
 * What a failure before the first relayed byte is worth. `failoverStatuses` are further 4xx that an operator knows to be the
 * target's own.
 */
export function classify(failure: AttemptFailure, failoverStatuses: readonly number[]): FailureClass {
  if (failure.kind === "status" || failure.kind === "in_band_error") {
    const kind = classifyStatus(statusOf(failure) ?? 500, failoverStatuses);
    return kind === "passing" && failure.kind === "status" && failure.isFinal === true ? "elsewhere" : kind;
  }
  if (failure.kind === "timeout") return failure.phase === "total" ? "out_of_time" : "elsewhere";
  return failure.kind === "credential" ? "elsewhere" : "passing";
}

function classifyStatus(status: number, failoverStatuses: readonly number[]): FailureClass {
  if (status === 429) return "passing";
  // Redirects are never followed: an upstream that answers with one is not where the configuration says.
  if (ELSEWHERE.has(status) || (status >= 300 && status < 400) || failoverStatuses.includes(status)) return "elsewhere";
  return status >= 500 ? "passing" : "caller";
}

/** How long the target has asked to be left alone; null when it has not said. */
export function retryAfterOf(failure: AttemptFailure): number | null {
  return failure.kind === "status" || failure.kind === "in_band_error" ? failure.retryAfterMs : null;
}
