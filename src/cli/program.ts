import { Command, type CommanderError } from "commander";

import type { CliContext } from "./cli-context.ts";
import { EXIT_MEANINGS } from "./cli-error.ts";
import { auditCommand } from "./commands/audit.ts";
import { benchCommand } from "./commands/bench.ts";
import { budgetCommand } from "./commands/budget.ts";
import { claudeCommand } from "./commands/claude.ts";
import { configCommand } from "./commands/config.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { keysCommand } from "./commands/keys.ts";
import { managedCommand } from "./commands/managed.ts";
import { reconcileCommand } from "./commands/reconcile.ts";
import { reportCommand } from "./commands/report.ts";
import { routeCommand } from "./commands/route.ts";
import { serveCommand } from "./commands/serve.ts";
import { sessionCommand } from "./commands/session.ts";
import { usageCommand } from "./commands/usage.ts";
import type { Host } from "./define-command.ts";
import { styleFor } from "./terminal/style.ts";

/** Commander's end of a parse (help, version, or an error), with the command at which it came. */
export class ParseEnd extends Error {
  readonly end: CommanderError;
  /** Such as `weir keys create`. */
  readonly commandPath: string;

  constructor(end: CommanderError, commandPath: string) {
    super(end.message, { cause: end });
    this.name = "ParseEnd";
    this.end = end;
    this.commandPath = commandPath;
  }
}

/** The whole command line. `finish` takes the exit code of the command that ran. */
export function buildProgram(context: CliContext, finish: Host["finish"] = () => {}): Command {
  const host: Host = { context, finish };
  const program = new Command("weir")
    .description("The gateway and control room for Claude in an organisation.")
    .version(context.version, "-V, --version", "print the version")
    // So that `weir claude` can pass on options that Weir has too.
    .enablePositionalOptions()
    .addHelpText("after", `\n${FOOTER}`);
  const commands = [
    serveCommand(host),
    keysCommand(host),
    budgetCommand(host),
    usageCommand(host),
    reportCommand(host),
    reconcileCommand(host),
    sessionCommand(host),
    claudeCommand(host),
    benchCommand(benchIo(host)),
    doctorCommand(host),
    configCommand(host),
    routeCommand(host),
    managedCommand(host),
    auditCommand(host),
  ];
  for (const command of commands) program.addCommand(command);
  adopt(program, context);
  return program;
}

const EXIT_TEXT = EXIT_MEANINGS.map(({ code, meaning }) => `  ${String(code).padEnd(3)}  ${meaning}`).join("\n");

const FOOTER = `Every command has --help with examples, and --json for scripts.

Exit codes:
${EXIT_TEXT}

Environment: WEIR_URL and WEIR_KEY (weir claude), NO_COLOR, WEIR_DEBUG=1 (stacks of errors), and the settings
listed in docs/reference/configuration.md, such as WEIR_PORT and WEIR_PROFILE.`;

/** Makes a command and its subcommands write to our terminal, and throw instead of ending the process. */
function adopt(command: Command, context: CliContext, path: string = command.name()): void {
  const { out, err } = context.terminal;
  const style = styleFor(out.hasColors);
  command
    .configureOutput({
      writeOut: (text) => out.write(text),
      writeErr: (text) => err.write(text),
      // Told by runCli, in words or as JSON.
      outputError: () => {},
      getOutHelpWidth: () => out.columns ?? 80,
      getErrHelpWidth: () => err.columns ?? 80,
      getOutHasColors: () => out.hasColors,
      getErrHasColors: () => err.hasColors,
    })
    .configureHelp({
      styleTitle: (text) => style.bold(text),
      subcommandTerm: (subcommand) => subcommand.name(),
    })
    .exitOverride((end) => {
      throw new ParseEnd(end, path);
    });
  for (const subcommand of command.commands) adopt(subcommand, context, `${path} ${subcommand.name()}`);
}

function benchIo({ context, finish }: Host): Parameters<typeof benchCommand>[0] {
  const { terminal, env } = context;
  return {
    stdout: terminal.out,
    stderr: {
      write: (text) => terminal.err.write(text),
      isTTY: terminal.err.isTty,
      columns: terminal.err.columns ?? 80,
    },
    env,
    onInterrupt: (listener) => terminal.onInterrupt(listener),
    setExitCode: finish,
    exitNow: (code) => process.exit(code),
  };
}
