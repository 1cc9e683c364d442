/** The real Claude Code through a real Weir whose upstream is in trouble, or whose budget is used up. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import type { Entry } from "../../src/message/entry.ts";
import { exactCostMicroUsd } from "../harness/exact-cost.ts";
import { FakeUpstream, type Reply, type SeenRequest } from "../harness/fake-upstream.ts";
import { toolEvents } from "../harness/message-events.ts";
import { eventually } from "../harness/waiting.ts";
import { WeirProcess } from "../harness/weir-process.ts";
import { claudeCode } from "./install.ts";
import { runClaude, type ClaudeOptions, type ClaudeRun } from "./run-claude.ts";

const TEXT = "Grüße, 世界 und 🌊🏞️ plain end.";
/** A probe would take an answer that is meant for a request. */
const NO_PROBES = { health: { probes: { enabled: false } } };
const claude = await claudeCode();

describe.skipIf(claude.missing)(claude.title("Claude Code through Weir, in trouble"), () => {
  let upstream: FakeUpstream;
  let weir: WeirProcess;
  const seenRows = new Set<string>();

  beforeAll(async () => {
    upstream = await FakeUpstream.start();
    weir = await WeirProcess.start({ upstreamUrl: upstream.url, config: NO_PROBES });
  });
  afterEach(() => upstream.reset());
  afterAll(async () => {
    await weir.dispose();
    await upstream.stop();
  });

  function run(options: Partial<ClaudeOptions> = {}): Promise<ClaudeRun> {
    return runClaude("Say hello", { program: claude.program, url: weir.url, key: weir.key, ...options });
  }

  async function restart(config: Readonly<Record<string, unknown>>): Promise<void> {
    await weir.end();
    await weir.configure({ upstreamUrl: upstream.url, config: { ...NO_PROBES, ...config } });
    await weir.begin();
  }

  /** The rows since the last look, each at its exact price. Default: one for each request that reached the upstream. */
  async function newRows(count = upstream.requests.length): Promise<Entry[]> {
    const rows = (await weir.entries(seenRows.size + count)).filter((row) => !seenRows.has(row.exchangeId));
    for (const row of rows) {
      seenRows.add(row.exchangeId);
      expect(row.costMicroUsd).toBe(exactCostMicroUsd(row.modelServed, row.usage));
    }
    return rows;
  }

  const error = (status: number, type: string, headers: Record<string, string> = {}): Reply => ({
    kind: "whole",
    status,
    body: { type: "error", error: { type, message: "in trouble" } },
    headers,
  });

  const troubles: readonly (readonly [string, number, string, Record<string, string>])[] = [
    ["429 with retry-after", 429, "rate_limit_error", { "retry-after": "1" }],
    ["529", 529, "overloaded_error", {}],
    ["500", 500, "api_error", {}],
  ];

  it.each(troubles)("does not see a %s: Weir asks again, and only the answer costs", async (...trouble) => {
    const [, status, type, headers] = trouble;
    upstream.reply(error(status, type, headers));
    const { code, stdout, stderr } = await run();
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${TEXT}\n`, stderr: "" });
    expect(upstream.requests.length).toBe(2);
    expect(await newRows(1)).toMatchObject([
      { status: 200, outcome: "complete", usageSource: "reported", attempts: 2, attempt: 2 },
    ]);
  });

  it.each(["destroy", "end", "error"] as const)(
    "recovers from a cut stream (%s): both tries are metered",
    async (how) => {
      upstream.reply({ kind: "stream", cut: { afterEvents: 5, how } });
      const { code, stdout } = await run();
      expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("plain end.") });
      const rows = await newRows();
      expect(rows).toMatchObject([
        { outcome: how === "error" ? "upstream_error" : "upstream_cut", usageSource: "partial" },
        { outcome: "complete", usageSource: "reported" },
      ]);
      // The cut one had begun: its input was read and some output was made.
      expect(rows[0]!.usage).toMatchObject({ inputTokens: 100, cacheReadTokens: 1_000 });
      expect(rows[0]!.costMicroUsd).toBeGreaterThan(0);
      expect(rows[0]!.costMicroUsd).toBeLessThan(rows[1]!.costMicroUsd);
    },
  );

  it("tells agents within agents apart, up to the parent", async () => {
    upstream.otherwise(nested);
    const { code } = await run({ args: ["--allowedTools", "Task", "Agent"] });
    expect(code).toBe(0);
    const asked = upstream.requests.map(({ headers }) => ({
      agentId: headers["x-claude-code-agent-id"] ?? null,
      parentAgentId: headers["x-claude-code-parent-agent-id"] ?? null,
    }));
    const rows = await newRows();
    expect(rows.map(({ agentId, parentAgentId }) => ({ agentId, parentAgentId }))).toEqual(asked);
    const parents = rows.flatMap(({ parentAgentId }) => (parentAgentId === null ? [] : [parentAgentId]));
    expect(parents.length).toBeGreaterThan(0);
    expect(rows.map(({ agentId }) => agentId)).toEqual(expect.arrayContaining(parents));
  });

  describe("with Weir's own retries switched off", () => {
    beforeAll(() => restart({ retries: { max_attempts: 1 } }));
    afterAll(() => restart({}));

    it.each(troubles)("recovers from a %s: it asks again, and only the answer costs", async (...trouble) => {
      const [, status, type, headers] = trouble;
      upstream.reply(error(status, type, headers));
      const { code, stdout } = await run();
      expect({ code, stdout }).toEqual({ code: 0, stdout: `${TEXT}\n` });
      const rows = await newRows();
      expect(rows).toMatchObject([
        { status, outcome: "upstream_error", costMicroUsd: 0 },
        { status: 200, outcome: "complete", usageSource: "reported" },
      ]);
      expect(rows[0]?.sessionId).toBe(rows[1]?.sessionId);
    });
  });

  it("shows a 401 as one, without asking again and again", async () => {
    const { code, stdout } = await run({ key: `wr-dev-${"x".repeat(43)}` });
    expect(code).toBe(1);
    expect(stdout).toContain("401");
    expect(stdout).toContain("not known to Weir");
    expect(upstream.requests).toEqual([]);
  });

  it("shows a budget that is used up in the words that Weir says it in, at once", async () => {
    await restart({ budgets: [{ scope: "organization", window: "month", limit_usd: "0.0001" }] });
    const logBefore = weir.log.length;
    const { code, stdout } = await run();
    expect(code).toBe(1);
    expect(stdout).toMatch(/429/);
    expect(stdout).toMatch(/spend limit reached · resets \w{3} \d+/);
    expect(stdout).toContain("monthly budget of this organization, $0.0001");
    expect(stdout).toContain("ask your administrator");
    expect(upstream.requests).toEqual([]);
    const refused = (): string[] =>
      weir.log
        .slice(logBefore)
        .split("\n")
        .filter((line) => line.includes('"status":429') && line.includes('"cost_micro_usd":0'));
    await eventually("the refusal is in the log", () => refused().length > 0);
    expect(refused().length).toBe(1);
  });
});

/** The main agent starts an agent, that one starts another, which answers; then each has its answer. */
function nested(request: SeenRequest): Reply {
  const { headers, body } = request;
  const depth =
    headers["x-claude-code-parent-agent-id"] !== undefined
      ? 2
      : headers["x-claude-code-agent-id"] !== undefined
        ? 1
        : 0;
  const hasResult = body.includes('"tool_result"');
  const tool = body.includes('"name":"Agent"') ? "Agent" : body.includes('"name":"Task"') ? "Task" : null;
  if (depth === 2 || hasResult || tool === null) return { kind: "stream" };
  const input = { description: "Go deeper", prompt: `Go deeper than ${depth}.`, subagent_type: "general-purpose" };
  return { kind: "stream", events: toolEvents(tool, input) };
}
