import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { emptyUsage } from "../../message/usage.ts";
import { CliFixture, NOON_MS } from "../testing/cli-fixture.ts";

const DAY_MS = 86_400_000;

let weir: CliFixture;
beforeEach(async () => {
  weir = await CliFixture.create();
  await weir.records.createTeam({ id: "team_1", organizationId: "org_1", name: "=platform", status: "active" });
  const user = { organizationId: "org_1", teamId: "team_1", email: null, status: "active" } as const;
  await weir.records.createUser({ ...user, id: "usr_1", name: "ada" });
  await weir.records.createUser({ ...user, id: "usr_2", name: 'bob, the "builder"' });
  const usage = {
    ...emptyUsage(),
    inputTokens: 1000,
    outputTokens: 200,
    cacheReadTokens: 5000,
    cacheWrite5mTokens: 30,
  };
  await weir.addEntry({
    userId: "usr_1",
    teamId: "team_1",
    modelServed: "claude-opus-5",
    costMicroUsd: 1_500_000,
    usage,
  });
  await weir.addEntry({ userId: "usr_1", modelServed: "claude-haiku-4-5", costMicroUsd: 125, sessionId: "ses_1" });
  await weir.addEntry({
    userId: "usr_2",
    modelServed: "claude-opus-5",
    costMicroUsd: 4_000_000,
    admittedAtMs: NOON_MS - 2 * DAY_MS,
  });
  await weir.addEntry({
    userId: null,
    modelServed: "claude-opus-5",
    costMicroUsd: 9_000_000,
    admittedAtMs: NOON_MS - 20 * DAY_MS,
  });
});
afterEach(async () => weir[Symbol.asyncDispose]());

describe("weir usage", () => {
  it("shows the last 7 days by user and model, the dearest first, with totals", async () => {
    const run = await weir.run("usage");
    expect(run).toMatchObject({ exitCode: 0, err: "" });
    expect(run.out.split("\n")).toEqual([
      "acme, 2026-11-14 00:00 to 2026-11-20 12:00 (UTC)",
      "",
      "USER                MODEL             REQUESTS  INPUT  CACHE WRITE  CACHE READ  OUTPUT  COST USD",
      'bob, the "builder"  claude-opus-5            1  1,000            0           0     200  4.00',
      "ada                 claude-opus-5            1  1,000           30       5,000     200  1.50",
      "ada                 claude-haiku-4-5         1  1,000            0           0     200  0.000125",
      "──────────────────  ────────────────  ────────  ─────  ───────────  ──────────  ──────  ────────",
      "Total                                        3  3,000           30       5,000     600  5.500125",
      "",
    ]);
  });

  it("draws bars and the cost per day on a terminal", async () => {
    const { out } = await weir.run("usage", { isTty: true, columns: 140 });
    expect(out).toMatch(/4\.00 +73% █{12}\n/);
    expect(out).toMatch(/0\.000125 +0% ▏\n/);
    expect(out).toContain("cost per day      █ ▄");
  });

  it("leaves the bars out where the screen is too narrow for them, and no number is cut", async () => {
    const { out } = await weir.run("usage", { isTty: true, columns: 80 });
    expect(out).not.toContain("SHARE");
    expect(out).toMatch(/bob, the… .* 4\.00\n/);
    expect(out).toContain("5.500125");
  });

  it.each([
    ["--by day", ["2026-11-18", "2026-11-20"]],
    ["--by team", ["(no team)", "=platform"]],
    ["--by session", ["(no session)", "ses_1"]],
    ["--by key", ["key_1"]],
    ["--last 24h --by user", ["ada"]],
    ["--last 30d --by user", ["(no user)", 'bob, the "builder"', "ada"]],
    ["--from 2026-10-01 --to 2026-10-31 --by user", ["(no user)"]],
    ["--from 2026-11-18 --to 2026-11-18 --by user", ['bob, the "builder"']],
    ["--from 2026-11-18T13:00 --by user", ["ada"]],
    ["--user ada --by model", ["claude-opus-5", "claude-haiku-4-5"]],
    ["--team =platform --by model", ["claude-opus-5"]],
    ["--model claude-haiku-4-5-20251001 --by user", ["ada"]],
  ])("given %s, groups and filters", async (options, firstColumn) => {
    const { out } = await weir.run(`usage ${options}`);
    const lines = out.split("\n").slice(3);
    const rows = lines.slice(
      0,
      lines.findIndex((line) => line.startsWith("─")),
    );
    expect(rows.map((row) => row.split(/ {2,}/)[0])).toEqual(firstColumn);
  });

  it("shows the dearest rows alone given a limit, and the sum of the others", async () => {
    const { out } = await weir.run("usage --limit 1");
    expect(out).toMatch(/bob.* 4\.00\n\(others\) +2 .* 1\.500125\n─/);
    expect(out).toMatch(/Total +3 .* 5\.500125\n/);
  });

  it("gives --json exact money, ids and names, and the range", async () => {
    const run = await weir.run("usage --by user --limit 1 --json");
    const bob = {
      requests: 1,
      input_tokens: 1000,
      cache_write_tokens: 0,
      cache_read_tokens: 0,
      output_tokens: 200,
      cost_usd: "4.00",
      cost_micro_usd: 4_000_000,
      cache_moves: 0,
      cache_loss_usd: "0.00",
      cache_loss_micro_usd: 0,
    };
    expect(run.json()).toMatchObject({
      organization: { id: "org_1", name: "acme" },
      from: "2026-11-14T00:00:00.000Z",
      time_zone: "UTC",
      by: ["user"],
      rows: [{ user: { id: "usr_2", name: 'bob, the "builder"' }, ...bob }],
      others: { requests: 2, cost_micro_usd: 1_500_125 },
      total: { requests: 3, cost_usd: "5.500125" },
    });
  });

  it("gives --csv for spreadsheets: quoted where needed, and no text that would run as a formula", async () => {
    const { out } = await weir.run("usage --csv --by user,team");
    expect(out.split("\n")).toEqual([
      "user_id,user,team_id,team,requests,input_tokens,cache_write_tokens,cache_read_tokens,output_tokens,cost_usd,cost_micro_usd,cache_moves,cache_loss_usd,cache_loss_micro_usd",
      'usr_2,"bob, the ""builder""",,,1,1000,0,0,200,4.00,4000000,0,0.00,0',
      "usr_1,ada,team_1,'=platform,1,1000,30,5000,200,1.50,1500000,0,0.00,0",
      "usr_1,ada,,,1,1000,0,0,200,0.000125,125,0,0.00,0",
      "",
    ]);
  });

  it("says what was lost to moved caches, in all and for each row, and nothing while nothing was", async () => {
    expect((await weir.run("usage")).out).not.toContain("moved caches");
    const loss = { userId: "usr_1", costMicroUsd: 700_000, cacheMove: "moved_unusable", cacheLossMicroUsd: 575_000 };
    await weir.addEntry(loss);
    expect((await weir.run("usage")).out).toContain("\n\nLost to moved caches: about 0.575 USD in 1 move.\n");
    await weir.addEntry({ ...loss, userId: "usr_2", cacheMove: "moved_cheaper", cacheLossMicroUsd: 25_000 });
    expect((await weir.run("usage")).out).toContain("Lost to moved caches: about 0.60 USD in 2 moves.\n");
    expect((await weir.run("usage --by user --limit 1 --json")).json()).toMatchObject({
      rows: [{ user: { id: "usr_2" }, cache_moves: 1, cache_loss_usd: "0.025", cache_loss_micro_usd: 25_000 }],
      others: { cache_moves: 1, cache_loss_micro_usd: 575_000 },
      total: { cache_moves: 2, cache_loss_usd: "0.60", cache_loss_micro_usd: 600_000 },
    });
  });

  it("means the days of the organisation's time zone", async () => {
    await using tokyo = await CliFixture.create({ isEmpty: true });
    await tokyo.records.createOrganization({ id: "org_1", name: "acme", status: "active", timeZone: "Asia/Tokyo" });
    await tokyo.addEntry({ costMicroUsd: 1, admittedAtMs: Date.parse("2026-11-19T15:00:00Z") });
    await tokyo.addEntry({ costMicroUsd: 1, admittedAtMs: Date.parse("2026-11-19T14:59:59Z") });
    const document = (await tokyo.run("usage --last 1d --by day --json")).json();
    expect(document).toMatchObject({ rows: [{ day: "2026-11-20", requests: 1 }], total: { requests: 1 } });
  });

  it("says so when there is none", async () => {
    const run = await weir.run("usage --from 2026-01-01 --to 2026-01-02");
    expect(run).toMatchObject({ exitCode: 0, out: "No usage: acme, 2026-01-01 00:00 to 2026-01-03 00:00 (UTC).\n" });
  });

  it.each([
    ["--by usr", "did you mean user?"],
    ["--last 7", "is no span of time"],
    ["--last 7d --from 2026-11-01", "cannot be used with"],
    ["--from 2026-11-20 --to 2026-11-01", "the report would be empty"],
    ["--from yesterday", "is no date"],
    ["--user nobody", "there is no user"],
    ["--csv --json", "cannot be used with"],
    ["--limit 0", "Write a whole number"],
  ])("given %s, says what is wrong, with exit 2", async (options, message) => {
    const run = await weir.run(`usage ${options}`);
    expect(run.exitCode).toBe(2);
    expect(run.out + run.err).toContain(message);
  });
});
