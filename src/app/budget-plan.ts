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
    for (const subject of SUBJECTS[budget.scope](directory)) {
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

const SUBJECTS: Readonly<Record<BudgetScope, (directory: DirectorySnapshot) => readonly Subject[]>> = {
  organization: ({ organizations }) => organizations.map(({ id, name }) => ({ id, name, organizationId: id })),
  team: ({ teams }) => teams,
  user: ({ users }) => users,
  key: ({ keys }) => keys,
};
