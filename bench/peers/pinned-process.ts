import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { onCpus } from "../cpu-plan.ts";

export interface PinnedProcess {
  readonly pid: number;
  stop(): Promise<void>;
}

export interface PinnedCommand {
  readonly cpus: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly directory?: string;
  /** Polled until it answers below 500. */
  readonly readyUrl: string;
  readonly readyWithinMs?: number;
  /** What ends it in an orderly way; SIGKILL follows after 15 s. */
  readonly stopSignal?: NodeJS.Signals;
}

const STOP_WITHIN_MS = 15_000;
const POLL_MS = 40;

/** Starts a server on the given cores and waits until it answers. Throws with the end of its log when it does not. */
export async function startPinned(options: PinnedCommand): Promise<PinnedProcess> {
  const log = openSync(options.logFile, "w");
  const child = spawn(...onCpus(options.cpus, options.command, options.args), {
    stdio: ["ignore", log, log],
    env: { ...process.env, ...options.env },
    cwd: options.directory,
  });
  closeSync(log);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${options.command} could not be started with taskset`);
  try {
    await waitUntilReady(child, options);
  } catch (cause) {
    await stopChild(child, options.stopSignal);
    throw cause;
  }
  return { pid, stop: () => stopChild(child, options.stopSignal) };
}

/** Below the ports that the system hands out by itself (ip_local_port_range), so that no other program gets it meanwhile. */
const PORTS = { from: 20_000, to: 32_000 } as const;
const PORT_TRIES = 50;

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < PORT_TRIES; tries++) {
    const port = randomInt(PORTS.from, PORTS.to);
    if (await isFree(port)) return port;
  }
  throw new Error(`no port between ${PORTS.from} and ${PORTS.to} is free`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, "127.0.0.1"), "listening");
  } catch {
    return false; // taken
  }
  server.close();
  await once(server, "close");
  return true;
}

async function waitUntilReady(child: ChildProcess, options: PinnedCommand): Promise<void> {
  const giveUpAtMs = performance.now() + (options.readyWithinMs ?? 30_000);
  while (performance.now() < giveUpAtMs) {
    if (hasEnded(child))
      throw new Error(`${options.command} ended with code ${child.exitCode} at start:\n${logTail(options.logFile)}`);
    if (await answers(options.readyUrl)) return;
    await sleep(POLL_MS);
  }
  throw new Error(`${options.command} did not answer ${options.readyUrl} in time:\n${logTail(options.logFile)}`);
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000), headers: { connection: "close" } });
    await response.arrayBuffer();
    return response.status < 500;
  } catch {
    return false; // not listening yet
  }
}

async function stopChild(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  if (hasEnded(child)) return;
  const exited = once(child, "exit");
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
  await exited;
  clearTimeout(timer);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function logTail(file: string): string {
  return readFileSync(file, "utf8").split("\n").slice(-25).join("\n");
}
