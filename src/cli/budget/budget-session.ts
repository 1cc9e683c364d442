import { IdGenerator } from "../../core/id.ts";
import { limitsInForce } from "../../ledger/budgets/configured-limits.ts";
import type { LimitsInForce } from "../../ledger/budgets/limits-in-force.ts";
import { type Administrator, SpendAdmin } from "../../ledger/budgets/spend-admin.ts";
import type { DirectorySnapshot, OrganizationRecord } from "../../store/ports/directory.ts";
import type { SpendPlan } from "../../store/ports/spend-limits.ts";
import type { CliContext, CommonOptions, Records } from "../cli-context.ts";
import { requireOrganization } from "../directory/find-record.ts";
import type { Host } from "../define-command.ts";
import { withRecords } from "../with-records.ts";
import { type BudgetSubjectChoice, subjectOf, type SubjectOptions } from "./budget-subject.ts";

/** Everything that a budget command works with. */
export interface BudgetSession {
  readonly records: Records;
  readonly admin: SpendAdmin;
  readonly by: Administrator;
  readonly organization: OrganizationRecord;
  readonly snapshot: DirectorySnapshot;
  readonly spend: SpendPlan;
  readonly limits: LimitsInForce;
  readonly nowMs: number;
  /** The subject that options name. Throws CliError. */
  readonly subject: (options: SubjectOptions) => BudgetSubjectChoice;
}

/** Opens the records for a budget command of one organisation. */
export async function withBudgets<T>(
  host: Host,
  options: CommonOptions & { readonly org?: string },
  work: (session: BudgetSession) => Promise<T>,
): Promise<T> {
  return await withRecords(
    host.context,
    options,
    async (records) => await work(await sessionOf(host.context, records, options)),
  );
}

async function sessionOf(
  context: CliContext,
  records: Records,
  options: { readonly org?: string },
): Promise<BudgetSession> {
  const { clock, systemUser } = context;
  const { directory, spendLimits, audit, config, hasher } = records;
  const nowMs = clock.nowMs();
  const snapshot = await directory.load();
  const spend = await spendLimits.load(nowMs);
  const organization = requireOrganization(snapshot, options.org);
  const keyTags = spend.keyTags.filter(({ organizationId }) => organizationId === organization.id);
  const tags = [...new Set([...config.tags.allowed, ...keyTags.map(({ tag }) => tag)])];
  const ids = new IdGenerator(clock);
  return {
    records,
    admin: new SpendAdmin({ limits: spendLimits, directory, audit: audit.trail, ids, clock }),
    by: { actor: `cli:${systemUser}`, address: null, requestId: null },
    organization,
    snapshot,
    spend,
    limits: limitsInForce(config, snapshot, spend),
    nowMs,
    subject: (choice) => subjectOf(choice, { snapshot, organization, hasher, nowMs, tags }),
  };
}
