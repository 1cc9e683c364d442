import type { BenchCase, Durations } from "../cases.ts";
import type { CpuPlan } from "../cpu-plan.ts";
import type { Machine } from "../machine.ts";
import type { Failure, Sample } from "../sample.ts";

export interface PeerFacts {
  readonly name: string;
  readonly description: string;
  readonly version: string;
}

/** One whole run, as it is written to JSON; everything printed or drawn is derived from it. */
export interface Report {
  readonly startedAt: Date;
  readonly seconds: number;
  readonly mode: "quick" | "full";
  readonly durations: Durations;
  readonly machine: Machine;
  readonly cpus: CpuPlan;
  readonly cases: readonly BenchCase[];
  readonly peers: readonly PeerFacts[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  readonly samples: readonly Sample[];
  readonly failures: readonly Failure[];
  readonly behind: readonly Failure[];
}
