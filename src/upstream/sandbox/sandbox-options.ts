import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import type { FaultRule } from "./fault.ts";

/** How a sandbox upstream behaves. Everything but `models` has a default. */
export interface SandboxOptions {
  /** The models that it serves and lists, most recent first; every other model is answered with 404. */
  readonly models: readonly SandboxModel[];
  /** Chooses among equally good answers, faults and latencies. Same seed, same requests: same answers. Default "weir". */
  readonly seed?: string;
  /** Time to the first byte of an answer in milliseconds. Default 0. */
  readonly latencyMs?: number;
  /** The latency varies evenly by up to this much to both sides, milliseconds, never below 0. Default 0. */
  readonly latencyJitterMs?: number;
  /** Speed of generation in output tokens a second; null sends an answer as fast as it is read. Default null. */
  readonly tokensPerSecond?: number | null;
  /** Faults to inject; the first rule that applies to a request wins. Default none. */
  readonly faults?: readonly FaultRule[];
  /** Time from the creation of a batch to its end, milliseconds. Default 1,000. */
  readonly batchDurationMs?: number;
  /** Silence after which a stream gets a ping, milliseconds. Default 15,000, as the real service. */
  readonly pingIntervalMs?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Told of every request once its body has been read: for drills that check what reached the upstream. */
  readonly onRequest?: (seen: SeenRequest) => void;
}

/** A model as the sandbox lists it. */
export interface SandboxModel {
  readonly id: string;
  readonly label: string;
}

/** One request as it arrived. */
export interface SeenRequest {
  readonly method: string;
  /** Path with query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body as sent, still compressed if it was. */
  readonly body: Buffer;
}

/** Counts since the start, and how many streams are open now. */
export interface SandboxStats {
  readonly requests: number;
  readonly openStreams: number;
  readonly completedStreams: number;
  /** Streams whose client went away before their end; generation stopped there. */
  readonly abandonedStreams: number;
  readonly injectedFaults: number;
  /** Server-sent events written, pings included. */
  readonly eventsSent: number;
}
