import { describe, expect, it } from "vitest";

import type { Config } from "../config/schema.ts";
import { loadText } from "../config/testing/config-directory.ts";
import type { BudgetRecord, DirectorySnapshot, KeyRecord } from "../store/ports/directory.ts";
import { budgetPlan } from "./budget-plan.ts";

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

/** Subject, window and limit of each budget in force. */
function shown(plan: readonly BudgetRecord[]): string[] {
  return plan.map(({ subjectId, window, limitMicroUsd }) => `${subjectId} ${window} ${limitMicroUsd}`).sort();
}

describe("budgetPlan", () => {
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
    expect(plan.find(({ subjectId }) => subjectId === "key_1")).toBe(stored);
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
