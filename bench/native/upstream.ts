import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { onCpus } from "../cpu-plan.ts";

export interface Upstream {
  readonly port: number;
  /** What it has served so far; a GET is not counted. */
  stats(): Promise<UpstreamStats>;
  stop(): Promise<void>;
}

interface UpstreamStats {
  readonly requests: number;
  readonly bodyBytes: number;
  readonly aborted: number;
  readonly cpuSeconds: number;
}

/** Starts the compiled upstream.c on a free port of 127.0.0.1, pinned to `cpus`. */
export async function startUpstream(binary: string, cpus: string): Promise<Upstream> {
  const child = spawn(...onCpus(cpus, binary, ["0"]), { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const [first] = await Promise.race([
    once(lines, "line"),
    exited.then(() => Promise.reject(new Error("the upstream did not start"))),
  ]);
  const { port } = JSON.parse(String(first)) as { port: number }; // its first line is defined in upstream.c
  return {
    port,
    stats: async () => (await (await fetch(`http://127.0.0.1:${port}/bench/stats`)).json()) as UpstreamStats, // defined in upstream.c
    stop: async () => {
      child.kill();
      await exited;
    },
  };
}
