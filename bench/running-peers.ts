import { chmodSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CpuPlan } from "./cpu-plan.ts";
import type { Peer, RunningPeer } from "./peers/peer.ts";
import { freePort } from "./peers/pinned-process.ts";

export interface StartedPeer extends RunningPeer {
  readonly peer: Peer;
  readonly port: number;
}

const TMPFS_MAGIC = 0x01021994; // statfs(2)

/** Starts gateways and stops whatever still runs, each with a directory of its own that goes when it stops. */
export class RunningPeers {
  readonly #started = new Set<StartedPeer>();
  readonly #cpus: CpuPlan;
  readonly #outDirectory: string;

  constructor(cpus: CpuPlan, outDirectory: string) {
    this.#cpus = cpus;
    this.#outDirectory = outDirectory;
  }

  async start(peer: Peer, upstreamPort: number): Promise<StartedPeer> {
    const directory = makeDirectory(this.#outDirectory);
    const port = await freePort();
    const logFile = join(this.#outDirectory, `${peer.name}.log`);
    const remove = (): void => rmSync(directory, { recursive: true, force: true });
    let running: RunningPeer;
    try {
      running = await peer.start({ port, upstreamPort, cpus: this.#cpus, directory, logFile });
    } catch (cause) {
      remove();
      throw cause;
    }
    const started: StartedPeer = {
      ...running,
      peer,
      port,
      stop: async () => {
        if (!this.#started.delete(started)) return;
        await running.stop();
        remove();
      },
    };
    this.#started.add(started);
    return started;
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#started].map((started) => started.stop()));
  }
}

/** On a real disk, since a journal in memory would be durable for free; open to the user that PostgreSQL runs as. */
function makeDirectory(outDirectory: string): string {
  const parent = statfsSync(tmpdir()).type === TMPFS_MAGIC ? outDirectory : tmpdir();
  const directory = mkdtempSync(join(parent, "weir-bench-"));
  chmodSync(directory, 0o755);
  return directory;
}
