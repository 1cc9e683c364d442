/** Reports, and a session that ran away, in a real Weir. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ask, type HttpAnswer } from "../harness/http-answer.ts";
import { messageBody, messageHeaders } from "../harness/message-request.ts";
import { eventually } from "../harness/waiting.ts";
import { WeirProcess } from "../harness/weir-process.ts";

/** Every command is a process of its own. */
const TIMEOUT_MS = 120_000;

type Json = Readonly<Record<string, unknown>>;

let weir: WeirProcess;

beforeAll(async () => {
  weir = await WeirProcess.start();
});
afterAll(async () => {
  await weir.dispose();
});

async function message(session: string, more: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
  const headers = messageHeaders(weir.key, { "x-claude-code-session-id": session, ...more });
  return await ask(`${weir.url}/v1/messages`, { method: "POST", headers, body: messageBody() });
}

async function command(...words: readonly string[]): Promise<Json> {
  const { stdout } = await weir.command(...words, "--json");
  // What a command prints as JSON is an object, by the contract of `--json`.
  return JSON.parse(stdout) as Json;
}

describe("reports of a running Weir", () => {
  it(
    "show a session as its agents made it, within seconds",
    async () => {
      expect((await message("ses_tree")).status).toBe(200);
      await message("ses_tree", { "x-claude-code-agent-id": "explore" });
      await message("ses_tree", { "x-claude-code-agent-id": "grep", "x-claude-code-parent-agent-id": "explore" });
      await eventually("all three are in the ledger", async () => (await weir.database.entries()).length === 3);
      const tree = await command("report", "session", "ses_tree");
      expect(tree).toMatchObject({
        session: "ses_tree",
        total: { requests: 3 },
        agents: [{ kind: "main", agents: [{ agent_id: "explore", agents: [{ agent_id: "grep" }] }] }],
      });
      const rows = await weir.database.entries();
      const spent = rows.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0);
      expect(spent).toBeGreaterThan(0);
      for (const by of ["session", "model"]) {
        expect(await command("report", "cost", "--by", by)).toMatchObject({ total: { cost_micro_usd: spent } });
      }
      expect(await command("report", "users")).toMatchObject({ users: [{ conversations: 1, cost_micro_usd: spent }] });
    },
    TIMEOUT_MS,
  );

  it(
    "refuse a paused session with 403, until it is resumed",
    async () => {
      const organizationId = (await weir.database.entries())[0]?.organizationId ?? "";
      await weir.database.withStore((store) =>
        store.sessionPauses.put({
          organizationId,
          sessionId: "ses_loop",
          atMs: Date.now(),
          spentMicroUsd: 25_000_000,
          usualMicroUsd: 1_000_000,
          windowMs: 300_000,
        }),
      );
      const refused = await eventually("the session is paused", async () => {
        const answer = await message("ses_loop");
        return answer.status === 403 && answer;
      });
      expect(refused.headers["x-should-retry"]).toBe("false");
      expect(refused.body.toString("utf8")).toContain("weir session resume ses_loop");
      expect((await message("ses_other")).status).toBe(200);
      expect(await command("session", "list")).toMatchObject({ sessions: [{ session: "ses_loop" }] });
      await command("session", "resume", "ses_loop", "--reason", "it was meant");
      await eventually("the session goes on", async () => (await message("ses_loop")).status === 200);
      const acts = await weir.database.query("select action from weir.audit_rows where action = 'session.resume'");
      expect(acts).toHaveLength(1);
    },
    TIMEOUT_MS,
  );
});
