import { Command, Option } from "commander";

import { PROFILE_NAMES } from "../config/schema.ts";
import type { CliContext } from "./cli-context.ts";
import { Output } from "./output.ts";

/** What the commands are built with. */
export interface Host {
  readonly context: CliContext;
  /** Takes the exit code of the command that ran. */
  readonly finish: (exitCode: number) => void;
}

interface Example {
  readonly line: string;
  /** What it does, where the line does not say so by itself. */
  readonly note?: string;
}

export interface CommandSpec {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** The text at the top of the command's own help; the summary unless given. */
  readonly description?: string;
  readonly examples: readonly Example[];
}

/** A command with its texts, and examples at the end of its help. */
export function defineCommand({ name, summary, description, examples }: CommandSpec): Command {
  return new Command(name)
    .summary(summary)
    .description(description ?? summary)
    .addHelpText("after", `\n${exampleText(examples)}`);
}

/** `--json`, which every command has. */
export function addJsonOption(command: Command): Command {
  return command.option("--json", "print one JSON document on stdout, also for errors");
}

/** Options that say where configuration and data are. */
export function addInstallationOptions(command: Command): Command {
  command
    .option("--config <file>", "configuration file (default: weir.yaml in this directory, if there is one)")
    .addOption(new Option("--profile <name>", "set of defaults to start from").choices(PROFILE_NAMES))
    .option("--data-dir <dir>", "data directory, instead of the configuration's data_dir");
  return addJsonOption(command);
}

/** Where a command writes its result. */
export function outputFor(host: Host, options: { readonly json?: boolean }): Output {
  return new Output(host.context.terminal, options.json === true);
}

function exampleText(examples: readonly Example[]): string {
  const longest = Math.max(...examples.map(({ line, note }) => (note === undefined ? 0 : line.length)));
  const lines = examples.map(({ line, note }) => {
    return note === undefined ? `  $ ${line}` : `  $ ${line.padEnd(longest)}   # ${note}`;
  });
  return `Examples:\n${lines.join("\n")}`;
}
