import type { CliContext } from "./cli-context.ts";
import { CliError, EXIT } from "./cli-error.ts";
import { reportError, type ReportForm } from "./error-report.ts";
import { buildProgram, ParseEnd } from "./program.ts";

/**
 * Runs one command line (without program and script names) and resolves with its exit code. Never rejects: whatever goes
 * wrong is told on stderr, or with `--json` on stdout as `{"error": {"code", "message", "remedy"}}`.
 */
export async function runCli(argv: readonly string[], context: CliContext): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = buildProgram(context, (code) => {
    exitCode = code;
  });
  // Until a command is found, the arguments themselves tell.
  let form = formOf(argv[0], asksForJson(argv));
  program.hook("preAction", (_, command) => {
    form = formOf(command.name(), command.opts()["json"] === true);
  });
  if (argv.length === 0) {
    program.outputHelp();
    return EXIT.ok;
  }
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof ParseEnd)) return reportError(error, context, form);
    const { code, exitCode: suggested } = error.end;
    if (suggested === 0) return EXIT.ok;
    // A group without its subcommand: the help has been shown on stderr.
    if (code === "commander.help") return EXIT.usage;
    return reportError(usageError(error), context, form);
  }
}

/** Commander's complaint in our form. */
function usageError({ end, commandPath }: ParseEnd): CliError {
  const [first = "", ...rest] = end.message.split("\n");
  const suggestion = /\((Did you mean .*\?)\)/.exec(rest.join("\n"))?.[1];
  const help = `See \`${commandPath} --help\`.`;
  return new CliError("usage", first.replace(/^error: /, ""), {
    remedy: suggestion === undefined ? help : `${suggestion} ${help}`,
    cause: end,
  });
}

/** `weir serve` writes lines: the one that says it is ready, or why it is not. */
function formOf(command: string | undefined, isJson: boolean): ReportForm {
  if (!isJson) return "words";
  return command === "serve" ? "line" : "document";
}

/** Whether `--json` is among the options of a command line that may not be understood as a whole. */
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? argv.length : end).includes("--json");
}
