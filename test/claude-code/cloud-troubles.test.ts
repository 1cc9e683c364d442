/** The real Claude Code through a real Weir while one of two clouds is in trouble. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { CloudFault } from "../harness/clouds/cloud-fault.ts";
import { CLOUDS } from "../harness/clouds/clouds.ts";
import { CloudFleet, fleetModel } from "./cloud-fleet.ts";
import { claudeCode } from "./install.ts";
import { formatOf, type ClaudeMode } from "./modes.ts";

const claude = await claudeCode();

const LIMITED: CloudFault = { kind: "status", status: 429, headers: { "retry-after": "30" } };
const OVERLOADED: CloudFault = { kind: "status", status: 529 };
const FAILED: CloudFault = { kind: "status", status: 503 };
const FORBIDDEN: CloudFault = { kind: "status", status: 403 };
const AT_ONCE: CloudFault = { kind: "error_event", afterEvents: 0 };
const RESET: CloudFault = { kind: "reset" };

/** Mode, the cloud in trouble, the one that is well, what goes wrong. Each cloud is in trouble once: no test feels another's. */
const FAILOVERS: readonly (readonly [ClaudeMode, string, string, string, CloudFault])[] = [
  ["anthropic", "bedrock", "vertex", "429 with retry-after", LIMITED],
  ["apikey", "azure-openai", "custom", "429 with retry-after", LIMITED],
  ["bedrock", "vertex", "anthropic", "429 with retry-after", LIMITED],
  ["vertex", "anthropicAws", "bedrock", "529", OVERLOADED],
  ["foundry", "foundry", "openai", "529", OVERLOADED],
  ["bedrock", "anthropic", "openai-responses", "529", OVERLOADED],
  ["anthropic", "openai-responses", "foundry-entra", "503", FAILED],
  ["vertex", "openai", "custom-sagemaker", "403 for Weir's own credential", FORBIDDEN],
  ["foundry", "custom-sagemaker", "anthropicAws", "error as the first event", AT_ONCE],
  ["apikey", "custom", "foundry", "reset connection", RESET],
];

describe.skipIf(claude.missing)(claude.title("Claude Code through Weir with a cloud in trouble"), () => {
  let fleet: CloudFleet;

  beforeAll(async () => {
    const models = Object.fromEntries(FAILOVERS.map(([, bad, good]) => [pairModel(bad, good), [bad, good]]));
    // Probes would find out too, and there would be nothing to fail over from.
    const config = { health: { probes: { enabled: false } } };
    fleet = await CloudFleet.start({ program: claude.program, models, config });
  });
  beforeEach(() => fleet.reset());
  afterAll(() => fleet.stop());

  it.each(FAILOVERS)("in %s mode nobody sees that %s is in trouble while %s is well: %s", async (...row) => {
    const [mode, bad, good, , fault] = row;
    fleet.cloud(bad).always(fault);
    const session = await fleet.run("Run `echo failover-canary` please", {
      mode,
      args: ["--model", pairModel(bad, good), "--allowedTools", "Bash(echo:*)"],
    });
    const { code, stdout, stderr, requests, rows } = session;
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: "Bash (`echo failover-canary`) returned: failover-canary\n",
      stderr: "",
    });
    const posts = requests.filter(({ method }) => method === "POST");
    expect(posts.map(({ status }) => status)).toEqual([200, 200]);
    expect(rows.length).toBe(2);
    for (const row of rows) {
      expect(row).toMatchObject({ target: good, status: 200, outcome: "complete", clientFormat: formatOf(mode) });
    }
    expect(rows[0]?.attempts).toBe(2);
    expect(fleet.cloud(good).charges.length).toBe(2);
    expect(fleet.cloud(bad).charges.filter(({ outcome }) => outcome === "whole")).toEqual([]);
    expect(fleet.complaints()).toEqual([]);
  });

  it.each<[ClaudeMode, string, "fin" | "rst" | "clean"]>([
    ["anthropic", "bedrock", "fin"],
    ["anthropic", "openai", "clean"],
    ["bedrock", "bedrock", "rst"],
    ["bedrock", "foundry-entra", "clean"],
    ["vertex", "azure-openai-deployments", "rst"],
    ["vertex", "vertex", "fin"],
    ["foundry", "openai-compatible", "fin"],
  ])("in %s mode recovers from a stream that %s cuts (%s): it asks again, and both are metered", async (...row) => {
    const [mode, kind, how] = row;
    fleet.cloud(kind).nextFault({ kind: "cut", afterEvents: 6, how });
    const { code, stdout, requests, rows } = await fleet.run("Say hello", {
      mode,
      args: ["--model", fleetModel(kind)],
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("sandbox") });
    expect(requests.filter(({ method }) => method === "POST").length).toBe(2);
    expect(rows).toMatchObject([
      { target: kind, outcome: "upstream_cut", attempts: 1 },
      { target: kind, outcome: "complete", usageSource: "reported", status: 200 },
    ]);
    expect(rows[0]?.usageSource).not.toBe("reported");
    expect(rows[0]?.costMicroUsd).toBeGreaterThan(0);
    expect(fleet.complaints()).toEqual([]);
  });

  it("has every kind of upstream in some trouble", () => {
    const inTrouble = new Set(FAILOVERS.map(([, bad]) => bad));
    const spared = CLOUDS.map(({ kind }) => kind).filter((kind) => !inTrouble.has(kind));
    // The same providers as others, by another credential or path; their streams are cut above.
    expect(spared).toEqual(["foundry-entra", "azure-openai-deployments", "openai-compatible"]);
  });
});

/** The name under which two upstreams serve the model, the one in trouble first. */
function pairModel(bad: string, good: string): string {
  return `${fleetModel(bad)}-else-${good.toLowerCase()}`;
}
