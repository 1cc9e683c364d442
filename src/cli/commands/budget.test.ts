import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { AuditUnavailable } from "../../core/audit-act.ts";
import { CliFixture, NOON_MS, ORGANIZATION } from "../testing/cli-fixture.ts";

let cli: CliFixture;

beforeEach(async () => {
  cli = await CliFixture.create();
  const common = { organizationId: ORGANIZATION.id, status: "active" } as const;
  await cli.records.createTeam({ id: "team_1", name: "platform", ...common });
  for (const [id, name] of [
    ["usr_1", "ada"],
    ["usr_2", "bob"],
  ] as const) {
    await cli.records.createUser({ id, name, teamId: "team_1", email: `${name}@example.com`, ...common });
  }
});
afterEach(() => cli[Symbol.asyncDispose]());

async function effective(): Promise<unknown[]> {
  // What `--json` promises of this command.
  const { budgets } = (await cli.run("budget effective --json")).json() as { budgets: Record<string, unknown>[] };
  return budgets.map(({ scope, subject, window, limit_usd, spent_usd, used_percent }) => [
    `${String(scope)} ${(subject as { name: string }).name}`,
    window,
    limit_usd,
    spent_usd,
    used_percent,
  ]);
}

describe("weir budget", () => {
  it("sets what every user of a team may spend, and what one of them may instead", async () => {
    const set = await cli.run("budget set --team platform --each-user --month 50");
    expect(set).toMatchObject({ exitCode: 0, err: "" });
    expect(set.out).toMatch(/^Set team "platform", each user: \$50\.00 a month \(spl_\w+\)\.\n$/);
    await cli.run("budget set --user bob@example.com --month unlimited");
    await cli.addEntry({ costMicroUsd: 40_000_000, userId: "usr_1", teamId: "team_1" });

    expect(await effective()).toEqual([["user ada", "month", "50.00", "40.00", 80]]);
  });

  it("raises a limit for a while, with a reason, and ends it by the clock or before", async () => {
    await cli.run("budget set --user ada --day 10");
    const raise = await cli.run([
      ..."budget raise --user ada --window day --by 5 --until 3d --reason".split(" "),
      "release week",
      "--json",
    ]);
    const { raise: made } = raise.json() as { raise: Record<string, unknown> };
    expect(made).toMatchObject({
      add_usd: "5.00",
      reason: "release week",
      created_by: "cli:ada",
      until: new Date(NOON_MS + 3 * 86_400_000).toISOString(),
    });
    expect(await effective()).toEqual([["user ada", "day", "15.00", "0.00", 0]]);
    cli.clock.advance(3 * 86_400_000);
    expect(await effective()).toEqual([["user ada", "day", "10.00", "0.00", 0]]);
    const ended = await cli.run(`budget remove ${String(made["id"])}`);
    expect(ended).toMatchObject({ exitCode: 2, err: expect.stringContaining("there is no increase") });

    await cli.run("budget raise --user ada --window day --by 1 --until 1d --reason again");
    const { raises } = (await cli.run("budget list --json")).json() as { raises: Record<string, unknown>[] };
    expect(await cli.run(`budget remove ${String(raises[0]?.["id"])}`)).toMatchObject({ exitCode: 0 });
    expect(await effective()).toEqual([["user ada", "day", "10.00", "0.00", 0]]);
  });

  it("lists what the database and the configuration have, and removes what is the database's", async () => {
    await cli.writeConfig(
      "tags: { allowed: [search] }\nbudgets: [{ scope: organization, window: month, limit_usd: 900 }]",
    );
    await cli.run("budget set --tag search --week 200 --soft");
    const listed = await cli.run("budget list", { columns: 200 });
    expect(listed.out).toContain("organization acme");
    expect(listed.out).toMatch(/tag search +week +\$200\.00 +soft +database +spl_/);

    const { limits } = (await cli.run("budget list --json")).json() as { limits: Record<string, unknown>[] };
    const [configured, stored] = limits;
    const refused = await cli.run(`budget remove ${String(configured?.["id"])}`);
    expect(refused).toMatchObject({ exitCode: 2, err: expect.stringContaining("stands in the configuration") });
    expect((await cli.run(`budget remove ${String(stored?.["id"])}`)).out).toBe(
      "Removed tag search: $200.00 a week.\n",
    );
    expect(await effective()).toEqual([["organization acme", "month", "900.00", "0.00", 0]]);
  });

  it("removes a budget that came with a key, as an earlier version wrote it", async () => {
    await cli.run("keys create --name build --budget-day 5");
    const { limits } = (await cli.run("budget list --json")).json() as { limits: Record<string, unknown>[] };
    expect(limits).toMatchObject([{ scope: "key", limit_usd: "5.00", id: expect.stringMatching(/^bud_/) }]);

    expect(await cli.run(`budget remove ${String(limits[0]?.["id"])}`)).toMatchObject({ exitCode: 0 });
    expect((await cli.records.load()).budgets).toEqual([]);
  });

  it("gives a key its project, shows it, and takes it away", async () => {
    await cli.run("keys create --name build");
    expect((await cli.run("budget tag build search")).out).toBe('key "build" counts for the project search.\n');
    expect((await cli.run("budget tag build --json")).json()).toMatchObject({ tag: "search", changed: false });
    expect((await cli.run("budget tag build --none")).out).toBe('key "build" counts for no project.\n');
  });

  it.each([
    ["budget set --month 5", "the command does not say whose budget"],
    ["budget set --user ada --team platform --month 5", "--team and --user exclude each other"],
    ["budget set --user ada", "the command does not say how much"],
    ["budget set --user adda --month 5", "Did you mean"],
    ["budget set --user ada --each-user --month 5", "--each-user does not go with --user"],
    ["budget set --tag serch --month 5", "tags.allowed"],
    ["budget set --user ada --month -5", "write an amount in US dollars"],
    ["budget raise --user ada --by 5 --until 3d --reason x", "--window is missing"],
    ["budget raise --user ada --window day --by 5 --until 3d", "--reason is missing"],
    ["budget raise --user ada --window day --by 5 --until 2020-01-01 --reason x", "--until is in the past"],
    ["budget raise --team platform --each-user --window day --by 5 --until 3d --reason x", "not of every user's"],
    ["budget remove spl_none", "there is no budget"],
  ])("says what is wrong, and how to put it right: %s", async (line, words) => {
    const run = await cli.run(line);

    expect(run.exitCode).toBe(2);
    expect(run.err.toLowerCase()).toContain(words.toLowerCase());
    expect((await cli.spendLimits.load(0)).limits).toEqual([]);
  });

  it("warns of an increase where there is nothing to raise", async () => {
    const run = await cli.run("budget raise --user ada --window day --by 5 --until 3d --reason x");

    expect(run).toMatchObject({ exitCode: 0, err: expect.stringContaining("nothing to raise yet") });
  });

  it("changes nothing that the audit trail cannot take", async () => {
    cli.auditTrail = { record: (act) => Promise.reject(new AuditUnavailable(act, new Error("read only"))) };
    const run = await cli.run("budget set --user ada --month 5");

    expect(run.exitCode).not.toBe(0);
    expect((await cli.spendLimits.load(0)).limits).toEqual([]);
  });
});
