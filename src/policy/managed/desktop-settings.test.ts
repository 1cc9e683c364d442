import { describe, expect, it } from "vitest";

import { type DesktopContext, desktopSettings } from "./desktop-settings.ts";
import { type EffectivePolicy, ManagedPolicies, type PolicyConfig } from "./managed-policies.ts";

const CONTEXT: DesktopContext = {
  origin: "https://weir.example.com",
  models: [
    { id: "claude-opus-5", label: null },
    { id: "claude-haiku-4-5-20251001", label: null },
    { id: "house-model", label: "House model" },
  ],
  relaysTelemetry: false,
  person: { email: "ada@example.com", id: "usr_1", groups: ["eng", "with, comma"] },
  expiresAtSeconds: 1_800_000_000,
};

function effective(policy: Omit<PolicyConfig, "match">): EffectivePolicy {
  const [only] = new ManagedPolicies([{ match: {}, ...policy }]).all;
  if (only === undefined) throw new Error("there is one");
  return only;
}

describe("desktopSettings", () => {
  it("is nothing without a desktop key", () => {
    expect(desktopSettings(effective({ cli: {} }), CONTEXT)).toBeNull();
  });

  it("tells the least: where inference is, the models, when to ask again", () => {
    expect(desktopSettings(effective({ desktop: {} }), CONTEXT)).toEqual({
      inferenceProvider: "gateway",
      inferenceGatewayBaseUrl: "https://weir.example.com",
      inferenceCredentialKind: "interactive",
      inferenceModels: [
        { name: "claude-opus-5", supports1m: true },
        { name: "claude-haiku-4-5-20251001" },
        { name: "house-model", labelOverride: "House model" },
      ],
      expiresAt: 1_800_000_000,
    });
  });

  it("derives disabled tools from whole denials alone, and unites them with its own", () => {
    const policy = effective({
      cli: { permissions: { deny: ["WebFetch", "Bash(npm *)", "mcp__server__tool"] } },
      desktop: { disabledBuiltinTools: ["Edit", "WebFetch"] },
    });
    expect(desktopSettings(policy, CONTEXT)?.["disabledBuiltinTools"]).toEqual(["WebFetch", "Edit"]);
  });

  it("takes its own hosts for the network before those of the sandbox", () => {
    const cli = { sandbox: { network: { allowedDomains: ["cli.example.com"] } } };
    expect(desktopSettings(effective({ cli, desktop: {} }), CONTEXT)?.["coworkEgressAllowedHosts"]).toEqual([
      "cli.example.com",
    ]);
    const desktop = { coworkEgressAllowedHosts: ["own.example.com"] };
    expect(desktopSettings(effective({ cli, desktop }), CONTEXT)?.["coworkEgressAllowedHosts"]).toEqual([
      "own.example.com",
    ]);
  });

  it("stamps telemetry with the person, where it goes anywhere", () => {
    expect(desktopSettings(effective({ desktop: {} }), { ...CONTEXT, relaysTelemetry: true })).toMatchObject({
      otlpEndpoint: "https://weir.example.com",
      otlpProtocol: "http/protobuf",
      otlpResourceAttributes: {
        "enduser.id": "ada@example.com",
        "user.email": "ada@example.com",
        "user.groups": "eng",
        "enduser.sub": "usr_1",
      },
    });
  });

  it("cannot be told by a policy where inference is", () => {
    // The configuration refuses such keys; should one come through, the answer still ends with what Weir computes.
    expect(desktopSettings(effective({ desktop: { expiresAt: 1 } }), CONTEXT)).toMatchObject({
      expiresAt: 1_800_000_000,
    });
  });
});
