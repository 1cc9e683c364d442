import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import { ManagedPolicies } from "../managed/managed-policies.ts";
import { testIdentity } from "../managed/testing/test-identity.ts";
import { checkModelPolicy, policyAllowsModel } from "./model-policy.ts";

const policies = new ManagedPolicies([
  { match: { groups: ["contractors"] }, cli: { availableModels: ["claude-haiku-4-5", "sonnet"] } },
  { match: { groups: ["blocked"] }, cli: { availableModels: [] } },
  { match: { groups: ["many"] }, cli: { availableModels: Array.from({ length: 25 }, (_, i) => `model-${i}`) } },
  { match: { groups: ["free"] }, cli: { model: "opus" } },
]);

function refusal(group: string, model: string): WeirError | null {
  try {
    checkModelPolicy(policies, testIdentity({ groups: [group] }), model);
    return null;
  } catch (error) {
    if (error instanceof WeirError) return error;
    throw error;
  }
}

describe("checkModelPolicy", () => {
  it("lets members of a group have the models of their policy, and refuses the others with what they may have", () => {
    expect(refusal("contractors", "claude-sonnet-5")).toBeNull();
    const refused = refusal("contractors", "claude-opus-5");
    expect(refused).toMatchObject({
      code: "weir:access:model",
      message:
        "Your organisation's policy does not allow you the model claude-opus-5; it allows claude-haiku-4-5, sonnet.",
    });
    expect(refused?.row).toMatchObject({ status: 403, type: "permission_error", retry: false });
  });

  it("refuses everything by an empty list", () => {
    expect(refusal("blocked", "claude-haiku-4-5")?.message).toMatch(/it allows no model\.$/);
  });

  it("names no more models than somebody reads", () => {
    expect(refusal("many", "x")?.message).toMatch(/model-0, .*model-19 and 5 more\.$/);
  });

  it("restricts nobody whose policy names no models, or who has none", () => {
    expect(refusal("free", "claude-opus-5")).toBeNull();
    expect(refusal("of nobody", "claude-opus-5")).toBeNull();
  });
});

describe("policyAllowsModel", () => {
  it("says the same", () => {
    const contractor = testIdentity({ groups: ["contractors"] });
    expect(policyAllowsModel(policies, contractor, "claude-sonnet-5")).toBe(true);
    expect(policyAllowsModel(policies, contractor, "claude-opus-5")).toBe(false);
    expect(policyAllowsModel(policies, testIdentity({}), "claude-opus-5")).toBe(true);
  });
});
