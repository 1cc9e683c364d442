import { describe, expect, it } from "vitest";

import type { Config } from "../../config/schema.ts";
import { loadText } from "../../config/testing/config-directory.ts";
import type { BudgetRecord, DirectorySnapshot, KeyRecord } from "../../store/ports/directory.ts";
import type { SpendLimitRecord, SpendPlan } from "../../store/ports/spend-limits.ts";
import type { Budget } from "./budget.ts";
import { limitsInForce } from "./configured-limits.ts";

async function configured(budgets: string): Promise<Config> {
  const loaded = await loadText(`budgets:\n${budgets}`);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  return loaded.config;
}

function key(id: string, name: string, organizationId = "org_1"): KeyRecord {
  return {
    id,
    organizationId,
    teamId: null,
    userId: null,
    name,
    keyClass: "dev",
    hmac: id,
    hint: "",
    scopes: { models: [], endpoints: [], addresses: [] },
    limits: { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null },
    createdAtMs: 0,
    expiresAtMs: null,
    revokedAtMs: null,
    replacesKeyId: null,
  };
}

const DIRECTORY: DirectorySnapshot = {
  revision: 1,
  organizations: [
    { id: "org_1", name: "Acme", status: "active", timeZone: "UTC" },
    { id: "org_2", name: "Umbrella", status: "active", timeZone: "UTC" },
  ],
  teams: [{ id: "team_1", organizationId: "org_1", name: "core", status: "active" }],
  users: [{ id: "usr_1", organizationId: "org_1", teamId: "team_1", name: "core", email: null, status: "active" }],
  keys: [key("key_1", "laptop"), key("key_2", "ci"), key("key_3", "laptop", "org_2")],
  budgets: [],
};

const NOTHING: SpendPlan = { limits: [], raises: [], members: [], keyTags: [] };

function budgetPlan(config: Config, directory: DirectorySnapshot, spend: SpendPlan = NOTHING): readonly Budget[] {
  return limitsInForce(config, directory, spend).budgets();
}

/** Subject, window and limit of each budget in force. */
function shown(plan: readonly Budget[]): string[] {
  return plan.map(({ subjectId, window, limitMicroUsd }) => `${subjectId} ${window} ${limitMicroUsd}`).sort();
}

describe("the budgets in force", () => {
  it("gives every subject of a scope the default of its own", async () => {
    const config = await configured("  - { scope: key, window: day, limit_usd: 5 }");
    const plan = budgetPlan(config, DIRECTORY);

    expect(shown(plan)).toEqual(["key_1 day 5000000", "key_2 day 5000000", "key_3 day 5000000"]);
    expect(plan[2]).toMatchObject({ organizationId: "org_2", scope: "key", enforcement: "hard" });
    expect(new Set(plan.map(({ id }) => id)).size).toBe(3);
  });

  it("lets a name stand above the default, wherever it is written, window by window", async () => {
    const config = await configured(
      "  - { scope: key, name: laptop, window: day, limit_usd: 9 }\n" +
        "  - { scope: key, window: day, limit_usd: 5 }\n" +
        "  - { scope: key, window: month, limit_usd: 50, enforcement: soft }",
    );
    const plan = budgetPlan(config, { ...DIRECTORY, keys: DIRECTORY.keys.slice(0, 2) });

    expect(shown(plan)).toEqual([
      "key_1 day 9000000",
      "key_1 month 50000000",
      "key_2 day 5000000",
      "key_2 month 50000000",
    ]);
    expect(plan.filter(({ enforcement }) => enforcement === "soft").map(({ window }) => window)).toEqual([
      "month",
      "month",
    ]);
  });

  it("lets the database stand above the configuration", async () => {
    const config = await configured("  - { scope: key, name: laptop, window: day, limit_usd: 9 }");
    const stored: BudgetRecord = {
      id: "bud_1",
      organizationId: "org_1",
      scope: "key",
      subjectId: "key_1",
      window: "day",
      limitMicroUsd: 1,
      enforcement: "soft",
    };
    const plan = budgetPlan(config, { ...DIRECTORY, budgets: [stored] });

    expect(shown(plan)).toEqual(["key_1 day 1", "key_3 day 9000000"]);
    expect(plan.find(({ subjectId }) => subjectId === "key_1")).toEqual(stored);
  });

  it("does not take a user for a team of the same name", async () => {
    const config = await configured("  - { scope: team, name: core, window: total, limit_usd: 0.000001 }");

    expect(shown(budgetPlan(config, DIRECTORY))).toEqual(["team_1 total 1"]);
  });

  it("has nothing for a name that nobody bears", async () => {
    const config = await configured("  - { scope: organization, name: Nobody, window: week, limit_usd: 1 }");

    expect(budgetPlan(config, DIRECTORY)).toEqual([]);
  });
});

describe("a limit for every user", () => {
  const TEAM = { organizationId: "org_1", teamId: "team_1", email: null, status: "active" } as const;
  const people: DirectorySnapshot = {
    ...DIRECTORY,
    users: [
      { id: "usr_1", name: "ada", ...TEAM },
      { id: "usr_2", name: "bob", ...TEAM },
      { id: "usr_3", name: "eve", ...TEAM, teamId: null },
    ],
    keys: [],
  };
  const seat = (given: Partial<SpendLimitRecord>): SpendLimitRecord => ({
    id: `spl_${given.subjectId}`,
    organizationId: "org_1",
    scope: "organization",
    subjectId: "org_1",
    sharing: "seat",
    window: "month",
    limitMicroUsd: 100,
    enforcement: "hard",
    paused: false,
    createdAtMs: 0,
    updatedAtMs: 0,
    ...given,
  });
  const own = (subjectId: string, limitMicroUsd: number | null): SpendLimitRecord =>
    seat({ scope: "user", subjectId, sharing: "shared", limitMicroUsd });
  const group = (subjectId: string, limitMicroUsd: number | null): SpendLimitRecord =>
    seat({ scope: "group", subjectId, limitMicroUsd });
  const member = (userId: string, ...groups: string[]) => ({
    organizationId: "org_1",
    userId,
    subject: `sub-${userId}`,
    groups,
    seenAtMs: 0,
  });
  const plan = async (spend: Partial<SpendPlan>, config = "  []"): Promise<string[]> =>
    shown(budgetPlan(await configured(config), people, { ...NOTHING, ...spend }));

  it("is each user's own: the organisation's, above it the team's, above that the user's", async () => {
    const limits = [seat({}), seat({ scope: "team", subjectId: "team_1", limitMicroUsd: 50 }), own("usr_2", 7)];

    expect(await plan({ limits })).toEqual(["usr_1 month 50", "usr_2 month 7", "usr_3 month 100"]);
  });

  it("comes from the configuration too, which gives way to the database", async () => {
    const config =
      "  - { scope: team, name: core, each_user: true, window: month, limit_usd: 0.00005 }\n" +
      "  - { scope: user, window: day, limit_usd: 0.000009 }\n" +
      "  - { scope: organization, each_user: true, window: week, limit_usd: 0.000008 }";

    expect(await plan({ limits: [seat({ scope: "team", subjectId: "team_1", limitMicroUsd: 40 })] }, config)).toEqual([
      "usr_1 day 9",
      "usr_1 month 40",
      "usr_1 week 8",
      "usr_2 day 9",
      "usr_2 month 40",
      "usr_2 week 8",
      "usr_3 day 9",
      "usr_3 week 8",
    ]);
  });

  it("is the most restrictive of several groups', or the least where that is chosen", async () => {
    const spend = {
      limits: [group("eng", 60), group("contractors", 20), seat({}), group("open", null)],
      members: [member("usr_1", "eng", "contractors"), member("usr_2", "eng", "open"), member("usr_3", "open")],
    };
    expect(await plan(spend)).toEqual(["usr_1 month 20", "usr_2 month 60"]);

    const loaded = await loadText("admin: { group_limit_mode: max }");
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
    expect(shown(budgetPlan(loaded.config, people, { ...NOTHING, ...spend }))).toEqual(["usr_1 month 60"]);
  });

  it("of null is none, also where another would be inherited; a paused one is as if it were not there", async () => {
    const limits = [seat({}), own("usr_1", null), { ...own("usr_2", 1), paused: true }];

    expect(await plan({ limits })).toEqual(["usr_2 month 100", "usr_3 month 100"]);
  });

  it("may be set by the provider's name of somebody, before they first sign in", async () => {
    expect(await plan({ limits: [own("sub-usr_1", 5)] })).toEqual([]);
    expect(await plan({ limits: [own("sub-usr_1", 5)], members: [member("usr_1")] })).toEqual(["usr_1 month 5"]);
  });

  it("stands beside the pool of the same team, and both take their increases", async () => {
    const limits = [
      seat({ scope: "team", subjectId: "team_1", limitMicroUsd: 50 }),
      seat({ id: "spl_pool", scope: "team", subjectId: "team_1", sharing: "shared", limitMicroUsd: 80 }),
    ];
    const raise = {
      id: "rse_1",
      organizationId: "org_1",
      scope: "user",
      subjectId: "usr_1",
      window: "month",
      addMicroUsd: 5,
      reason: "release",
      createdBy: "cli:root",
      fromMs: 10,
      untilMs: 20,
    } as const;
    const budgets = budgetPlan(await configured("  []"), people, { ...NOTHING, limits, raises: [raise] });

    expect(shown(budgets)).toEqual(["team_1 month 80", "usr_1 month 50", "usr_2 month 50"]);
    expect(budgets.filter(({ raises }) => raises !== undefined)).toMatchObject([
      { subjectId: "usr_1", raises: [{ addMicroUsd: 5, fromMs: 10, untilMs: 20 }] },
    ]);
  });

  it("on a tag is counted in each organisation by itself", async () => {
    const loaded = await loadText(
      "tags: { allowed: [search] }\nbudgets: [{ scope: tag, name: search, window: day, limit_usd: 0.000003 }]",
    );
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
    const budgets = budgetPlan(loaded.config, people);

    expect(shown(budgets)).toEqual(["org_1/search day 3", "org_2/search day 3"]);
    expect(budgets[0]).toMatchObject({ scope: "tag", organizationId: "org_1" });
  });
});
