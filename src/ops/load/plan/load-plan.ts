import type { Trace } from "../arrival/trace.ts";

/** Users that each send one request after another: the load follows the target's speed. */
export interface ClosedLoad {
  readonly kind: "closed";
  readonly users: number;
  /** How many measured requests each user sends; null when only the duration ends the run. */
  readonly requestsPerUser: number | null;
  readonly durationMs: number | null;
  /** Pause of a user between an answer and the next request, uniform between the two. */
  readonly thinkMinMs: number;
  readonly thinkMaxMs: number;
  /** The users start evenly spread over this time. */
  readonly rampMs: number;
}

/** Requests at a rate of their own, whatever the target does. */
export interface RateLoad {
  readonly kind: "rate";
  readonly requestsPerSecond: number;
  readonly arrival: "constant" | "poisson";
  readonly durationMs: number;
  /** The rate rises linearly from zero over this time. */
  readonly rampMs: number;
}

/** Requests when a recorded trace says so. */
export interface TraceLoad {
  readonly kind: "trace";
  readonly trace: Trace;
  /** How many times faster than recorded. */
  readonly speed: number;
  /** Share of the recorded requests to send: thins a trace of requests, scales a trace of rates. */
  readonly scale: number;
  /** Where in the trace to begin, in the trace's own time. */
  readonly fromMs: number;
  readonly limit: number | null;
  /** How long to replay, in the run's time. */
  readonly durationMs: number | null;
}

export type Load = ClosedLoad | RateLoad | TraceLoad;

/** A choice of body sizes; weights need not sum to one. */
export interface BodyMix {
  /** As the user wrote it, for reports. */
  readonly label: string;
  readonly sizes: readonly { readonly bytes: number; readonly weight: number }[];
}

export interface RequestPlan {
  readonly model: string;
  readonly maxTokens: number;
  readonly stream: boolean;
  readonly body: BodyMix;
  /** Share (0..1) of each body, from its beginning, that all requests of the same size have in common. */
  readonly sharedPrefix: number;
}

export interface LoadLimits {
  /** A request that takes longer has failed. */
  readonly timeoutMs: number;
  /** How long requests in flight may take to end once no more are sent. */
  readonly drainMs: number;
  readonly maxRequestsPerSecond: number;
  /** Open load: requests beyond this wait for one to end, and their waiting counts. Closed load: the connections. */
  readonly maxInFlight: number;
  /** Ends the run early; null: never. */
  readonly maxErrors: number | null;
}

/** What may appear in no report, log or error. */
export interface LoadSecrets {
  /** One is enough; several are taken in turn, one a user or client. */
  readonly keys: readonly string[];
  readonly keyHeader: "x-api-key" | "authorization";
  readonly headers: Readonly<Record<string, string>>;
  /** PEM text of certificate authorities to trust besides the system's. */
  readonly caPem: string | null;
}

/** Everything that a run depends on. */
export interface LoadPlan {
  /** The endpoint itself, for example `http://127.0.0.1:8080/v1/messages`. */
  readonly url: string;
  /** The host that the user says they may load; needed for all but loopback. */
  readonly confirmedHost: string | null;
  readonly load: Load;
  readonly warmupMs: number;
  readonly request: RequestPlan;
  readonly limits: LoadLimits;
  readonly keepAlive: boolean;
  readonly threads: number;
  /** Decides sizes, contents, think times and arrivals. */
  readonly seed: number;
  /** Makes this run's bodies differ from another run's, so that a response cache does not answer for the target. */
  readonly salt: string;
  /** Whether one request is tried first, so that a wrong address or key ends the run before it begins. */
  readonly preflight: boolean;
  readonly secrets: LoadSecrets;
}
