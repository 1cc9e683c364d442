import type { Command } from "commander";

import { defineCommand, type Host } from "../define-command.ts";
import { budgetEffectiveCommand } from "./budget-effective.ts";
import { budgetListCommand } from "./budget-list.ts";
import { budgetRaiseCommand } from "./budget-raise.ts";
import { budgetRemoveCommand } from "./budget-remove.ts";
import { budgetSetCommand } from "./budget-set.ts";
import { budgetTagCommand } from "./budget-tag.ts";

/** `weir budget`. */
export function budgetCommand(host: Host): Command {
  return defineCommand({
    name: "budget",
    summary: "list, set, raise and remove budgets",
    examples: [{ line: "weir budget set --organization --each-user --month 50" }, { line: "weir budget effective" }],
  })
    .addCommand(budgetListCommand(host))
    .addCommand(budgetSetCommand(host))
    .addCommand(budgetRemoveCommand(host))
    .addCommand(budgetRaiseCommand(host))
    .addCommand(budgetEffectiveCommand(host))
    .addCommand(budgetTagCommand(host));
}
