import type { Command } from "commander";

import { defineCommand, type Host } from "../define-command.ts";
import { reportCostCommand } from "./report-cost.ts";
import { reportExportCommand } from "./report-export.ts";
import { reportForecastCommand } from "./report-forecast.ts";
import { reportSessionCommand } from "./report-session.ts";
import { reportSessionsCommand } from "./report-sessions.ts";
import { reportUsersCommand } from "./report-users.ts";

/** `weir report`. */
export function reportCommand(host: Host): Command {
  return defineCommand({
    name: "report",
    summary: "what was spent, by whom, on what; forecasts and exports",
    examples: [
      { line: "weir report cost --by team" },
      { line: "weir report sessions --last 7d", note: "the dearest conversations" },
      { line: "weir report forecast", note: "what this month will have cost" },
    ],
  })
    .addCommand(reportCostCommand(host))
    .addCommand(reportSessionCommand(host))
    .addCommand(reportSessionsCommand(host))
    .addCommand(reportUsersCommand(host))
    .addCommand(reportForecastCommand(host))
    .addCommand(reportExportCommand(host));
}
