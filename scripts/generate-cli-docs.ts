import type { CliContext } from "../src/cli/cli-context.ts";
import { buildProgram } from "../src/cli/program.ts";
import { cliReference } from "../src/cli/reference-page.ts";
import type { TextSink } from "../src/cli/terminal/terminal.ts";
import { systemClock } from "../src/core/clock.ts";
import type { GeneratedFile } from "./generate/generated-file.ts";

/** docs/reference/cli.md, made from the command line itself. */
export function cliDoc(): GeneratedFile {
  return { path: "docs/reference/cli.md", content: cliReference(buildProgram(describingContext())) };
}

/** A context for a program that is described and never run. */
function describingContext(): CliContext {
  const sink: TextSink = { isTty: false, hasColors: false, columns: 100, write: () => {} };
  const never = (): never => {
    throw new Error("this program is only described");
  };
  return {
    clock: systemClock,
    env: {},
    cwd: ".",
    version: "",
    terminal: { out: sink, err: sink, isInteractive: false, confirm: never, onInterrupt: never },
    inspect: {
      embeddedPostgres: never,
      database: never,
      connectUpstream: never,
      routes: never,
      runningAdmin: never,
      journalDirectory: never,
      secretFiles: never,
    },
    serve: never,
    loadConfig: never,
    systemUser: "",
    auditSigner: never,
    openRecords: never,
  };
}
