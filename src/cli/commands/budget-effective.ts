import type { Command } from "commander";

import { windowAt } from "../../core/calendar-window.ts";
import { formatUsd } from "../../core/money.ts";
import { type Budget, limitAt, raisedUntil } from "../../ledger/budgets/budget.ts";
import { WINDOW_KINDS } from "../../ledger/budgets/spend-counter.ts";
import { subjectName } from "../budget/budget-document.ts";
import { type BudgetSession, withBudgets } from "../budget/budget-session.ts";
import type { CommonOptions } from "../cli-context.ts";
import { EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import { isoTime } from "../keys/key-document.ts";
import { nameOption } from "../options/text-option.ts";
import { tableLines } from "../terminal/table.ts";
import type { Output } from "../output.ts";

const EXAMPLES = [
  { line: "weir budget effective", note: "the fullest first" },
  { line: "weir budget effective --user ada" },
  { line: "weir budget effective --json | jq '.budgets[] | select(.used_percent > 80)'" },
];

interface Options extends CommonOptions {
  readonly org?: string;
  readonly user?: string;
}

/** A budget with what has been spent of it. */
interface Standing {
  readonly budget: Budget;
  readonly name: string;
  readonly limitMicroUsd: number;
  readonly spentMicroUsd: number;
  readonly resetsAtMs: number;
}

/** `weir budget effective`. */
export function budgetEffectiveCommand(host: Host): Command {
  const command = defineCommand({
    name: "effective",
    summary: "what everybody may spend now, and has spent",
    description:
      "Shows the one limit that holds for each payer and window, wherever it comes from, with temporary increases, and what the ledger says was spent of it.",
    examples: EXAMPLES,
  });
  command
    .option("--org <organisation>", "organisation, by name or id; needed when there are several")
    .option("--user <user>", "only this user", nameOption);
  return addInstallationOptions(command).action(async (options: Options) =>
    host.finish(await showEffective(host, options)),
  );
}

async function showEffective(host: Host, options: Options): Promise<number> {
  const output = outputFor(host, options);
  return await withBudgets(host, options, async (session) => {
    const only = options.user === undefined ? null : session.subject({ user: options.user }).subjectId;
    const standings = (await standingsOf(session)).filter(({ budget }) => only === null || budget.subjectId === only);
    const sorted = standings.sort((a, b) => shareOf(b) - shareOf(a));
    output.result({ budgets: sorted.map((standing) => documentOf(standing, session.nowMs)) }, () =>
      sorted.length === 0 ? ["Nothing is limited."] : tableOf(sorted, output, session.nowMs),
    );
    return EXIT.ok;
  });
}

async function standingsOf({ limits, organization, records, snapshot, nowMs }: BudgetSession): Promise<Standing[]> {
  const budgets = limits.budgets().filter(({ organizationId }) => organizationId === organization.id);
  const standings: Standing[] = [];
  for (const window of WINDOW_KINDS) {
    const span = windowAt(window, nowMs, organization.timeZone);
    const spent = new Map<string, number>();
    const own = budgets.filter((budget) => budget.window === window);
    for (const scope of new Set(own.map((budget) => budget.scope))) {
      for (const [id, total] of await records.usage.totals(scope, span.startMs, span.endMs)) spent.set(id, total);
    }
    for (const budget of own) {
      const { scope, subjectId } = budget;
      const plainId = scope === "tag" ? subjectId.slice(organization.id.length + 1) : subjectId;
      standings.push({
        budget,
        name: `${scope} ${subjectName({ scope, subjectId: plainId }, snapshot)}`,
        limitMicroUsd: limitAt(budget, nowMs),
        spentMicroUsd: spent.get(subjectId) ?? 0,
        resetsAtMs: span.endMs,
      });
    }
  }
  return standings;
}

function shareOf({ spentMicroUsd, limitMicroUsd }: Standing): number {
  return limitMicroUsd > 0 ? spentMicroUsd / limitMicroUsd : 1;
}

function percentOf(standing: Standing): number {
  return Math.round(shareOf(standing) * 100);
}

function documentOf(standing: Standing, nowMs: number): Readonly<Record<string, unknown>> {
  const { budget, name, limitMicroUsd, spentMicroUsd, resetsAtMs } = standing;
  const until = raisedUntil(budget, nowMs);
  return {
    id: budget.id,
    scope: budget.scope,
    subject: { id: budget.subjectId, name: name.slice(budget.scope.length + 1) },
    window: budget.window,
    limit_usd: formatUsd(limitMicroUsd),
    raised_by_usd: formatUsd(limitMicroUsd - budget.limitMicroUsd),
    raised_until: until === null ? null : isoTime(until),
    spent_usd: formatUsd(spentMicroUsd),
    used_percent: percentOf(standing),
    enforcement: budget.enforcement,
    resets_at: Number.isFinite(resetsAtMs) ? isoTime(resetsAtMs) : null,
  };
}

function tableOf(standings: readonly Standing[], output: Output, nowMs: number): string[] {
  return tableLines(
    [
      { header: "WHO", cells: standings.map(({ name }) => name), isFlexible: true },
      { header: "WINDOW", cells: standings.map(({ budget }) => budget.window) },
      { header: "SPENT", cells: standings.map(({ spentMicroUsd }) => `$${formatUsd(spentMicroUsd)}`), align: "point" },
      { header: "LIMIT", cells: standings.map(({ limitMicroUsd }) => `$${formatUsd(limitMicroUsd)}`), align: "point" },
      { header: "USED", cells: standings.map((standing) => `${percentOf(standing)} %`), align: "right" },
      { header: "KIND", cells: standings.map(({ budget }) => budget.enforcement) },
      {
        header: "RAISED UNTIL",
        cells: standings.map(({ budget }) => {
          const until = raisedUntil(budget, nowMs);
          return until === null ? "–" : isoTime(until);
        }),
      },
    ],
    { style: output.style, columns: output.terminal.out.columns },
  );
}
