import type { StrategyName } from "./balance/strategy-name.ts";

/**
 * Everything that routing can be told, with the defaults and why they are what they are. Durations are milliseconds, ratios
 * are fractions of one, money is integer micro-dollars. The configuration's section has the same members in snake_case.
 */
export interface RoutingSettings {
  /** How the targets of a model (or of the cloud that was chosen, under a deployment strategy) share its requests. */
  readonly strategy: StrategyName;
  readonly deployment: DeploymentSettings;
  readonly health: HealthSettings;
  readonly probes: ProbeSettings;
  readonly affinity: AffinitySettings;
  readonly retry: RetrySettings;
  readonly responseTime: ResponseTimeSettings;
  readonly geography: GeographySettings;
  readonly timeouts: TimeoutSettings;
}

export interface HealthSettings {
  /** The sliding window over which outcomes are counted, made of `windowBuckets` equal parts. */
  readonly windowMs: number;
  readonly windowBuckets: number;
  /** Outcomes that a window must hold before its error rate says anything. */
  readonly minVolume: number;
  /** Error rate from which the circuit opens. */
  readonly unhealthyErrorRate: number;
  /** Error rate from which a target is degraded; it is healthy again below half of it. */
  readonly degradedErrorRate: number;
  /** Failures in a row that open the circuit, by how much one of them says. */
  readonly consecutive: ConsecutiveSettings;
  readonly latency: LatencySettings;
  readonly circuit: CircuitSettings;
  readonly slowStart: SlowStartSettings;
  readonly cooldown: CooldownSettings;
  /** Share of its weight that a degraded target keeps under strategies that share by weight. */
  readonly degradedWeight: number;
  /** Transitions that are remembered for people, for each upstream and each target. */
  readonly historySize: number;
}

interface ConsecutiveSettings {
  /** Server errors, errors in the stream, broken answers. */
  readonly transient: number;
  /** No connection: nothing that is sent there now can succeed. */
  readonly connect: number;
  /** Each one cost a client the whole time-out. */
  readonly timeout: number;
  /** Refused credential, model unknown there, not implemented: it does not pass by itself. */
  readonly hard: number;
  /** Active probes. */
  readonly probe: number;
}

export interface LatencySettings {
  /** How many times its own usual time to the first byte a target may take before it is degraded. */
  readonly degradedRatio: number;
  /** It is healthy again below this ratio. */
  readonly healthyRatio: number;
  /** Answers that must have been seen before latency is judged. */
  readonly minSamples: number;
  /** Weight of one answer in what is lately usual and in what is usual over long. */
  readonly recentWeight: number;
  readonly baselineWeight: number;
  /** A judgement without a new answer for so long is dropped, or an avoided target could never clear itself. */
  readonly staleMs: number;
}

interface CircuitSettings {
  /** How long a circuit stays open the first time; each time in a row doubles it, up to `maxOpenMs`. */
  readonly openMs: number;
  readonly maxOpenMs: number;
  /** Requests that may be under way to a half-open target. */
  readonly trialRequests: number;
  /** Trials that must succeed, one after another, before the circuit closes. */
  readonly trialSuccesses: number;
  /** After so long without opening again, the next opening counts as the first. */
  readonly forgetAfterMs: number;
}

export interface SlowStartSettings {
  /** Time over which a recovered target's share grows to its whole weight; 0 gives it back at once. */
  readonly rampMs: number;
  /** Share with which the ramp begins. */
  readonly initialShare: number;
}

interface CooldownSettings {
  /** Longest time for which a `retry-after` keeps requests away: a quota may be raised meanwhile, and somebody must look. */
  readonly maxMs: number;
  /** For a 429 without `retry-after`; doubles with each in a row, up to `maxMs`. */
  readonly unnamedMs: number;
}

export interface ProbeSettings {
  readonly enabled: boolean;
  readonly intervalMs: number;
  /** While an upstream is not healthy. */
  readonly unhealthyIntervalMs: number;
  /** Part of the interval by which each probe is moved at random, so that replicas do not fall into step. */
  readonly jitter: number;
  /** Probes that this process may have under way at once. */
  readonly maxConcurrent: number;
  /** Probes that one upstream may get in a minute from all replicas together. */
  readonly maxPerMinute: number;
  /** How many replicas of Weir run with these settings. */
  readonly replicas: number;
}

export interface AffinitySettings {
  readonly enabled: boolean;
  /** Sessions that are remembered; beyond it the one that was used longest ago is forgotten. About 100 bytes each. */
  readonly maxSessions: number;
  /** A warm but degraded target is left when moving the cache costs no more than this. */
  readonly leaveDegradedBelowMicroUsd: number;
  /** A move that costs at least this is worth waiting or retrying for at the warm target. */
  readonly keepWarmFromMicroUsd: number;
  /** Longest such wait. */
  readonly keepWarmWaitMs: number;
  /** How long a prompt cache counts as warm since its last use, where it was not written for an hour. */
  readonly ttlMs: number;
}

export interface RetrySettings {
  /** Attempts of one exchange in all, over all targets. */
  readonly maxAttempts: number;
  /** Of these, repeats at a target that has just failed. */
  readonly maxSameTargetRetries: number;
  /** Full jitter: the delay is drawn evenly from 0 to `baseDelayMs * 2^retries`, at most `maxDelayMs`. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** A longer `retry-after` is not waited for here: the next target is tried, or the client is told. */
  readonly maxRetryAfterMs: number;
  /** An attempt is not begun with less of the total time left. */
  readonly minAttemptMs: number;
  /** Further statuses for which the next target is tried; 5xx, 429, 401, 403, 404 and redirects always are. */
  readonly failoverStatuses: readonly number[];
  readonly budget: RetryBudgetSettings;
}

export interface RetryBudgetSettings {
  /** Retries that each request earns its upstream. */
  readonly ratio: number;
  /** Retries a second that are allowed besides, so that a quiet upstream has some. */
  readonly minPerSecond: number;
  /** The span over which both are counted. */
  readonly windowMs: number;
}

export interface ResponseTimeSettings {
  /** Time after which a past peak counts for 1/e. */
  readonly decayMs: number;
  /** What a failed attempt counts as: a target that fails fast must not look fast. */
  readonly failurePenaltyMs: number;
}

export interface GeographySettings {
  /** Distance between two regions or zones, in any unit that is used throughout. Counts in both directions. */
  readonly distances: readonly { readonly from: string; readonly to: string; readonly distance: number }[];
  /** Where clients are whose own region is not known; null when that is unknown too. */
  readonly callerRegion: string | null;
  /** Zone of a region, where its name does not tell: `{ "on-prem-berlin": "eu" }`. */
  readonly zones: Readonly<Record<string, string>>;
}

interface TimeoutSettings {
  readonly interactive: AttemptTimeouts;
  readonly batch: AttemptTimeouts;
}

export interface AttemptTimeouts {
  readonly connectMs: number;
  /** To the response headers. */
  readonly firstByteMs: number;
  /** Longest silence within the body. */
  readonly idleMs: number;
  /** From the plan until no further attempt is begun; an answer that is being relayed is not cut by it. */
  readonly totalMs: number;
}

export type DeploymentSettings =
  | { readonly kind: "none" }
  | { readonly kind: "single"; readonly cloud: string }
  | ActivePassiveSettings
  | ActiveActiveSettings;

export interface ActivePassiveSettings {
  readonly kind: "active_passive";
  readonly primary: string;
  readonly backup: string;
  readonly triggers: FailoverTriggers;
  readonly failBack: FailBackSettings;
}

export interface FailoverTriggers {
  /** No target of the primary cloud can be used. */
  readonly unavailable: boolean;
  /** Time to the first byte above its baseline by this fraction; null never. */
  readonly performanceDegradation: number | null;
  /** Null never. */
  readonly errorRate: number | null;
  /** Outcomes in the window before the last two say anything. */
  readonly minVolume: number;
}

export interface FailBackSettings {
  readonly enabled: boolean;
  /** How long the primary must have been well without a break. Doubles when a fail-back did not last, up to `maxHoldMs`. */
  readonly holdMs: number;
  readonly maxHoldMs: number;
  /** Well means below this part of each trigger. */
  readonly hysteresis: number;
  /** Time over which requests return; 0 returns all at once. */
  readonly rampMs: number;
  readonly initialShare: number;
  /** How often the clouds are judged. */
  readonly evaluateEveryMs: number;
}

export interface ActiveActiveSettings {
  readonly kind: "active_active";
  /** Shares of the clouds, in any unit: 40, 35, 25. */
  readonly shares: Readonly<Record<string, number>>;
  readonly distribution: "weight" | "round_robin" | "geographic" | "performance";
}

export interface OverloadSettings {
  readonly enabled: boolean;
  readonly limit: AdaptiveLimitSettings;
  /** Part of the limit that batch requests may hold, so that an interactive one finds room. */
  readonly batchShare: number;
  /** One of so many places goes to a waiting batch request even when interactive ones wait: slow, but never starved. */
  readonly batchTurnEvery: number;
  /** Requests that may wait, of one organisation and in all. */
  readonly maxQueuedPerOrganization: number;
  readonly maxQueued: number;
  /** Longest wait. */
  readonly interactiveWaitMs: number;
  readonly batchWaitMs: number;
  readonly standingQueue: StandingQueueSettings;
  /** Bounds of the `retry-after` that a shed request is given. */
  readonly minRetryAfterMs: number;
  readonly maxRetryAfterMs: number;
}

export interface AdaptiveLimitSettings {
  readonly initial: number;
  readonly min: number;
  readonly max: number;
  /** Event-loop delay that is still well; the limit falls in proportion to how far it is passed. */
  readonly targetLoopDelayMs: number;
  /** Largest cut in one step, as the part that remains. */
  readonly largestCut: number;
  /** Time between two steps. */
  readonly stepMs: number;
}

export interface StandingQueueSettings {
  /** Wait that even the luckiest request of an interval has: then the queue stands and is not a burst (CoDel). */
  readonly targetMs: number;
  readonly intervalMs: number;
}

/** Numbers without another source are ours, chosen for requests that last seconds to minutes and cost cents to dollars. */
export const DEFAULT_ROUTING: RoutingSettings = {
  // The order of the configuration is what an operator wrote on purpose; everything else has to be asked for.
  strategy: "ordered",
  deployment: { kind: "none" },
  health: {
    // Half a minute: at one request a second enough to judge, short enough to forget a blip.
    windowMs: 30_000,
    windowBuckets: 10,
    minVolume: 20,
    // Half of all requests failing is no weather; below it failover hides the failures at a tolerable price.
    unhealthyErrorRate: 0.5,
    degradedErrorRate: 0.1,
    consecutive: {
      // Envoy's default for consecutive 5xx.
      transient: 5,
      connect: 3,
      timeout: 3,
      hard: 2,
      probe: 3,
    },
    latency: {
      // Time to first byte of a model varies by a factor of two with the prompt; averages of logarithms are steadier.
      degradedRatio: 2,
      healthyRatio: 1.5,
      minSamples: 30,
      recentWeight: 0.1,
      baselineWeight: 0.005,
      staleMs: 60_000,
    },
    circuit: { openMs: 5_000, maxOpenMs: 300_000, trialRequests: 2, trialSuccesses: 3, forgetAfterMs: 300_000 },
    slowStart: { rampMs: 30_000, initialShare: 0.1 },
    cooldown: { maxMs: 300_000, unnamedMs: 1_000 },
    degradedWeight: 0.5,
    historySize: 20,
  },
  probes: {
    enabled: true,
    intervalMs: 30_000,
    unhealthyIntervalMs: 5_000,
    jitter: 0.2,
    maxConcurrent: 4,
    // One every two seconds is far below any provider's limits, and with 30 replicas still one a minute from each.
    maxPerMinute: 30,
    replicas: 1,
  },
  affinity: {
    enabled: true,
    maxSessions: 50_000,
    // A cent: about 2,000 tokens of Opus written anew.
    leaveDegradedBelowMicroUsd: 10_000,
    // Five cents: about 9,000 tokens of Opus.
    keepWarmFromMicroUsd: 50_000,
    keepWarmWaitMs: 2_000,
    // Five minutes, as Anthropic and the clouds keep one.
    ttlMs: 300_000,
  },
  retry: {
    maxAttempts: 4,
    maxSameTargetRetries: 2,
    baseDelayMs: 200,
    maxDelayMs: 4_000,
    maxRetryAfterMs: 5_000,
    minAttemptMs: 1_000,
    failoverStatuses: [],
    // The usual retry budget of Finagle and Linkerd: a fifth on top, and ten a second.
    budget: { ratio: 0.2, minPerSecond: 10, windowMs: 10_000 },
  },
  responseTime: { decayMs: 10_000, failurePenaltyMs: 10_000 },
  geography: { distances: [], callerRegion: null, zones: {} },
  timeouts: {
    // Claude Code gives up after 10 minutes in all and 5 minutes of silence; see the client's documentation.
    interactive: { connectMs: 10_000, firstByteMs: 120_000, idleMs: 300_000, totalMs: 600_000 },
    batch: { connectMs: 10_000, firstByteMs: 600_000, idleMs: 300_000, totalMs: 1_800_000 },
  },
};

/** The triggers that deployments ask for most: gone, half as slow again, one in twenty failing. */
export const DEFAULT_TRIGGERS: FailoverTriggers = {
  unavailable: true,
  performanceDegradation: 0.5,
  errorRate: 0.05,
  minVolume: 20,
};

export const DEFAULT_FAIL_BACK: FailBackSettings = {
  enabled: true,
  // Longer than the outlier window, so that no old failure is left in it when the primary is judged well.
  holdMs: 60_000,
  maxHoldMs: 1_800_000,
  hysteresis: 0.5,
  rampMs: 120_000,
  initialShare: 0.1,
  evaluateEveryMs: 250,
};

export const DEFAULT_OVERLOAD: OverloadSettings = {
  enabled: true,
  // A stream costs a process little: the limit is for what the event loop can bear, and finds its own level.
  limit: { initial: 5_000, min: 20, max: 10_000, targetLoopDelayMs: 50, largestCut: 0.5, stepMs: 500 },
  batchShare: 0.8,
  batchTurnEvery: 10,
  maxQueuedPerOrganization: 500,
  maxQueued: 2_000,
  // Far below the client's own time-outs, and well above what a burst needs to pass.
  interactiveWaitMs: 10_000,
  batchWaitMs: 60_000,
  standingQueue: { targetMs: 250, intervalMs: 2_000 },
  minRetryAfterMs: 1_000,
  // Claude Code honours at most a minute.
  maxRetryAfterMs: 30_000,
};
