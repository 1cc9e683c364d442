import type { CliContext, CommonOptions, Records } from "./cli-context.ts";
import { CliError } from "./cli-error.ts";

/**
 * Opens the installation's records for `work` and closes them whatever happens, also on Ctrl-C: an embedded PostgreSQL that
 * was started for this command must not be left running.
 */
export async function withRecords<T>(
  context: CliContext,
  options: CommonOptions,
  work: (records: Records) => Promise<T>,
): Promise<T> {
  const interruption = new AbortController();
  const stopListening = context.terminal.onInterrupt(() => interruption.abort());
  try {
    const records = await context.openRecords(options);
    try {
      return await unlessAborted(interruption.signal, () => work(records));
    } finally {
      await records.close();
    }
  } catch (error) {
    // Ctrl-C reaches every process in the foreground: what broke meanwhile broke because of it.
    throw interruption.signal.aborted ? interrupted() : error;
  } finally {
    stopListening();
  }
}

/** The error of a command that the person ended. */
export function interrupted(): CliError {
  return new CliError("interrupted", "interrupted", { remedy: "Run the command again if that was not meant." });
}

/** The result of `work`, or a rejection as soon as `signal` aborts. */
async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(interrupted());
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
