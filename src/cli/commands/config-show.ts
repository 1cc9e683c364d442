import type { Command } from "commander";
import { stringify } from "yaml";

import type { LoadSuccess } from "../../config/load.ts";
import { redactConfig } from "../../config/redact.ts";
import { originLines } from "../config/origin-lines.ts";
import type { CommonOptions } from "../cli-context.ts";
import { EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import { configInvalid } from "../error-report.ts";

const EXAMPLES = [
  { line: "weir config show" },
  { line: "weir config show --profile prod", note: "what prod's defaults would make of it" },
  { line: "weir config show --origin", note: "each setting, and who says so" },
  { line: "weir config show --json | jq .config.listen" },
];

interface Options extends CommonOptions {
  readonly origin?: boolean;
}

/** `weir config show`. */
export function configShowCommand(host: Host): Command {
  const command = defineCommand({
    name: "show",
    summary: "show the configuration in effect, secrets hidden",
    description:
      "Shows what is in effect after profile, files, variables and defaults, as YAML. Secrets are replaced by [redacted].",
    examples: EXAMPLES,
  });
  command.option("--origin", "one setting a line, with where its value comes from");
  return addInstallationOptions(command).action(async (options: Options) =>
    host.finish(await showConfig(host, options)),
  );
}

async function showConfig(host: Host, options: Options): Promise<number> {
  const output = outputFor(host, options);
  const loaded = await host.context.loadConfig(options);
  if (!loaded.ok) throw configInvalid(loaded.diagnostics);
  const config = redactConfig(loaded.config);
  const origins = options.origin === true ? { origins: Object.fromEntries(loaded.origins) } : {};
  output.result({ profile: config.profile, files: loaded.files, config, ...origins }, () =>
    options.origin === true
      ? originLines(config, loaded.origins, output)
      : [header(loaded), stringify(config).trimEnd()],
  );
  return EXIT.ok;
}

function header({ config, files }: LoadSuccess): string {
  return `# Profile ${config.profile}; ${files.length === 0 ? "no file, defaults only" : `from ${files.join(", ")}`}.`;
}
