import type { MicroUsd } from "../../core/money.ts";
import type { AttemptFailure } from "../health/signal.ts";
import { failureWords } from "../health/verdict.ts";
import type { PlannedTarget } from "../plan.ts";
import type { Random } from "../random.ts";
import type { AffinitySettings, RetrySettings } from "../settings.ts";
import { durationWords } from "../words.ts";
import { backoffMs } from "./backoff.ts";
import { classify, retryAfterOf } from "./classify.ts";

/** Where an exchange stands after an attempt has failed. */
export interface RetrySituation {
  readonly failure: AttemptFailure;
  /** Whether a byte of an answer has gone to the client. */
  readonly relayed: boolean;
  readonly current: PlannedTarget;
  /** The next one that has not been tried, the best of those left; null when all have been. */
  readonly next: PlannedTarget | null;
  /** Whether it can be used; if not, it is a last resort. */
  readonly nextIsUsable: boolean;
  /** Attempts made so far, this one included, and how many of them repeated the current target. */
  readonly attempts: number;
  readonly sameTargetRetries: number;
  /** Of the exchange's total time. */
  readonly remainingMs: number;
  /** What leaving the current target costs in prompt cache; 0 when nothing is warm there. */
  readonly moveCostMicroUsd: MicroUsd;
  readonly retryBudgetLeft: number;
}

export type NextStep =
  | {
      readonly kind: "retry" | "failover";
      readonly target: PlannedTarget;
      readonly delayMs: number;
      readonly why: string;
    }
  /** `verbatim`: the failure is the caller's own and goes back as it came. */
  | {
      readonly kind: "give_up";
      readonly target: null;
      readonly delayMs: 0;
      readonly why: string;
      readonly verbatim: boolean;
    };

export interface RetryPolicy {
  readonly retry: RetrySettings;
  readonly affinity: AffinitySettings;
  readonly random: Random;
}

/** What to do after a failed attempt. Pure, but for the draw of the jitter. */
export function nextStep(situation: RetrySituation, policy: RetryPolicy): NextStep {
  const { failure, next, attempts, remainingMs } = situation;
  const { retry } = policy;
  const words = failureWords(failure);
  if (situation.relayed) return giveUp(`${words}, after the answer had begun`);
  const kind = classify(failure, retry.failoverStatuses);
  if (kind === "caller") return { ...giveUp(`${words} is about the request itself`), verbatim: true };
  if (kind === "out_of_time") return giveUp(words);
  if (attempts >= retry.maxAttempts) return giveUp(`${words}; ${attempts} attempts are the limit`);
  if (remainingMs < retry.minAttemptMs)
    return giveUp(`${words}; ${durationWords(remainingMs)} are too little to try again`);
  const repeat = kind === "passing" ? repeatHere(situation, policy) : null;
  if (repeat !== null) return repeat;
  if (next === null) return giveUp(`${words}; no other target is left`);
  const last = situation.nextIsUsable ? "" : ", a last resort";
  return { kind: "failover", target: next, delayMs: 0, why: `${words}; ${next.target.upstream} is next${last}` };
}

/** A repeat at the same target, where it is possible and better than the next target; else null. */
function repeatHere(situation: RetrySituation, { retry, affinity, random }: RetryPolicy): NextStep | null {
  const { failure, current, next, nextIsUsable, sameTargetRetries, moveCostMicroUsd } = situation;
  if (sameTargetRetries >= retry.maxSameTargetRetries || situation.retryBudgetLeft < 1) return null;
  const canMove = next !== null && nextIsUsable;
  const isWarm = moveCostMicroUsd >= affinity.keepWarmFromMicroUsd && sameTargetRetries === 0;
  // Another target answers now; only an expensive cache is worth a wait.
  if (canMove && !isWarm) return null;
  const retryAfterMs = retryAfterOf(failure);
  const delayMs = backoffMs(sameTargetRetries, retryAfterMs, retry, random);
  const longestMs = canMove ? affinity.keepWarmWaitMs : Math.max(retry.maxDelayMs, retry.maxRetryAfterMs * 1.25);
  if (delayMs > longestMs || (retryAfterMs ?? 0) > retry.maxRetryAfterMs) return null;
  if (situation.remainingMs - delayMs < retry.minAttemptMs) return null;
  const reason = canMove ? "its prompt cache is worth keeping" : "nothing better is left";
  const why = `${failureWords(failure)}; again after ${durationWords(delayMs)}: ${reason}`;
  return { kind: "retry", target: current, delayMs, why };
}

function giveUp(why: string): Extract<NextStep, { kind: "give_up" }> {
  return { kind: "give_up", target: null, delayMs: 0, why, verbatim: false };
}
