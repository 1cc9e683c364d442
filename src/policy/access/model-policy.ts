import { WeirError } from "../../core/weir-error.ts";
import type { Identity } from "../../identity/key-ring.ts";
import type { ManagedPolicies } from "../managed/managed-policies.ts";

/** Named in a message; beyond it a number says how many more there are. */
const NAMED_ENTRIES = 20;

/** Whether the caller's policy allows a model, by the name under which Weir lists it. */
export function policyAllowsModel(policies: ManagedPolicies, identity: Identity, model: string): boolean {
  return policies.of(identity)?.models?.allows(model) !== false;
}

/**
 * Refuses a model that the caller's policy leaves out. Throws WeirError `weir:access:model`: 403, since Claude Code repeats what
 * is refused with 400.
 */
export function checkModelPolicy(policies: ManagedPolicies, identity: Identity, model: string): void {
  const allowed = policies.of(identity)?.models ?? null;
  if (allowed === null || allowed.allows(model)) return;
  throw new WeirError(
    "weir:access:model",
    `Your organisation's policy does not allow you the model ${model}; it allows ${listed(allowed.entries)}.`,
  );
}

function listed(entries: readonly string[]): string {
  if (entries.length === 0) return "no model";
  const more = entries.length - NAMED_ENTRIES;
  return entries.slice(0, NAMED_ENTRIES).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
