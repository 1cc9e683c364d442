import { formatDiagnostic, type Diagnostic } from "../config/diagnostic.ts";
import { StoreError } from "../store/ports/store-error.ts";
import { CliError } from "./cli-error.ts";
import type { CliContext } from "./cli-context.ts";
import { jsonText } from "./output.ts";
import { styleFor } from "./terminal/style.ts";

/** How a command speaks: to a person, as one JSON document, or, where it writes a stream of them, as one line of it. */
export type ReportForm = "words" | "document" | "line";

/** Tells the person or script what went wrong; returns the exit code. */
export function reportError(error: unknown, context: CliContext, form: ReportForm): number {
  const { terminal, env } = context;
  const known = asCliError(error);
  if (form !== "words") {
    const { code, message, remedy, details } = known;
    const document = { error: { code, message, remedy, ...details } };
    terminal.out.write(form === "line" ? `${JSON.stringify(document)}\n` : jsonText(document));
  } else {
    const style = styleFor(terminal.err.hasColors);
    terminal.err.write(`${style.red("error:")} ${known.message}\n`);
    if (known.remedy !== "")
      terminal.err.write(`  ${style.cyan("fix:")} ${known.remedy.replaceAll("\n", "\n       ")}\n`);
  }
  const wantsStack = (env["WEIR_DEBUG"] ?? "") !== "";
  if (wantsStack && error instanceof Error) terminal.err.write(`${stackOf(error)}\n`);
  return known.exitCode;
}

/** Any error as one that the command line can show. What nobody expected is a defect of ours, and says so. */
export function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof StoreError) return storeFailure(error);
  if (error instanceof Error && "remedy" in error && typeof error.remedy === "string") {
    return new CliError("unavailable", error.message, { remedy: error.remedy, cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new CliError("internal", `unexpected: ${message}`, {
    remedy: "This is a defect in Weir. Run the command again with WEIR_DEBUG=1 and report what it prints.",
    cause: error,
  });
}

function storeFailure(error: StoreError): CliError {
  if (error.kind === "unavailable") {
    return new CliError("unavailable", `the database does not answer: ${error.message}`, {
      remedy: "Check that PostgreSQL runs and that store.postgres_url is right; `weir doctor` looks at both.",
      cause: error,
    });
  }
  return new CliError("conflict", error.message, {
    remedy: "Somebody may have changed the records at the same time: look at them and try again.",
    cause: error,
  });
}

/** The error for a command that cannot go on because the configuration does not load. */
export function configInvalid(diagnostics: readonly Diagnostic[]): CliError {
  const text = diagnostics.map(formatDiagnostic).join("\n");
  return new CliError("config_invalid", `the configuration is not valid\n${text}`, {
    remedy: "Correct it; `weir config check` looks again.",
    details: { diagnostics },
  });
}

function stackOf(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\ncaused by: ${stackOf(error.cause)}` : own;
}
