import type { Fault, FaultRule } from "./fault.ts";
import { ApiError } from "./api-error.ts";
import { SeededRandom } from "./seeded-random.ts";

/** Decides by the configured rules which fault, if any, the next request gets. Deterministic in order of arrival. */
export class FaultRules {
  readonly #rules: readonly RuleState[];

  constructor(rules: readonly FaultRule[], seed: string) {
    this.#rules = rules.map((rule, index) => {
      checkRule(rule, index);
      return { rule, random: new SeededRandom(`${seed}:fault:${index}`), matched: 0 };
    });
  }

  /** The fault of the first rule that applies to a request for `model`; null for none. Counts the request. */
  next(model: string): Fault | null {
    let chosen: Fault | null = null;
    // Every rule sees every request, also after one has been chosen: a rule's rhythm must not depend on the others.
    for (const state of this.#rules) {
      if (state.rule.model !== undefined && !model.includes(state.rule.model)) continue;
      if (applies(state)) chosen ??= state.rule.fault;
    }
    return chosen;
  }
}

interface RuleState {
  readonly rule: FaultRule;
  readonly random: SeededRandom;
  matched: number;
}

function applies(state: RuleState): boolean {
  state.matched += 1;
  const { everyNth, probability } = state.rule;
  if (everyNth !== undefined && state.matched % everyNth !== 0) return false;
  return probability === undefined || state.random.next() < probability;
}

function checkRule(rule: FaultRule, index: number): void {
  const { everyNth, probability, fault } = rule;
  if (everyNth !== undefined && (!Number.isInteger(everyNth) || everyNth < 1)) {
    throw new RangeError(`sandbox fault ${index}: everyNth must be a whole number from 1, not ${everyNth}`);
  }
  if (probability !== undefined && !(probability >= 0 && probability <= 1)) {
    throw new RangeError(`sandbox fault ${index}: probability must be between 0 and 1, not ${probability}`);
  }
  if (fault.kind === "status" && !(fault.status >= 400 && fault.status <= 599)) {
    throw new RangeError(
      `sandbox fault ${index}: status must be an HTTP error status (400 to 599), not ${fault.status}`,
    );
  }
}

const MESSAGE_BY_STATUS: Readonly<Record<number, string>> = {
  400: "Injected by the sandbox: invalid request",
  401: "invalid x-api-key",
  403: "Your API key does not have permission to use the specified resource.",
  413: "Request exceeds the maximum size",
  429: "This request would exceed your organization's rate limit. Please try again later.",
  500: "Internal server error",
  502: "Bad gateway",
  503: "Service unavailable",
  504: "Request timed out",
  529: "Overloaded",
};

/** The error answer of a status fault, worded as the service words that status. */
export function statusError(status: number, model: string, retryAfterSeconds?: number): ApiError {
  const message = status === 404 ? `model: ${model}` : (MESSAGE_BY_STATUS[status] ?? "Injected by the sandbox");
  if (retryAfterSeconds === undefined) return new ApiError(status, message);
  return new ApiError(status, message, { headers: { "retry-after": String(retryAfterSeconds) } });
}
