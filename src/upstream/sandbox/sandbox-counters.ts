import type { SandboxStats } from "./sandbox-options.ts";

/** The counts behind `stats`, changed as things happen. */
export type SandboxCounters = { -readonly [Key in keyof SandboxStats]: SandboxStats[Key] };

/** Counters at zero. */
export function newCounters(): SandboxCounters {
  return { requests: 0, openStreams: 0, completedStreams: 0, abandonedStreams: 0, injectedFaults: 0, eventsSent: 0 };
}
