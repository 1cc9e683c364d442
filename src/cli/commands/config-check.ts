import type { Command } from "commander";

import { formatDiagnostic } from "../../config/diagnostic.ts";
import type { LoadResult } from "../../config/load.ts";
import type { CommonOptions } from "../cli-context.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import type { Style } from "../terminal/style.ts";

const EXAMPLES = [
  { line: "weir config check" },
  { line: "weir config check /etc/weir/weir.yaml --profile prod" },
  { line: "weir config check --json | jq '.diagnostics[]'" },
];

interface Options extends CommonOptions {
  readonly strict?: boolean;
}

/** `weir config check`. */
export function configCheckCommand(host: Host): Command {
  const command = defineCommand({
    name: "check",
    summary: "say everything that is wrong with the configuration",
    description:
      "Reads the configuration as `weir serve` would, with its overlays, variables and files, and says everything that is wrong: where, why, and how to put it right. Exit 1 when it is not valid.",
    examples: EXAMPLES,
  });
  command
    .argument("[file]", "configuration file (the same as --config)")
    .option("--strict", "exit 1 for warnings as well");
  return addInstallationOptions(command).action(async (file: string | undefined, options: Options) =>
    host.finish(await checkConfig(host, file, options)),
  );
}

async function checkConfig(host: Host, file: string | undefined, options: Options): Promise<number> {
  if (file !== undefined && options.config !== undefined) {
    throw new CliError("usage", "the file is given twice, as an argument and with --config", {
      remedy: "Leave out one.",
    });
  }
  const output = outputFor(host, options);
  const loaded = await host.context.loadConfig({ ...options, ...(file === undefined ? {} : { config: file }) });
  const diagnostics = loaded.ok ? loaded.warnings : loaded.diagnostics;
  output.result(
    { ok: loaded.ok, profile: loaded.ok ? loaded.config.profile : null, files: loaded.files, diagnostics },
    () => [...diagnostics.flatMap((diagnostic) => [formatDiagnostic(diagnostic), ""]), summaryOf(loaded, output.style)],
  );
  if (!loaded.ok) {
    const isMissing = diagnostics.some(({ code }) => code === "file_not_found" || code === "unreadable_file");
    return isMissing ? EXIT.unavailable : EXIT.negative;
  }
  return options.strict === true && diagnostics.length > 0 ? EXIT.negative : EXIT.ok;
}

function summaryOf(loaded: LoadResult, style: Style): string {
  const files = loaded.files.length === 0 ? "no file, defaults only" : loaded.files.join(", ");
  if (!loaded.ok) {
    const errors = loaded.diagnostics.filter(({ severity }) => severity === "error").length;
    return `${style.red("not valid")}: ${errors} ${errors === 1 ? "error" : "errors"} (${files})`;
  }
  const count = loaded.warnings.length;
  const warnings = count === 0 ? "" : `, ${count} ${count === 1 ? "warning" : "warnings"}`;
  return `${style.green("valid")}: profile ${loaded.config.profile}${warnings} (${files})`;
}
