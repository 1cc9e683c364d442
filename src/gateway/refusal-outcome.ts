import type { WeirError } from "../core/weir-error.ts";
import type { Outcome } from "../message/entry.ts";

/** How an exchange ended that got no answer but Weir's own error. Null: it ended without one, which only a fault does. */
export function refusalOutcome(refusal: WeirError | null): Outcome {
  if (refusal === null || refusal.code === "weir:server:internal") return "internal_error";
  return "refused";
}
