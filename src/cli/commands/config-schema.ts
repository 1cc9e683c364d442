import type { Command } from "commander";

import { configJsonSchema } from "../../config/json-schema.ts";
import { EXIT } from "../cli-error.ts";
import { addJsonOption, defineCommand, type Host } from "../define-command.ts";
import { jsonText } from "../output.ts";

const EXAMPLES = [
  { line: "weir config schema > weir.schema.json" },
  { line: "weir config schema | jq '.properties | keys'" },
];

/** `weir config schema`. */
export function configSchemaCommand(host: Host): Command {
  const command = defineCommand({
    name: "schema",
    summary: "print the JSON Schema of weir.yaml, for editors",
    description: "Prints the JSON Schema (draft 2020-12) of the configuration, by which editors complete and check it.",
    examples: EXAMPLES,
  });
  return addJsonOption(command).action(() => {
    // JSON with and without --json: that is what a schema is.
    host.context.terminal.out.write(jsonText(configJsonSchema()));
    host.finish(EXIT.ok);
  });
}
