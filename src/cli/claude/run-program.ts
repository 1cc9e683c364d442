import { spawn } from "node:child_process";
import os from "node:os";

import { CliError } from "../cli-error.ts";

export interface ProgramCall {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** Signals that the child gets when this process gets them. */
const FORWARDED = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;
/** Signals that a terminal sends to the child by itself, which then decides what they mean. */
const FROM_TERMINAL = ["SIGINT", "SIGQUIT"] as const;

/**
 * Runs a program in the foreground with this process's own input and output, until it ends. Signals reach it as if it had
 * been started directly. Resolves with its exit code; when a signal ended it, 128 and the signal's number, as shells say it.
 */
export async function runProgram({ file, args, env, cwd }: ProgramCall): Promise<number> {
  const child = spawn(file, args, { env, cwd, stdio: "inherit" });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  // A terminal sends Ctrl-C to every process in the foreground: a second one would mean something else to the child.
  const ignore = (): void => {};
  const onTerminalSignal = process.stdin.isTTY ? ignore : forward;
  for (const signal of FORWARDED) process.on(signal, forward);
  for (const signal of FROM_TERMINAL) process.on(signal, onTerminalSignal);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once("error", (error: NodeJS.ErrnoException) => reject(cannotRun(file, error)));
      child.once("close", (code, signal) => resolve(code ?? 128 + os.constants.signals[signal ?? "SIGKILL"]));
    });
  } finally {
    for (const signal of FORWARDED) process.off(signal, forward);
    for (const signal of FROM_TERMINAL) process.off(signal, onTerminalSignal);
  }
}

function cannotRun(file: string, error: NodeJS.ErrnoException): CliError {
  return new CliError("unavailable", `${file} cannot be run (${error.code ?? error.message})`, {
    remedy: "Check that it is a program for this machine, or set CLAUDE_BIN to another one.",
    cause: error,
  });
}
