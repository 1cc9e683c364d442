import type { Command } from "commander";

import { defineCommand, type Host } from "../define-command.ts";
import { configCheckCommand } from "./config-check.ts";
import { configInitCommand } from "./config-init.ts";
import { configSchemaCommand } from "./config-schema.ts";
import { configShowCommand } from "./config-show.ts";

/** `weir config`. */
export function configCommand(host: Host): Command {
  return defineCommand({
    name: "config",
    summary: "check, show and write the configuration",
    examples: [{ line: "weir config init --profile prod" }, { line: "weir config check" }],
  })
    .addCommand(configCheckCommand(host))
    .addCommand(configShowCommand(host))
    .addCommand(configSchemaCommand(host))
    .addCommand(configInitCommand(host));
}
