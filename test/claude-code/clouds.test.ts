/** The real Claude Code, told in each of its ways where its cloud is, through one real Weir to every kind of upstream. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { CLOUDS } from "../harness/clouds/clouds.ts";
import { asked, CloudFleet, fleetModel } from "./cloud-fleet.ts";
import { claudeCode } from "./install.ts";
import { CLAUDE_MODES, formatOf, type ClaudeMode } from "./modes.ts";

const KINDS = CLOUDS.map(({ kind }) => kind);
const claude = await claudeCode();

describe.skipIf(claude.missing)(claude.title("Claude Code through Weir, in each mode to each cloud"), () => {
  let fleet: CloudFleet;
  let unauthorized = 0;

  beforeAll(async () => {
    fleet = await CloudFleet.start({ program: claude.program });
  });
  afterAll(() => fleet.stop());

  describe.each(CLAUDE_MODES)("in %s mode", (mode) => {
    it.each(KINDS)("answers and runs a tool with %s", async (kind) => {
      const cloud = fleet.cloud(kind);
      cloud.reset();
      const canary = `canary-${mode}-${kind}`;
      const session = await fleet.run(`Run \`echo ${canary}\` please`, {
        mode,
        args: ["--model", fleetModel(kind), "--allowedTools", "Bash(echo:*)"],
      });
      const { code, stdout, stderr, requests, rows } = session;
      expect({ code, stdout, stderr }).toEqual({
        code: 0,
        stdout: `Bash (\`echo ${canary}\`) returned: ${canary}\n`,
        stderr: "",
      });
      expect(asked(requests).sort()).toEqual(expectedOf(mode, kind));
      unauthorized += requests.filter(({ status }) => status === 401).length;
      expect(fleet.complaints(kind)).toEqual([]);
      expect(rows.length).toBe(2);
      for (const row of rows) {
        expect(row).toMatchObject({
          clientFormat: formatOf(mode),
          target: kind,
          targetModel: fleet.modelAt(kind),
          modelAsked: fleetModel(kind),
          sessionId: session.id,
          agentId: null,
          stream: true,
          status: 200,
          outcome: "complete",
          usageSource: "reported",
          attempts: 1,
        });
        expect(row.costMicroUsd).toBeGreaterThan(0);
      }
      expect(cloud.charges.map(({ outcome }) => outcome)).toEqual(["whole", "whole"]);
    });
  });

  it("nobody was refused anything, but what Bedrock mode asks without a credential", async () => {
    expect(await fleet.refusals()).toEqual({ "weir:auth:missing": unauthorized });
    expect(unauthorized).toBe(KINDS.length);
    expect(fleet.complaints()).toEqual([]);
  });
});

/** What two turns ask in a mode, sorted: nothing that is answered in vain, so nothing that a developer waits for. */
function expectedOf(mode: ClaudeMode, kind: string): string[] {
  const model = fleetModel(kind);
  if (mode === "bedrock") {
    const turn = `POST /model/${model}/invoke-with-response-stream 200`;
    return ["GET /inference-profiles?type=SYSTEM_DEFINED 401", turn, turn];
  }
  const path =
    mode === "vertex"
      ? `/projects/any-project/locations/us-east5/publishers/anthropic/models/${model}:streamRawPredict`
      : "/v1/messages?beta=true";
  return [`POST ${path} 200`, `POST ${path} 200`];
}
