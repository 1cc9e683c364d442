import type { CpuPlan } from "../cpu-plan.ts";

/** Where a peer listens, whom it calls, and where it may write. All addresses are 127.0.0.1. */
export interface PeerStart {
  readonly port: number;
  readonly upstreamPort: number;
  readonly cpus: CpuPlan;
  /** An empty directory of its own, removed after the run. */
  readonly directory: string;
  readonly logFile: string;
}

export interface RunningPeer {
  readonly pid: number;
  /** The root of a database that is not below `pid`. */
  readonly databasePid?: number;
  /** What a client of this peer sends besides the usual. */
  readonly headers: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** One gateway to compare. Adding one is adding a file here and a line in all-peers.ts. */
export interface Peer {
  readonly name: string;
  /** One line: what it is and what it does in this comparison. */
  readonly description: string;
  /** `rewritten` where the peer is known to answer with other bytes than the upstream's; every answer must still be alike. */
  readonly answers: "exact" | "rewritten";
  /** Whether it is set up to translate between the formats of a case's client and upstream; without, it takes no part there. */
  readonly translates?: boolean;
  /** Whether being too slow for a case is a result and not a failure of the run. */
  readonly mayFallBehind: boolean;
  /** Why it cannot run here and what would change that, or null. May install what it needs from npm. */
  available(): Promise<string | null>;
  version(): Promise<string>;
  start(options: PeerStart): Promise<RunningPeer>;
}
