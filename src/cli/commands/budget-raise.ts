import { type Command, Option } from "commander";

import { WINDOW_KINDS } from "../../ledger/budgets/spend-counter.ts";
import type { BudgetWindow } from "../../store/ports/directory.ts";
import type { PayerScope } from "../../store/ports/spend-limits.ts";
import { addSubjectOptions, type SubjectOptions } from "../budget/budget-subject.ts";
import { raiseDocument } from "../budget/budget-document.ts";
import { type BudgetSession, withBudgets } from "../budget/budget-session.ts";
import type { CommonOptions } from "../cli-context.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import { isoTime } from "../keys/key-document.ts";
import { expiryMs } from "../keys/create-key.ts";
import { type Expiry, expiryOption } from "../keys/key-options.ts";
import { positiveUsd } from "../options/option-parser.ts";
import { nameOption } from "../options/text-option.ts";
import { formatUsd } from "../../core/money.ts";

const EXAMPLES = [
  { line: "weir budget raise --user ada --window month --by 100 --until 3d --reason 'release week'" },
  { line: "weir budget raise --team platform --window day --by 50 --until 2026-12-01 --reason migration" },
  { line: "weir budget remove rse_01k9z3…", note: "ends it before its time" },
];

interface Options extends CommonOptions, SubjectOptions {
  readonly window?: BudgetWindow;
  readonly by?: number;
  readonly until?: Expiry;
  readonly reason?: string;
}

/** `weir budget raise`. */
export function budgetRaiseCommand(host: Host): Command {
  const command = defineCommand({
    name: "raise",
    summary: "raise a budget for a while",
    description:
      "Adds to whatever limit a subject has in a window, until a moment; then the limit is what it was, by itself. Who raised it and why is kept.",
    examples: EXAMPLES,
  });
  addSubjectOptions(command)
    .addOption(new Option("--window <window>", "the window to raise; required").choices(WINDOW_KINDS))
    .option("--by <usd>", "US dollars to add; required", positiveUsd)
    .option("--until <when>", "span or date: 3d, 2026-12-01; required", expiryOption)
    .option("--reason <text>", "why, for the record; required", nameOption);
  return addInstallationOptions(command).action(async (options: Options) =>
    host.finish(await raiseBudget(host, options)),
  );
}

async function raiseBudget(host: Host, options: Options): Promise<number> {
  const output = outputFor(host, options);
  const { window, by: addMicroUsd, until, reason } = options;
  if (window === undefined) throw missing("--window", "day, week, month or total");
  if (addMicroUsd === undefined) throw missing("--by", "an amount, for example 100");
  if (until === undefined) throw missing("--until", "a span or date, for example 3d");
  if (reason === undefined) throw missing("--reason", "a few words");
  return await withBudgets(host, options, async (session) => {
    const { admin, by, organization, snapshot, nowMs } = session;
    const chosen = payerOf(session, options);
    const untilMs = untilOf(until, nowMs, organization.timeZone);
    const { scope, subjectId, title } = chosen;
    const common = { organizationId: organization.id, scope, subjectId, window };
    const raise = await admin.raise({ ...common, addMicroUsd, reason, fromMs: Math.floor(nowMs), untilMs }, by);
    if (!hasLimit(session, chosen, window))
      output.warn(`${title} has no budget a ${window}: there is nothing to raise yet`);
    output.result({ raise: raiseDocument(raise, snapshot) }, () => [
      `Raised ${title}: $${formatUsd(addMicroUsd)} more a ${window} until ${isoTime(untilMs)} (${raise.id}).`,
    ]);
    return EXIT.ok;
  });
}

interface Payer {
  readonly scope: PayerScope;
  readonly subjectId: string;
  readonly title: string;
}

/** Increases are of single payers: what every user has is raised by setting it. */
function payerOf({ subject }: BudgetSession, options: SubjectOptions): Payer {
  const { scope, subjectId, sharing, title } = subject(options);
  if (scope !== "group" && sharing === "shared") return { scope, subjectId, title };
  throw new CliError("usage", "an increase is of one budget, not of every user's", {
    remedy: "Name a user, or change what every user has with `weir budget set`.",
  });
}

function hasLimit({ limits, organization }: BudgetSession, { scope, subjectId }: Payer, window: BudgetWindow): boolean {
  const id = scope === "tag" ? `${organization.id}/${subjectId}` : subjectId;
  return limits.budgets().some((budget) => budget.subjectId === id && budget.window === window);
}

function untilOf(until: Expiry, nowMs: number, timeZone: string): number {
  try {
    return Math.floor(expiryMs(until, nowMs, timeZone));
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    throw new CliError("usage", error.message.replace("--expires", "--until"), {
      remedy: "Give a date in the future, or a span such as 3d.",
    });
  }
}

function missing(option: string, what: string): CliError {
  return new CliError("usage", `${option} is missing`, { remedy: `Add ${option} with ${what}.` });
}
