import { parseUsd } from "../../core/money.ts";
import type { Config } from "../../config/schema.ts";
import { type LimitRule, LimitsInForce } from "./limits-in-force.ts";
import type { DirectorySnapshot } from "../../store/ports/directory.ts";
import type { PayerScope, SpendPlan } from "../../store/ports/spend-limits.ts";

type ConfiguredBudget = Config["budgets"][number];

interface Subject {
  readonly id: string;
  readonly name: string;
  readonly organizationId: string;
}

/** Every limit in force: those of the database, else those that the configuration has for a name, else its defaults. */
export function limitsInForce(config: Config, directory: DirectorySnapshot, spend: SpendPlan): LimitsInForce {
  const configured = configuredLimits(config, directory);
  return new LimitsInForce({ directory, spend, configured, groupLimitMode: config.admin?.group_limit_mode ?? "min" });
}

/** The limits that the configuration sets, for subjects that exist; defaults first, so that those by name replace them. */
function configuredLimits(config: Config, directory: DirectorySnapshot): readonly LimitRule[] {
  const sorted = [...config.budgets].sort((a, b) => Number(a.name !== undefined) - Number(b.name !== undefined));
  return sorted.flatMap((budget) => rulesOf(budget, config, directory));
}

function rulesOf(budget: ConfiguredBudget, config: Config, directory: DirectorySnapshot): LimitRule[] {
  // "Every user by itself" is what every user of the organisation gets unless they have something of their own.
  const isSeat = budget.each_user || (budget.scope === "user" && budget.name === undefined);
  const scope = budget.scope === "user" && isSeat ? "organization" : budget.scope;
  const { name } = budget;
  return SUBJECTS[scope](directory, config)
    .filter((subject) => name === undefined || subject.name === name)
    .map((subject) => ({
      id: `configured/${budget.scope}/${subject.id}/${budget.window}`,
      organizationId: subject.organizationId,
      scope,
      subjectId: scope === "tag" ? subject.name : subject.id,
      sharing: isSeat ? "seat" : "shared",
      window: budget.window,
      limitMicroUsd: parseUsd(budget.limit_usd),
      enforcement: budget.enforcement,
      paused: false,
    }));
}

const SUBJECTS: Readonly<Record<PayerScope, (directory: DirectorySnapshot, config: Config) => readonly Subject[]>> = {
  organization: ({ organizations }) => organizations.map(({ id, name }) => ({ id, name, organizationId: id })),
  team: ({ teams }) => teams,
  user: ({ users }) => users,
  key: ({ keys }) => keys,
  tag: ({ organizations }, { tags }) =>
    organizations.flatMap(({ id }) => tags.allowed.map((name) => ({ id: `${id}/${name}`, name, organizationId: id }))),
};
