/** What people do with Claude Code beyond a turn and a tool, in each of its modes, through one real Weir to other clouds. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { CloudFleet, fleetModel, type ClaudeSession } from "./cloud-fleet.ts";
import { claudeCode } from "./install.ts";
import { formatOf, type ClaudeMode } from "./modes.ts";

const claude = await claudeCode();

const PROFILE = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/team-sonnet";
const ECHO = ["--allowedTools", "Bash(echo:*)"];
/** Each mode with a cloud that speaks another format than it does. */
const CROSSED: readonly (readonly [ClaudeMode, string])[] = [
  ["anthropic", "bedrock"],
  ["apikey", "custom-sagemaker"],
  ["bedrock", "openai-responses"],
  ["vertex", "anthropic"],
  ["foundry", "vertex"],
];
const COUNTING = /count[-_]tokens/;

describe.skipIf(claude.missing)(claude.title("Claude Code through Weir to other clouds"), () => {
  let fleet: CloudFleet;

  beforeAll(async () => {
    fleet = await CloudFleet.start({ program: claude.program, models: { [PROFILE]: ["bedrock"] } });
  });
  beforeEach(() => fleet.reset());
  afterAll(() => fleet.stop());

  it.each(CROSSED)("tells a session in %s mode at %s as stream-json: thinking, tool, result", async (mode, kind) => {
    const session = await fleet.run("Run `echo stream-canary` please", {
      mode,
      args: ["--model", fleetModel(kind), ...ECHO, "--output-format", "stream-json", "--verbose"],
    });
    expect({ code: session.code, stderr: session.stderr }).toEqual({ code: 0, stderr: "" });
    expect(session.rows).toMatchObject([
      { target: kind, status: 200, attempts: 1 },
      { target: kind, status: 200, attempts: 1 },
    ]);
    const events = eventsOf(session);
    expect(events.at(-1)).toMatchObject({ type: "result", subtype: "success", is_error: false, num_turns: 2 });
    const blocks = blockTypesOf(events);
    expect(blocks.at(-1)).toBe("text");
    // The engine may say something before it calls the tool.
    expect(blocks.filter((type) => type !== "text")).toEqual(["thinking", "tool_use", "tool_result"]);
    const told = events.filter(({ type }) => type === "assistant").map((event) => event["request_id"]);
    expect([...new Set(told)]).toEqual(session.rows.map(({ exchangeId }) => exchangeId));
    expect(fleet.complaints()).toEqual([]);
  });

  it.each(CROSSED)("gives the thinking back signed, in %s mode to %s", async (mode, kind) => {
    await fleet.run("Run `echo signed-canary` please", { mode, args: ["--model", fleetModel(kind), ...ECHO] });
    const [first, second] = fleet.cloud(kind).requests.filter(({ method }) => method === "POST");
    const sealed = kind.startsWith("openai") ? /"encrypted_content":"[^"]{20,}"/ : /"signature":"[^"]{20,}"/;
    expect(first?.body.toString()).not.toMatch(sealed);
    expect(second?.body.toString()).toMatch(sealed);
    expect(fleet.complaints()).toEqual([]);
  });

  it.each(CROSSED)("tells a subagent in %s mode at %s from the main agent", async (mode, kind) => {
    const { code, stdout, requests, rows } = await fleet.run("Use a subagent to run `echo sub-canary-88`", {
      mode,
      args: ["--model", fleetModel(kind), ...ECHO, "Task", "Agent"],
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("sub-canary-88") });
    const sent = requests
      .filter(({ method }) => method === "POST")
      .map(({ headers }) => headers["x-claude-code-agent-id"] ?? null);
    expect(rows.map(({ agentId }) => agentId)).toEqual(sent);
    expect(rows.filter(({ agentId }) => agentId === null).length).toBe(2);
    expect(rows.filter(({ agentId }) => agentId !== null).length).toBe(2);
    for (const row of rows) expect(row).toMatchObject({ clientFormat: formatOf(mode), target: kind, status: 200 });
    expect(fleet.complaints()).toEqual([]);
  });

  it.each<[ClaudeMode, string]>([
    ["anthropic", "bedrock"],
    ["apikey", "foundry-entra"],
    ["bedrock-token", "vertex"],
    ["vertex", "bedrock"],
    ["foundry", "custom"],
  ])("counts tokens for /context in %s mode at %s, free of charge", async (mode, kind) => {
    const session = await fleet.run("/context", { mode, args: ["--model", fleetModel(kind)] });
    expect({ code: session.code, stdout: session.stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining("Context Usage"),
    });
    const counts = session.requests.filter(({ url }) => COUNTING.test(url));
    expect(counts.length).toBeGreaterThan(5);
    expect(new Set(session.requests.map(({ status }) => status))).toEqual(new Set([200]));
    expect(session.rows.filter(({ target }) => target === kind)).toEqual([]);
    expect(fleet.cloud(kind).charges).toEqual([]);
    expect(fleet.complaints()).toEqual([]);
  });

  it.each<ClaudeMode>(["anthropic", "bedrock-token", "vertex", "foundry"])(
    "shows /context in %s mode at a cloud that cannot count, from an estimate of Weir's own",
    async (mode) => {
      const session = await fleet.run("/context", { mode, args: ["--model", fleetModel("openai")] });
      expect({ code: session.code, stdout: session.stdout }).toEqual({
        code: 0,
        stdout: expect.stringContaining("Context Usage"),
      });
      const counts = session.requests.filter(({ url }) => COUNTING.test(url));
      expect(counts.length).toBeGreaterThan(5);
      expect(new Set(counts.map(({ status }) => status))).toEqual(new Set([200]));
      expect(session.rows.filter(({ target }) => target === "openai")).toEqual([]);
      expect(fleet.cloud("openai").charges).toEqual([]);
      expect(fleet.complaints()).toEqual([]);
    },
  );

  it.each<ClaudeMode>(["anthropic", "apikey", "bedrock", "bedrock-token", "vertex", "foundry"])(
    "serves the models that Claude Code asks for by itself in %s mode, in that cloud's spelling",
    async (mode) => {
      const session = await fleet.run("Say hello", { mode });
      expect({ code: session.code, stdout: session.stdout }).toEqual({
        code: 0,
        stdout: expect.stringContaining("sandbox"),
      });
      expect(session.rows.length).toBeGreaterThan(0);
      for (const row of session.rows) {
        expect(row).toMatchObject({ target: "anthropic", clientFormat: formatOf(mode), status: 200 });
        expect(row.modelServed).toMatch(/^claude-(?:opus|sonnet|haiku)-\d(?:-\d)?$/);
      }
      expect(fleet.complaints()).toEqual([]);
    },
  );

  it("lists inference profiles for Bedrock mode, and looks one up that is the model", async () => {
    const { code, stdout, requests, rows } = await fleet.run("Say hello", {
      mode: "bedrock-token",
      args: ["--model", PROFILE],
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("sandbox") });
    const lookedUp = requests.filter(({ method }) => method === "GET").map(({ url, status }) => `${url} ${status}`);
    expect(lookedUp).toEqual([
      "/inference-profiles?type=SYSTEM_DEFINED 200",
      `/inference-profiles/${encodeURIComponent(PROFILE)} 200`,
    ]);
    expect(rows.filter(({ modelAsked }) => modelAsked === PROFILE)).toMatchObject([
      { target: "bedrock", targetModel: fleet.modelAt("bedrock"), outcome: "complete" },
    ]);
    expect(fleet.complaints()).toEqual([]);
  });
});

type Event = Readonly<Record<string, unknown>>;

function eventsOf({ stdout }: ClaudeSession): Event[] {
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Event); // each line is one JSON object
}

/** The types of the content blocks that the events tell, in their order. */
function blockTypesOf(events: readonly Event[]): unknown[] {
  return events.flatMap(({ message }) => {
    if (typeof message !== "object" || message === null || !("content" in message)) return [];
    const { content } = message;
    return Array.isArray(content) ? content.map((block: Event) => block["type"]) : [];
  });
}
