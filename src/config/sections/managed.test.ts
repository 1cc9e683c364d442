import { describe, expect, it } from "vitest";

import { loadText } from "../testing/config-directory.ts";

const HEAD =
  'listen: { host: 127.0.0.1, public_url: "https://weir.example.com" }\nupstreams: [{ provider: sandbox }]\n';

/** Code and path of every diagnostic of a configuration with this one policy. */
async function diagnose(policies: string): Promise<string[]> {
  const loaded = await loadText(`${HEAD}managed:\n  policies: ${policies}\n`);
  return (loaded.ok ? loaded.warnings : loaded.diagnostics).map(
    ({ severity, code, path }) => `${severity} ${code} ${path}`,
  );
}

describe("managed.policies", () => {
  it.each([
    "[{ match: { groups: [a] }, cli: { availableModels: [opus] } }, { match: {}, cli: {} }]",
    "[{ cli: {} }]",
    "[{ match: {}, settings: { model: opus } }]",
    "[{ match: { email_domain: ' @Example.com ' }, cli: {} }]",
    "[{ match: {}, desktop: { someNewKey: { deep: [1] } } }]",
    "[{ match: {}, cli: { env: { A: 1, B: true }, permissions: { newer: x }, statusLine: { type: command, command: x } } }]",
    "[]",
  ])("takes %s", async (policies) => {
    expect(await diagnose(policies)).toEqual([]);
  });

  it.each([
    ["[{ match: { groups: [] } }]", "managed.policies[0].match.groups"],
    ["[{ match: { groups: [''] } }]", "managed.policies[0].match.groups[0]"],
    ["[{ match: { group: [a] } }]", "managed.policies[0].match.group"],
    ["[{ match: { email_domain: '' } }]", "managed.policies[0].match.email_domain"],
    ["[{ match: { email_domain: a@b } }]", "managed.policies[0].match.email_domain"],
    ["[{ match: { email_domain: 'a.com,b.com' } }]", "managed.policies[0].match.email_domain"],
    ["[{ match: {}, extra: 1 }]", "managed.policies[0].extra"],
    ["[{ match: {}, cli: { permisions: {} } }]", "managed.policies[0].cli.permisions"],
    ["[{ match: {}, cli: { mcpServers: {} } }]", "managed.policies[0].cli.mcpServers"],
    ["[{ match: {}, cli: { availableModels: opus } }]", "managed.policies[0].cli.availableModels"],
    ["[{ match: {}, cli: { availableModels: [1] } }]", "managed.policies[0].cli.availableModels[0]"],
    ["[{ match: {}, cli: { permissions: { deny: x } } }]", "managed.policies[0].cli.permissions.deny"],
    ["[{ match: {}, cli: { cleanupPeriodDays: x } }]", "managed.policies[0].cli.cleanupPeriodDays"],
    ["[{ match: {}, cli: { hooks: { Stop: x } } }]", "managed.policies[0].cli.hooks.Stop"],
    ["[{ match: {}, desktop: { bootstrapUrl: x } }]", "managed.policies[0].desktop.bootstrapUrl"],
    ["[{ match: {}, desktop: { inferenceModels: [] } }]", "managed.policies[0].desktop.inferenceModels"],
    [
      "[{ match: {}, desktop: { coworkEgressAllowedHosts: '' } }]",
      "managed.policies[0].desktop.coworkEgressAllowedHosts",
    ],
    [
      "[{ match: {}, desktop: { builtinToolPolicy: { Bash: deny } } }]",
      "managed.policies[0].desktop.builtinToolPolicy",
    ],
  ])("refuses %s at %s", async (policies, path) => {
    const found = await diagnose(policies);
    expect(found.filter((line) => line.startsWith("error ")).map((line) => line.split(" ").at(-1))).toEqual([path]);
  });

  it("warns of settings that no client is known to have, and of policies that are never chosen", async () => {
    expect(await diagnose("[{ match: {}, cli: { brandNewThing: 1 } }, { match: { groups: [a] } }]")).toEqual([
      "warning unknown_client_setting managed.policies[0].cli.brandNewThing",
      "warning policy_unreachable managed.policies[1]",
    ]);
  });
});

describe("telemetry.forward_to", () => {
  async function problems(telemetry: string): Promise<string[]> {
    const loaded = await loadText(`${HEAD}telemetry: ${telemetry}\n`);
    return loaded.ok ? [] : loaded.diagnostics.map(({ path }) => path);
  }

  it.each([
    "{ forward_to: [{ url: https://otel.example.com:4318, headers: { Authorization: Bearer secret-1 }, logs: true }] }",
    "{ forward_to: [{ url: http://localhost:4318 }, { url: 'http://[::1]:4318' }] }",
    "{ forward_to: [] }",
    "{}",
  ])("takes %s", async (telemetry) => {
    expect(await problems(telemetry)).toEqual([]);
  });

  it.each([
    ["{ forward_to: [{ url: http://otel.example.com }] }", "telemetry.forward_to[0].url"],
    ["{ forward_to: [{ url: ftp://x }] }", "telemetry.forward_to[0].url"],
    ["{ forward_to: [{ url: https://x.example.com, metric: true }] }", "telemetry.forward_to[0].metric"],
    ["{ forward_to: [{ url: https://x.example.com, headers: { A: 1 } }] }", "telemetry.forward_to[0].headers.A"],
  ])("refuses %s at %s", async (telemetry, path) => {
    expect(await problems(telemetry)).toEqual([path]);
  });
});
