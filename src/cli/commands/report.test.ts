import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { writeFile } from "node:fs/promises";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { FOCUS_COLUMNS } from "../../ledger/reports/focus.ts";
import { CliFixture, NOON_MS } from "../testing/cli-fixture.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let weir: CliFixture;
beforeEach(async () => {
  weir = await CliFixture.create();
  await weir.records.createTeam({ id: "team_1", organizationId: "org_1", name: "=core", status: "active" });
  const user = { organizationId: "org_1", teamId: "team_1", email: null, status: "active" } as const;
  await weir.records.createUser({ ...user, id: "usr_1", name: "ada" });
  const ofAda = { userId: "usr_1", teamId: "team_1", sessionId: "ses_1" };
  await weir.addEntry({ ...ofAda, costMicroUsd: 1_000_000, settledAtMs: NOON_MS + 1_000 });
  await weir.addEntry({ ...ofAda, costMicroUsd: 2_000_000, agentId: "explore", tag: "apollo" });
  await weir.addEntry({ ...ofAda, costMicroUsd: 4_000_000, agentId: "grep", parentAgentId: "explore" });
  await weir.addEntry({ ...ofAda, costMicroUsd: 500_000, agentId: "lost", parentAgentId: "nobody" });
  const yesterday = { admittedAtMs: NOON_MS - DAY_MS, settledAtMs: NOON_MS - DAY_MS + HOUR_MS };
  await weir.addEntry({
    ...yesterday,
    userId: null,
    sessionId: "ses_2",
    costMicroUsd: 125,
    modelServed: "claude-opus-5",
  });
});
afterEach(async () => weir[Symbol.asyncDispose]());

describe("weir report cost", () => {
  it("shows the last 30 days by team, with exact totals", async () => {
    const { out, exitCode } = await weir.run("report cost");
    expect(exitCode).toBe(0);
    expect(out).toContain("acme, 2026-10-22 00:00 to 2026-11-20 12:00 (UTC)");
    expect(out).toMatch(/=core +4 .* 7\.50\n\(no team\) +1 .* 0\.000125\n/);
    expect(out).toMatch(/Total +5 .* 7\.500125\n/);
  });

  it("sums what the limit leaves out", async () => {
    const { out } = await weir.run("report cost --by session --limit 1");
    expect(out).toMatch(/ses_1 .*\n\(1 others\) +1 .* 0\.000125\n/);
  });

  it("gives --json ids and names, and --csv no text that would run as a formula", async () => {
    expect((await weir.run("report cost --by team,tag --json")).json()).toMatchObject({
      by: ["team", "tag"],
      groups: 3,
      rows: [{ team: { id: "team_1", name: "=core" }, tag: null, cost_micro_usd: 5_500_000 }, { tag: "apollo" }, {}],
      total: { cost_usd: "7.500125", requests: 5 },
    });
    const { out } = await weir.run("report cost --by team --csv");
    expect(out.split("\n")[1]).toBe("team_1,'=core,4,4000,0,0,800,7.50,7500000");
  });

  it("draws bars on a screen that has room, and none elsewhere", async () => {
    expect((await weir.run("report cost", { isTty: true, columns: 120 })).out).toContain("100% ████████████");
    expect((await weir.run("report cost", { isTty: true, columns: 60 })).out).not.toContain("█");
    expect((await weir.run("report cost")).out).not.toContain("█");
  });

  it("says what there is to group by", async () => {
    const run = await weir.run("report cost --by sesion");
    expect(run.exitCode).toBe(2);
    expect(run.err).toContain("did you mean session?");
  });
});

describe("weir report session", () => {
  it("draws the tree of agents, with parents that are not known", async () => {
    const { out } = await weir.run("report session ses_1");
    const lines = out.split("\n");
    expect(lines[1]).toContain("ada, 2026-11-20 11:00 (UTC), 1h 00m, 7.50 USD");
    expect(lines.slice(4, 9).map((line) => /^.*?[a-z)](?= {2})/.exec(line)?.[0])).toEqual([
      "conversation",
      "└─ explore",
      "   └─ grep",
      "(parent not known)",
      "└─ lost",
    ]);
    expect(out).toMatch(/└─ explore .* 2\.0+ +6\.00/);
    expect(out).toMatch(/Total +4 .* 7\.50/);
  });

  it("gives --json the tree", async () => {
    expect((await weir.run("report session ses_1 --json")).json()).toMatchObject({
      total: { cost_usd: "7.50" },
      agents: [
        {
          kind: "main",
          agents: [{ agent_id: "explore", total: { cost_usd: "6.00" }, agents: [{ agent_id: "grep" }] }],
        },
        { kind: "unknown_parent", agent_id: null, agents: [{ agent_id: "lost" }] },
      ],
    });
  });

  it("says so when there is none", async () => {
    const run = await weir.run("report session ses_9");
    expect(run.exitCode).toBe(2);
    expect(run.err).toContain('there is no session "ses_9" in acme');
  });
});

describe("weir report sessions, users", () => {
  it("lists the dearest sessions with how fast they burnt", async () => {
    const { out } = await weir.run("report sessions");
    expect(out).toMatch(/ses_1 +ada .* 7\.50 +7\.50\n/);
    expect((await weir.run("report sessions --json")).json()).toMatchObject({
      sessions: [{ session: "ses_1", burn_rate_usd_per_hour: "7.497917", paused: false }, { session: "ses_2" }],
    });
  });

  it("shows users with conversations, models and last activity", async () => {
    const { out } = await weir.run("report users --last 7d");
    expect(out).toMatch(/ada +1 +4 .* claude-sonnet-5\n/);
    expect((await weir.run("report users --json")).json()).toMatchObject({
      users: [
        { user: { id: "usr_1", name: "ada" }, conversations: 1, requests: 4, models: ["claude-sonnet-5"] },
        { user: null, conversations: 1, models: ["claude-opus-5"] },
      ],
    });
  });
});

describe("weir report forecast", () => {
  it("says that it needs a week, and then what the month will have cost", async () => {
    expect((await weir.run("report forecast")).out).toContain("No forecast yet: it needs 7 whole days");
    for (let day = 2; day < 40; day++) {
      await weir.addEntry({ costMicroUsd: 10_000_000, admittedAtMs: NOON_MS - day * DAY_MS });
    }
    const document = (await weir.run("report forecast --json")).json();
    expect(document).toMatchObject({ month: "2026-11", forecast: { spent_micro_usd: 187_500_125, interval: 0.9 } });
    const { out } = await weir.run("report forecast", { isTty: true });
    expect(out).toContain("9 times of 10");
    expect(out).toMatch(/per day +[▁-█ ]+/);
  });
});

describe("weir report export", () => {
  it("writes FOCUS with all of its columns", async () => {
    const { out } = await weir.run("report export");
    const [header, ...lines] = out.trimEnd().split("\n");
    expect(header).toBe(FOCUS_COLUMNS.map(({ name }) => name).join(","));
    expect(lines).toHaveLength(3);
    expect(out).toContain(",'=core,Team,");
  });

  it("writes every exchange as one JSON object a line", async () => {
    const { out } = await weir.run("report export --format json --rows exchange");
    const rows = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows).toHaveLength(5);
    expect(rows.reduce((sum, row) => sum + Number(row["cost_micro_usd"]), 0)).toBe(7_500_125);
    expect(rows[0]).toMatchObject({ exchange_id: "req_5", user: null, outcome: "complete" });
  });

  it("writes CSV", async () => {
    const { out } = await weir.run("report export --format csv");
    expect(out.split("\n")[0]).toMatch(/^from,to,organization_id,/);
  });
});

describe("weir session", () => {
  const PAUSE = {
    organizationId: "org_1",
    sessionId: "ses_1",
    atMs: NOON_MS,
    spentMicroUsd: 25_000_000,
    usualMicroUsd: 1_000_000,
    windowMs: 300_000,
  };

  it("lists paused sessions and lets one go on, written to the audit trail", async () => {
    expect((await weir.run("session list")).out).toBe("No session of acme is paused.\n");
    await weir.sessionPauses.put(PAUSE);
    expect((await weir.run("session list")).out).toMatch(/ses_1 +2026-11-20 12:00 +25\.00 +5m 00s +1\.00/);
    expect((await weir.run("report sessions")).out).toContain("ses_1 (paused)");
    expect((await weir.run(["session", "resume", "ses_1", "--reason", "meant"])).out).toContain("may go on");
    expect(await weir.sessionPauses.active()).toEqual([]);
    const run = await weir.run("session resume ses_1");
    expect(run.exitCode).toBe(2);
    expect(run.err).toContain("is paused in acme");
  });
});

describe("weir reconcile", () => {
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(weir.file(name), text);
    return weir.file(name);
  };

  it("is content with a CSV that agrees, and exits with 1 where it does not", async () => {
    const header = "day,model,input_tokens,output_tokens,cost_usd\n";
    const good = await file("good.csv", `${header}2026-11-19,claude-opus-5,1000,200,0.000125\n`);
    const run = await weir.run(`reconcile --provider csv --file ${good}`);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.out).toContain("All 1 rows are within 2%.");
    const bad = await file("bad.csv", `${header}2026-11-19,claude-opus-5,2000,200,0.000125\n2026-11-18,other,1,1,1\n`);
    const drifted = await weir.run(`reconcile --provider csv --file ${bad} --threshold 1%`);
    expect(drifted.exitCode).toBe(1);
    expect(drifted.out).toContain("tokens differ");
    expect(drifted.out).toContain("only at the provider");
    expect((await weir.run(`reconcile --provider csv --file ${bad} --json`)).json()).toMatchObject({
      alert: true,
      from: "2026-11-18",
      to: "2026-11-20",
      rows: [{ cause: "only_provider" }, { cause: "tokens", tokens: { weir: 1200, provider: 2200 } }],
    });
  });

  it("leaves today out, which is not over", async () => {
    const csv = await file("today.csv", "day,model,cost_usd\n2026-11-20,claude-sonnet-5,99\n");
    expect(await weir.run(`reconcile --provider csv --file ${csv}`)).toMatchObject({ exitCode: 0 });
  });

  it.each([
    ["--provider csv", "there is nothing to compare with"],
    ["--provider bedrock-logs --file /nonexistent", "cannot be read"],
    ["--provider csv --file /nonexistent --threshold 2", "is no percentage"],
    ["--provider anthropic-usage-api --url http://127.0.0.1:1", "needs an Admin API key"],
    ["--provider invoice", "Allowed choices"],
  ])("given %s, says what is wrong", async (options, message) => {
    const run = await weir.run(`reconcile ${options}`);
    expect(run.exitCode).toBeGreaterThan(1);
    expect(run.out + run.err).toContain(message);
  });

  it("says in which line a log is none", async () => {
    const log = await file("log.jsonl", '\n{"schemaType":"SomethingElse"}\n');
    const run = await weir.run(`reconcile --provider bedrock-logs --file ${log}`);
    expect(run.err).toContain("log.jsonl, line 2: it is no ModelInvocationLog");
  });

  it("asks the Usage & Cost API, page after page, with the admin key", async () => {
    const asked: IncomingMessage[] = [];
    const bucket = { starting_at: "2026-11-19T00:00:00Z", ending_at: "2026-11-20T00:00:00Z" };
    const usage = { uncached_input_tokens: 500, output_tokens: 100, model: "claude-opus-5" };
    const server = createServer((request, response) => {
      asked.push(request);
      const isCost = request.url?.includes("cost_report") === true;
      const isFirst = request.url?.includes("page=") !== true;
      const results = isCost ? [{ amount: "0.0125", currency: "USD", model: "claude-opus-5" }] : [usage];
      const more = !isCost && isFirst;
      response.end(
        JSON.stringify({ data: [{ ...bucket, results }], has_more: more, next_page: more ? "page_2" : null }),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    // A listening TCP server has an address with a port.
    const { port } = server.address() as AddressInfo;
    weir.env["ANTHROPIC_ADMIN_KEY"] = "sk-ant-admin-test";
    const url = `http://127.0.0.1:${port}`;
    const run = await weir.run(
      `reconcile --provider anthropic-usage-api --url ${url} --upstream anthropic --from 2026-11-19 --to 2026-11-19`,
    );
    await new Promise((resolve) => server.close(resolve));
    expect(run.out).toContain("All 1 rows are within 2%.");
    expect(run.exitCode).toBe(0);
    expect(asked).toHaveLength(3);
    expect(asked.every(({ headers }) => headers["x-api-key"] === "sk-ant-admin-test")).toBe(true);
    expect(asked[0]?.url).toContain("starting_at=2026-11-19T00%3A00%3A00Z&ending_at=2026-11-20T00%3A00%3A00Z");
  });
});
