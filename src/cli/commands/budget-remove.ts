import type { Command } from "commander";

import { limitDocument, limitText, raiseDocument, sourceOf, titleOf } from "../budget/budget-document.ts";
import { type BudgetSession, withBudgets } from "../budget/budget-session.ts";
import type { CommonOptions } from "../cli-context.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import type { Output } from "../output.ts";

const EXAMPLES = [
  { line: "weir budget remove spl_01k9z3…", note: "ids as `weir budget list` shows them" },
  { line: "weir budget remove rse_01k9z3…", note: "ends a temporary increase now" },
];

interface Options extends CommonOptions {
  readonly org?: string;
}

/** `weir budget remove`. */
export function budgetRemoveCommand(host: Host): Command {
  const command = defineCommand({
    name: "remove",
    summary: "remove a budget, or end a temporary increase",
    examples: EXAMPLES,
  });
  command
    .argument("<id>", "id of the budget or increase")
    .option("--org <organisation>", "organisation, by name or id; needed when there are several");
  return addInstallationOptions(command).action(async (id: string, options: Options) =>
    host.finish(await removeBudget(host, id, options)),
  );
}

async function removeBudget(host: Host, id: string, options: Options): Promise<number> {
  const output = outputFor(host, options);
  return await withBudgets(host, options, async (session) => {
    if (id.startsWith("rse_")) await endRaise(id, session, output);
    else await removeLimit(id, session, output);
    return EXIT.ok;
  });
}

async function removeLimit(id: string, session: BudgetSession, output: Output): Promise<void> {
  const { admin, by, organization, snapshot, limits } = session;
  if (sourceOf({ id }) === "configuration") {
    throw new CliError("conflict", "this budget stands in the configuration", {
      remedy: "Take it out of `budgets` there; a running Weir notices by itself.",
    });
  }
  const removed = await admin.remove(organization.id, id, by);
  if (removed === null)
    throw unknown(
      "budget",
      id,
      limits.rules.map((rule) => rule.id).filter((known) => sourceOf({ id: known }) === "database"),
    );
  output.result({ removed: limitDocument(removed, snapshot) }, () => [
    `Removed ${titleOf(removed, snapshot)}: ${limitText(removed.limitMicroUsd)} a ${removed.window}.`,
  ]);
}

async function endRaise(id: string, session: BudgetSession, output: Output): Promise<void> {
  const { admin, by, organization, snapshot, spend } = session;
  const ended = await admin.endRaise(organization.id, id, by);
  if (ended === null)
    throw unknown(
      "increase",
      id,
      spend.raises.map((raise) => raise.id),
    );
  output.result({ removed: raiseDocument(ended, snapshot) }, () => [
    `Ended the increase of ${titleOf({ ...ended, sharing: "shared" }, snapshot)}.`,
  ]);
}

function unknown(what: string, id: string, known: readonly string[]): CliError {
  return new CliError("not_found", `there is no ${what} ${JSON.stringify(id)}`, {
    remedy: known.length === 0 ? "There is none at all." : "`weir budget list` shows what there is.",
    details: { kind: what, wanted: id },
  });
}
