import type { Histogram } from "./measure/statistics.ts";
import type { MemoryOfGroups } from "./measure/memory.ts";

/** The upstream without any gateway takes part under this name where latency is compared. */
export const DIRECT = "direct";

interface SampleOrigin {
  readonly peer: string;
  readonly caseId: string;
  readonly round: number;
}

/** CPU of one load of requests. Microseconds are per request. */
export interface RequestsSample extends SampleOrigin {
  readonly kind: "requests";
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly cpuUs: number;
  readonly databaseCpuUs: number;
  /** Share of one core that the gateway used while it was loaded; near 1 means that it was what limited the rate. */
  readonly utilisation: number;
}

/** CPU of steady streams. Microseconds are per event; transit is nanoseconds from upstream to client. */
export interface PacedSample extends SampleOrigin {
  readonly kind: "paced";
  readonly events: number;
  readonly cpuUs: number;
  readonly databaseCpuUs: number;
  readonly utilisation: number;
  readonly transit: Histogram;
}

/** Nanoseconds from the moment a request was due to its first token. */
export interface FirstTokenSample extends SampleOrigin {
  readonly kind: "first-token";
  readonly firstToken: Histogram;
  readonly utilisation: number;
}

export interface MemorySample extends SampleOrigin {
  readonly kind: "memory";
  readonly idle: MemoryOfGroups;
  /** The most seen while all streams were open. */
  readonly loaded: MemoryOfGroups;
}

export type Sample = RequestsSample | PacedSample | FirstTokenSample | MemorySample;

/** An answer that was wrong, or a peer that broke: the run goes on and fails at its end. */
export interface Failure extends SampleOrigin {
  readonly reason: string;
}

/** The gateway was right but too slow for the load, which for some peers is a result and no failure. */
export class FellBehind extends Error {
  override readonly name = "FellBehind";
}
