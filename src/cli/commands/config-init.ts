import { writeFile } from "node:fs/promises";
import path from "node:path";

import { type Command, Option } from "commander";

import { PROFILE_NAMES, type ProfileName } from "../../config/schema.ts";
import { writeStarterConfig } from "../../config/starter.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { addJsonOption, defineCommand, type Host, outputFor } from "../define-command.ts";
import { isSystemError } from "../system-error.ts";

const EXAMPLES = [
  { line: "weir config init" },
  { line: "weir config init --profile prod /etc/weir/weir.yaml" },
  { line: "weir config init --force", note: "replaces weir.yaml" },
];

interface Options {
  readonly profile: ProfileName;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `weir config init`. */
export function configInitCommand(host: Host): Command {
  const command = defineCommand({
    name: "init",
    summary: "write a weir.yaml to start from",
    description:
      "Writes a commented configuration to start from. A file that exists is left alone, unless --force is given.",
    examples: EXAMPLES,
  });
  const profile = new Option("--profile <name>", "what the file is for").choices(PROFILE_NAMES).default("dev");
  command
    .argument("[file]", "file to write", "weir.yaml")
    .addOption(profile)
    .option("--force", "replace a file that exists");
  return addJsonOption(command).action(async (file: string, options: Options) =>
    host.finish(await initConfig(host, file, options)),
  );
}

async function initConfig(host: Host, name: string, options: Options): Promise<number> {
  const output = outputFor(host, options);
  const file = path.resolve(host.context.cwd, name);
  const text = writeStarterConfig(options.profile);
  await write(file, text, options.force === true);
  const variables = variablesOf(text);
  output.result({ file, profile: options.profile, variables }, () => [
    `Wrote ${file} for the ${options.profile} profile.`,
    ...(variables.length === 0 ? [] : [`It needs these variables in the environment: ${variables.join(", ")}.`]),
    name === "weir.yaml"
      ? "Next: `weir config check`, then `weir serve`."
      : `Next: \`weir config check ${name}\`, then \`weir serve --config ${name}\`.`,
  ]);
  return EXIT.ok;
}

async function write(file: string, text: string, mayReplace: boolean): Promise<void> {
  try {
    await writeFile(file, text, { flag: mayReplace ? "w" : "wx" });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === "EEXIST") {
      throw new CliError("conflict", `${file} exists already`, {
        remedy: "Add --force to replace it, or name another file.",
      });
    }
    throw new CliError("unavailable", `${file} cannot be written (${error.code})`, {
      remedy: "Check that the directory exists and that you may write there.",
      cause: error,
    });
  }
}

/** Environment variables that a configuration takes, those in comments left out. */
function variablesOf(text: string): string[] {
  const live = text.split("\n").filter((line) => !line.trimStart().startsWith("#"));
  return [...new Set([...live.join("\n").matchAll(/\$\{([A-Za-z_]\w*)\}/g)].map(([, name = ""]) => name))];
}
