import type { Command } from "commander";

import type { CommonOptions } from "../cli-context.ts";
import { EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import { type BudgetSession, withBudgets } from "../budget/budget-session.ts";
import { limitDocument, limitText, raiseDocument, sourceOf, titleOf } from "../budget/budget-document.ts";
import type { LimitRule } from "../../ledger/budgets/limits-in-force.ts";
import { formatUsd } from "../../core/money.ts";
import type { Output } from "../output.ts";
import { isoTime } from "../keys/key-document.ts";
import { tableLines } from "../terminal/table.ts";

const EXAMPLES = [
  { line: "weir budget list" },
  { line: "weir budget list --json | jq -r '.limits[] | [.id, .scope, .limit_usd] | @tsv'" },
];

interface Options extends CommonOptions {
  readonly org?: string;
}

/** `weir budget list`. */
export function budgetListCommand(host: Host): Command {
  const command = defineCommand({
    name: "list",
    summary: "list budgets, of the database and the configuration, and temporary increases",
    examples: EXAMPLES,
  });
  command.option("--org <organisation>", "organisation, by name or id; needed when there are several");
  return addInstallationOptions(command).action(async (options: Options) =>
    host.finish(await listBudgets(host, options)),
  );
}

async function listBudgets(host: Host, options: Options): Promise<number> {
  const output = outputFor(host, options);
  return await withBudgets(host, options, async (session) => {
    const { limits, organization, snapshot, spend } = session;
    const own = <T extends { readonly organizationId: string }>(records: readonly T[]): T[] =>
      records.filter(({ organizationId }) => organizationId === organization.id);
    const rules = own(limits.rules);
    const raises = own(spend.raises);
    const keyTags = own(spend.keyTags);
    output.result(
      {
        limits: rules.map((rule) => limitDocument(rule, snapshot)),
        raises: raises.map((raise) => raiseDocument(raise, snapshot)),
        key_tags: keyTags.map(({ keyId, tag }) => ({ key_id: keyId, tag })),
      },
      () => [...limitLines(rules, session, output), ...raiseLines(session, output)],
    );
    return EXIT.ok;
  });
}

function limitLines(rules: readonly LimitRule[], { snapshot }: BudgetSession, output: Output): string[] {
  if (rules.length === 0) return ["No budgets yet. `weir budget set` makes one."];
  return tableLines(
    [
      { header: "WHOSE", cells: rules.map((rule) => titleOf(rule, snapshot)), isFlexible: true },
      { header: "WINDOW", cells: rules.map(({ window }) => window) },
      { header: "LIMIT", cells: rules.map(({ limitMicroUsd }) => limitText(limitMicroUsd)), align: "point" },
      { header: "KIND", cells: rules.map(({ enforcement, paused }) => (paused ? "paused" : enforcement)) },
      { header: "FROM", cells: rules.map(sourceOf) },
      { header: "ID", cells: rules.map(({ id }) => (id.startsWith("configured/") ? "–" : id)) },
    ],
    { style: output.style, columns: output.terminal.out.columns },
  );
}

function raiseLines({ snapshot, spend, organization }: BudgetSession, output: Output): string[] {
  const raises = spend.raises.filter(({ organizationId }) => organizationId === organization.id);
  if (raises.length === 0) return [];
  const lines = tableLines(
    [
      {
        header: "RAISED",
        cells: raises.map((raise) => titleOf({ ...raise, sharing: "shared" }, snapshot)),
        isFlexible: true,
      },
      { header: "WINDOW", cells: raises.map(({ window }) => window) },
      { header: "BY", cells: raises.map(({ addMicroUsd }) => `$${formatUsd(addMicroUsd)}`), align: "point" },
      { header: "UNTIL", cells: raises.map(({ untilMs }) => isoTime(untilMs)) },
      { header: "REASON", cells: raises.map(({ reason }) => reason), isFlexible: true },
      { header: "ID", cells: raises.map(({ id }) => id) },
    ],
    { style: output.style, columns: output.terminal.out.columns },
  );
  return ["", ...lines];
}
