import { parseUsd } from "../core/money.ts";
import type { Config } from "../config/schema.ts";
import type { BudgetRecord, BudgetScope, DirectorySnapshot } from "../store/ports/directory.ts";

interface Subject {
  readonly id: string;
  readonly name: string;
  readonly organizationId: string;
}

/**
 * Every budget in force: for each subject and window the row in the database, else the configured one for its name, else
 * the configured default of its scope.
 */
export function budgetPlan(config: Config, directory: DirectorySnapshot): readonly BudgetRecord[] {
  const plan = new Map<string, BudgetRecord>();
  const add = (record: BudgetRecord): void => {
    plan.set(`${record.subjectId}/${record.window}`, record);
  };
  // Defaults first, then those by name, so that the more specific replaces the less.
  const configured = [...config.budgets].sort((a, b) => Number(a.name !== undefined) - Number(b.name !== undefined));
  for (const budget of configured) {
    for (const subject of subjectsOf(directory, budget.scope)) {
      if (budget.name !== undefined && budget.name !== subject.name) continue;
      add({
        id: `configured/${budget.scope}/${subject.id}/${budget.window}`,
        organizationId: subject.organizationId,
        scope: budget.scope,
        subjectId: subject.id,
        window: budget.window,
        limitMicroUsd: parseUsd(budget.limit_usd),
        enforcement: budget.enforcement,
      });
    }
  }
  for (const record of directory.budgets) add(record);
  return [...plan.values()];
}

function subjectsOf(directory: DirectorySnapshot, scope: BudgetScope): readonly Subject[] {
  switch (scope) {
    case "organization":
      return directory.organizations.map(({ id, name }) => ({ id, name, organizationId: id }));
    case "team":
      return directory.teams;
    case "user":
      return directory.users;
    case "key":
      return directory.keys;
  }
}
