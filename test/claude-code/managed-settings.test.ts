/** Weir's policies against Anthropic's own gateway, which is in the `claude` program: the same file, the same people, the same answers. */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { BUILTIN_MODELS } from "../../src/message/models.ts";
import { arbitraryDesktop, arbitrarySettings } from "../../src/policy/managed/testing/arbitrary-policies.ts";
import { desktopSettings } from "../../src/policy/managed/desktop-settings.ts";
import { ManagedPolicies, type PolicyConfig } from "../../src/policy/managed/managed-policies.ts";
import { ModelAllowlist } from "../../src/policy/managed/model-allowlist.ts";
import { telemetryEnv } from "../../src/policy/managed/telemetry-env.ts";
import { AnthropicGateway, GatewayRefused, type SignedIn } from "./anthropic-gateway.ts";
import { claudeCode } from "./install.ts";

const claude = await claudeCode();
const SEED = 20_261_121;
const POLICIES = 120;

interface Served {
  readonly uuid: string;
  readonly checksum: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

describe.skipIf(claude.missing)(claude.title("policies as Anthropic's gateway merges them"), () => {
  let gateway: AnthropicGateway;

  beforeAll(async () => {
    gateway = await AnthropicGateway.prepare(claude.program);
  });
  afterAll(() => gateway.dispose());

  async function get(path: string, person: SignedIn, headers: Record<string, string> = {}): Promise<Response> {
    const token = await gateway.token(person);
    return await fetch(gateway.url + path, { headers: { authorization: `Bearer ${token}`, ...headers } });
  }

  function sample(withDesktop: boolean): PolicyConfig[] {
    const policy = fc.record(
      { cli: arbitrarySettings, ...(withDesktop ? { desktop: arbitraryDesktop } : {}) },
      { requiredKeys: [] },
    );
    return fc
      .sample(policy, { seed: SEED, numRuns: POLICIES })
      .map((entry, i) => ({ ...entry, match: { groups: [`group-${i}`] } }));
  }

  it("signs a person in, as the tests' own tokens stand for", async () => {
    await gateway.run({ managed: { policies: [{ match: { groups: ["eng"] }, cli: { model: "opus" } }] } });
    const token = await gateway.signIn({ email: "ada@example.com", groups: ["eng"] });

    const answer = await fetch(`${gateway.url}/managed/settings`, { headers: { authorization: `Bearer ${token}` } });

    expect(await answer.json()).toMatchObject({ settings: { model: "opus" } });
  });

  it.each([
    ["with a base", true],
    ["without one", false],
  ])("gives everybody the same settings under the same checksum, %s", async (_, withBase) => {
    const [base, ...rest] = sample(false);
    const policies = withBase ? [...rest, { ...base, match: {} }] : rest;
    await gateway.run({ managed: { policies } });
    const ours = new ManagedPolicies(policies);

    for (const [i, { match }] of policies.entries()) {
      const groups = match.groups ?? ["of nobody"];
      const served = (await (
        await get("/managed/settings", { email: "a@b.example", groups: [...groups] })
      ).json()) as Served;
      const own = ours.choose({ groups, email: "a@b.example", team: null });
      expect(own?.settings, `policy ${i}`).toEqual(served.settings);
      expect(own?.checksum).toBe(served.checksum);
      expect(served.uuid).toBe(served.checksum);
    }
    expect(policies.length).toBeGreaterThan(100);
  });

  it("chooses the same policy for the same person", async () => {
    const policies = [
      { match: { groups: ["a"], email_domain: "Example.com" }, cli: { model: "both" } },
      { match: { groups: ["a", "b"] }, cli: { model: "groups" } },
      { match: { email_domain: " @example.COM " }, cli: { model: "domain" } },
      { match: { groups: ["c"] }, settings: { model: "older name" } },
      { match: { groups: ["d"] }, cli: { model: "cli" }, settings: { model: "settings" } },
    ];
    await gateway.run({ managed: { policies } });
    const ours = new ManagedPolicies(policies);
    const people: SignedIn[] = [
      "a@example.com",
      "a@EXAMPLE.COM",
      "a@sub.example.com",
      '"x@y"@example.com',
      "example.com",
    ].flatMap((email) => [[], ["a"], ["A"], ["b"], ["c"], ["d"], ["b", "a"]].map((groups) => ({ email, groups })));

    for (const { email, groups } of people) {
      const answer = await get("/managed/settings", { email, groups });
      const own = ours.choose({ groups, email, team: null });
      expect(own === null, `${email} in ${groups.join()}`).toBe(answer.status === 404);
      if (answer.status === 200) expect(own?.settings).toEqual(((await answer.json()) as Served).settings);
    }
  });

  it("turns telemetry on with the same variables", async () => {
    const policies = [
      { match: { groups: ["own"] }, cli: { env: { OTEL_EXPORTER_OTLP_ENDPOINT: "https://otel.example.com", X: "1" } } },
      { match: {}, cli: { env: { OTEL_LOGS_EXPORTER: "otlp" } } },
    ];
    for (const flags of [{}, { logs: true, metrics: false }, { traces: true }]) {
      const destination = { metrics: true, logs: false, traces: false, ...flags };
      const forward_to = [{ url: "https://collector.example.com", ...destination }];
      await gateway.run({ managed: { policies }, telemetry: { forward_to } });
      const ours = new ManagedPolicies(policies, telemetryEnv(gateway.url, [destination]));
      for (const groups of [["own"], []]) {
        const served = (await (await get("/managed/settings", { email: "a@b.example", groups })).json()) as Served;
        expect(ours.choose({ groups, email: null, team: null })?.settings).toEqual(served.settings);
      }
    }
  });

  it("gives Claude Desktop the same, but for the catalogue of models", async () => {
    const [base, ...rest] = sample(true);
    const policies = [...rest, { ...base, match: {} }];
    await gateway.run({ managed: { policies }, telemetry: { forward_to: [{ url: "https://collector.example.com" }] } });
    const ours = new ManagedPolicies(
      policies,
      telemetryEnv(gateway.url, [{ metrics: true, logs: false, traces: false }]),
    );
    let served = 0;

    for (const { match } of policies) {
      const groups = [...(match.groups ?? ["of-nobody"])];
      const answer = await get("/user/bootstrap", { email: "a@b.example", groups });
      const policy = ours.choose({ groups, email: null, team: null });
      const own =
        policy === null
          ? null
          : desktopSettings(policy, {
              origin: gateway.url,
              models: [],
              relaysTelemetry: true,
              person: { email: "a@b.example", id: "sub-a@b.example", groups },
              expiresAtSeconds: 0,
            });
      expect(own === null).toBe(answer.status === 404);
      if (own === null) continue;
      served++;
      const theirs = (await answer.json()) as Record<string, unknown>; // its form is what is compared
      expect({ ...own, inferenceModels: null, expiresAt: null }).toEqual({
        ...theirs,
        inferenceModels: null,
        expiresAt: null,
      });
    }
    expect(served).toBeGreaterThan(50);
  });

  it("allows the same models, by whatever a policy calls them", async () => {
    const lists = [
      ["opus"],
      ["OPUS"],
      [" opus "],
      ["opus[1m]"],
      ["sonnet"],
      ["haiku"],
      ["fable"],
      ["mythos"],
      ["claude"],
      ["claude-opus"],
      ["claude-opus-4"],
      ["opus-4"],
      ["claude-opus-4-5"],
      ["opus-4-5"],
      ["claude-opus-4-8[1m]"],
      ["fable-5"],
      ["default"],
      ["best"],
      ["opusplan"],
      ["*"],
      ["claude-*"],
      [],
      ["opus", "claude-opus-4-8"],
      ["sonnet", "opus-4"],
      ["sonnet", "claude-sonnet-4-5", "haiku"],
    ];
    const policies = lists.map((availableModels, i) => ({
      match: { groups: [`list-${i}`] },
      cli: { availableModels },
    }));
    await gateway.run({ managed: { policies } });
    const models = BUILTIN_MODELS.map(({ id }) => id);

    for (const [i, list] of lists.entries()) {
      const token = await gateway.token({ email: "a@b.example", groups: [`list-${i}`] });
      const own = new ModelAllowlist(list);
      for (const model of models) {
        const answer = await fetch(`${gateway.url}/v1/messages`, {
          method: "POST",
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
          body: JSON.stringify({ model, max_tokens: 1, messages: [{ role: "user", content: "x" }] }),
        });
        const refused = answer.status === 400 && (await answer.text()).includes("role's");
        expect(own.allows(model), `${model} by ${JSON.stringify(list)}`).toBe(!refused);
      }
    }
  });

  it("refuses what Weir refuses of a matcher", async () => {
    for (const match of [
      { groups: [] },
      { groups: [""] },
      { email_domain: "" },
      { email_domain: "a@b" },
      { group: ["a"] },
    ]) {
      await expect(gateway.run({ managed: { policies: [{ match, cli: {} }] } })).rejects.toThrow(GatewayRefused);
    }
  });
});
