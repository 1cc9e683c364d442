import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { arbitrarySettings } from "./testing/arbitrary-policies.ts";
import { explainPolicy } from "./explain-policy.ts";
import { ManagedPolicies, type PolicyConfig } from "./managed-policies.ts";
import type { PolicySubject } from "./policy-match.ts";
import { settingsChecksum } from "./settings-checksum.ts";
import { telemetryEnv } from "./telemetry-env.ts";
import { testIdentity } from "./testing/test-identity.ts";

const NOBODY: PolicySubject = { groups: [], email: null, team: null };

function indexOf(policies: readonly PolicyConfig[], subject: Partial<PolicySubject>): number | null {
  return new ManagedPolicies(policies).choose({ ...NOBODY, ...subject })?.index ?? null;
}

describe("the choice of a policy", () => {
  const policies: PolicyConfig[] = [
    { match: { groups: ["contractors"], email_domain: "Example.com" } },
    { match: { groups: ["contractors", "guests"] } },
    { match: { email_domain: "@example.com" } },
    { match: { emails: ["Ada@Elsewhere.org"] } },
    { match: { teams: ["platform"] } },
  ];

  it.each<[string, Partial<PolicySubject>, number | null]>([
    ["both conditions", { groups: ["contractors"], email: "a@EXAMPLE.com" }, 0],
    ["one of the groups", { groups: ["x", "guests"] }, 1],
    ["the group without the domain", { groups: ["contractors"], email: "a@sub.example.com" }, 1],
    ["the part after the last @", { email: '"a@b"@example.com' }, 2],
    ["another spelling of the group", { groups: ["Contractors"] }, null],
    ["a whole address", { email: "ada@elsewhere.ORG" }, 3],
    ["the team's name", { team: { id: "team_1", name: "platform" } }, 4],
    ["the team's id", { team: { id: "platform", name: "P" } }, 4],
    ["nothing", { email: "example.com" }, null],
  ])("goes by %s", (_, subject, expected) => {
    expect(indexOf(policies, subject)).toBe(expected);
  });

  it("takes the first that fits, also when that is the one for everybody", () => {
    expect(indexOf([{ match: {} }, { match: { groups: ["a"] } }], { groups: ["a"] })).toBe(0);
    expect(indexOf([], { groups: ["a"] })).toBeNull();
  });

  it("remembers the answer by the identity, and no longer than that is used", () => {
    const managed = new ManagedPolicies([{ match: { groups: ["a"] }, cli: { model: "a" } }]);
    const member = testIdentity({ groups: ["a"] });
    const other = testIdentity({ groups: ["b"] });
    for (const _ of [1, 2]) {
      expect(managed.of(member)?.settings).toEqual({ model: "a" });
      expect(managed.of(other)).toBeNull();
    }
  });

  it("sees e-mail address and team of an identity", () => {
    const managed = new ManagedPolicies([{ match: { emails: ["ada@example.com"], teams: ["Platform"] } }]);
    expect(managed.of(testIdentity({ email: "ada@example.com", team: "Platform" }))?.index).toBe(0);
    expect(managed.of(testIdentity({ email: "ada@example.com" }))).toBeNull();
  });
});

describe("what holds for a policy's callers", () => {
  it("stands on the first policy for everybody", () => {
    const managed = new ManagedPolicies([
      { match: { groups: ["a"] }, cli: { model: "own" } },
      { match: {}, cli: { model: "base", cleanupPeriodDays: 1 } },
      { match: {}, cli: { cleanupPeriodDays: 2 } },
    ]);
    expect(managed.all[0]).toMatchObject({ baseIndex: 1, settings: { model: "own", cleanupPeriodDays: 1 } });
    expect(managed.all[1]).toMatchObject({ baseIndex: null, settings: { model: "base", cleanupPeriodDays: 1 } });
  });

  it("takes the older name for cli", () => {
    const managed = new ManagedPolicies([{ match: {}, settings: { model: "x" } }]);
    expect(managed.all[0]?.settings).toEqual({ model: "x" });
  });

  it("serves Claude Desktop where the policy or the base says so", () => {
    const managed = new ManagedPolicies([{ match: { groups: ["a"] } }, { match: {}, desktop: {} }]);
    expect(managed.all.map(({ desktop }) => desktop)).toEqual([{}, {}]);
    expect(new ManagedPolicies([{ match: {} }]).servesDesktop).toBe(false);
  });

  it("lets a policy's environment go before what turns telemetry on", () => {
    const env = telemetryEnv("https://weir.example.com/", [{ metrics: true, logs: false, traces: false }]);
    const managed = new ManagedPolicies([{ match: {}, cli: { env: { OTEL_METRICS_EXPORTER: "none" } } }], env);
    expect(managed.all[0]?.settings).toEqual({
      env: {
        CLAUDE_CODE_ENABLE_TELEMETRY: "1",
        OTEL_METRICS_EXPORTER: "none",
        OTEL_LOGS_EXPORTER: "none",
        OTEL_TRACES_EXPORTER: "none",
        OTEL_EXPORTER_OTLP_ENDPOINT: "https://weir.example.com",
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
      },
    });
    expect(telemetryEnv(null, [{ metrics: true, logs: true, traces: true }])).toEqual({});
    expect(telemetryEnv("https://weir.example.com", [])).toEqual({});
  });
});

describe("settingsChecksum", () => {
  it("does not depend on the order of keys, and does on everything else", () => {
    // By hand: printf '{"a":[{"c":1,"d":2}],"b":"x"}' | sha256sum
    const one = "sha256:77f9bc5f2025fb72da6657f2e6b212e6acee35067bafa633dfcda21b1dcf7577";
    expect(settingsChecksum({ b: "x", a: [{ d: 2, c: 1 }] })).toBe(one);
    expect(settingsChecksum({ a: [{ c: 1, d: 2 }], b: "x" })).toBe(one);
    expect(settingsChecksum({ a: [{ c: 1, d: 3 }], b: "x" })).not.toBe(one);
    expect(settingsChecksum({ a: [1, 2] })).not.toBe(settingsChecksum({ a: [2, 1] }));
  });
});

describe("explainPolicy", () => {
  it("names for every merged value a policy that says exactly that", () => {
    const policy = fc.record({ own: arbitrarySettings, base: arbitrarySettings });
    fc.assert(
      fc.property(policy, ({ own, base }) => {
        const policies: PolicyConfig[] = [
          { match: { groups: ["a"] }, cli: own },
          { match: {}, cli: base },
        ];
        const [effective] = new ManagedPolicies(policies).all;
        if (effective === undefined) throw new Error("there are two");
        for (const { path, setBy } of explainPolicy(effective, policies, {}).leaves) {
          if (path.length > 0) expect(setBy.length, path.join(".")).toBeGreaterThan(0);
        }
      }),
    );
  });

  it("says who is not heard, and who agrees", () => {
    const policies: PolicyConfig[] = [
      { match: { groups: ["a"] }, cli: { model: "own", permissions: { deny: ["Bash"] } } },
      {
        match: {},
        cli: { model: "base", permissions: { deny: ["Bash", "Edit"] } },
        desktop: { banner: { text: "x" } },
      },
    ];
    const [effective] = new ManagedPolicies(policies).all;
    if (effective === undefined) throw new Error("there are two");

    expect(explainPolicy(effective, policies, {})).toEqual({
      policy: "managed.policies[0]",
      base: "managed.policies[1]",
      leaves: [
        {
          path: ["model"],
          value: "own",
          setBy: ["managed.policies[0]"],
          insteadOf: [{ source: "managed.policies[1]", value: "base" }],
        },
        {
          path: ["permissions", "deny"],
          value: "Bash",
          setBy: ["managed.policies[1]", "managed.policies[0]"],
          insteadOf: [],
        },
        { path: ["permissions", "deny"], value: "Edit", setBy: ["managed.policies[1]"], insteadOf: [] },
      ],
      desktop: [{ path: ["banner", "text"], value: "x", setBy: ["managed.policies[1]"], insteadOf: [] }],
    });
  });
});
