import type { Trace } from "../arrival/trace.ts";
import { parseBodyMix } from "../body/body-sizes.ts";
import { LoadError } from "../load-error.ts";
import type { ClosedLoad, Load, LoadPlan, LoadSecrets, RateLoad, TraceLoad } from "./load-plan.ts";
import { isLoopback, LOOPBACK_MAX_RATE, messagesUrl, REMOTE_MAX_RATE } from "./target-guard.ts";
import { parseDurationMs, parseNumber, parseWhole } from "./units.ts";

/** The options of `weir bench` as they were written; what was not given is undefined. */
export interface BenchFlags {
  readonly url: string;
  readonly confirmTarget?: string;
  readonly model: string;
  readonly maxTokens: string;
  /** False with --no-stream. */
  readonly stream?: boolean;
  readonly body: string;
  readonly sharedPrefix: string;
  readonly users?: string;
  readonly requests?: string;
  readonly duration?: string;
  readonly think?: string;
  readonly ramp?: string;
  readonly rate?: string;
  readonly arrival?: string;
  readonly speed?: string;
  readonly scale?: string;
  readonly traceFrom?: string;
  readonly limit?: string;
  readonly warmup: string;
  readonly timeout: string;
  readonly drain: string;
  readonly maxInFlight?: string;
  readonly maxRate?: string;
  readonly maxErrors?: string;
  readonly keepAlive: boolean;
  readonly threads: string;
  readonly seed: string;
  readonly preflight: boolean;
}

/** What the flags refer to and the caller has read. */
interface FlagContext {
  readonly trace: Trace | null;
  readonly secrets: LoadSecrets;
  readonly salt: string;
}

const DEFAULT_USERS = "10";
const DEFAULT_REQUESTS = "20";
const DEFAULT_IN_FLIGHT = "1000";

/** Makes a plan of the options. Throws LoadError that names the option and what it takes. */
export function planFromFlags(flags: BenchFlags, { trace, secrets, salt }: FlagContext): LoadPlan {
  const url = messagesUrl(flags.url);
  const load = loadFromFlags(flags, trace);
  const maxRate = isLoopback(new URL(url)) ? LOOPBACK_MAX_RATE : REMOTE_MAX_RATE;
  const sharedPrefix = parseNumber(flags.sharedPrefix, "--shared-prefix", 0);
  if (sharedPrefix > 1)
    throw new LoadError(
      "usage",
      `--shared-prefix: ${sharedPrefix} is more than the whole body`,
      "Give a share between 0 and 1.",
    );
  return {
    url,
    confirmedHost: flags.confirmTarget ?? null,
    load,
    warmupMs: parseDurationMs(flags.warmup, "--warmup"),
    request: {
      model: flags.model,
      maxTokens: parseWhole(flags.maxTokens, "--max-tokens"),
      stream: flags.stream !== false,
      body: parseBodyMix(flags.body),
      sharedPrefix,
    },
    limits: {
      timeoutMs: positiveDuration(flags.timeout, "--timeout"),
      drainMs: parseDurationMs(flags.drain, "--drain"),
      maxRequestsPerSecond: flags.maxRate === undefined ? maxRate : parseNumber(flags.maxRate, "--max-rate"),
      maxInFlight: inFlight(flags, load),
      maxErrors: flags.maxErrors === undefined ? null : parseWhole(flags.maxErrors, "--max-errors"),
    },
    keepAlive: flags.keepAlive,
    threads: parseWhole(flags.threads, "--threads"),
    seed: parseWhole(flags.seed, "--seed", 0),
    salt,
    preflight: flags.preflight,
    secrets,
  };
}

/** Options that only one of the three kinds of load takes. */
const ONLY: readonly {
  readonly flags: readonly (keyof BenchFlags)[];
  readonly kind: Load["kind"];
  readonly with: string;
}[] = [
  { flags: ["users", "requests", "think"], kind: "closed", with: "a closed load (neither --rate nor --trace)" },
  { flags: ["rate", "arrival"], kind: "rate", with: "--rate" },
  { flags: ["speed", "scale", "traceFrom", "limit"], kind: "trace", with: "--trace" },
];

function loadFromFlags(flags: BenchFlags, trace: Trace | null): Load {
  if (flags.rate !== undefined && trace !== null) {
    throw new LoadError(
      "usage",
      "--rate and --trace exclude each other",
      "Give one of them: a fixed rate, or a recorded one.",
    );
  }
  const kind = trace !== null ? "trace" : flags.rate !== undefined ? "rate" : "closed";
  for (const group of ONLY) {
    const misplaced = group.flags.find((flag) => flags[flag] !== undefined);
    if (misplaced !== undefined && group.kind !== kind) {
      throw new LoadError(
        "usage",
        `${optionName(misplaced)} works only with ${group.with}`,
        `Leave ${optionName(misplaced)} away, or choose that kind of load.`,
      );
    }
  }
  if (trace !== null) return traceLoad(flags, trace);
  return flags.rate === undefined ? closedLoad(flags) : rateLoad(flags, flags.rate);
}

function closedLoad(flags: BenchFlags): ClosedLoad {
  const durationMs = optionalDuration(flags.duration, "--duration");
  const requests = flags.requests ?? (durationMs === null ? DEFAULT_REQUESTS : undefined);
  const [thinkMin = "0", thinkMax = thinkMin] = (flags.think ?? "0").split("-");
  const thinkMinMs = parseDurationMs(thinkMin, "--think");
  const thinkMaxMs = parseDurationMs(thinkMax, "--think");
  if (thinkMaxMs < thinkMinMs)
    throw new LoadError("usage", `--think: "${flags.think}" ends before it begins`, "Write for example --think 1s-5s.");
  return {
    kind: "closed",
    users: parseWhole(flags.users ?? DEFAULT_USERS, "--users"),
    requestsPerUser: requests === undefined ? null : parseWhole(requests, "--requests"),
    durationMs,
    thinkMinMs,
    thinkMaxMs,
    rampMs: parseDurationMs(flags.ramp ?? "0", "--ramp"),
  };
}

function rateLoad(flags: BenchFlags, rate: string): RateLoad {
  const arrival = flags.arrival ?? "constant";
  if (arrival !== "constant" && arrival !== "poisson") {
    throw new LoadError("usage", `--arrival: "${arrival}" is not known`, "Choose constant or poisson.");
  }
  if (flags.duration === undefined)
    throw new LoadError("usage", "--rate needs an end", "Add --duration, for example --duration 30s.");
  return {
    kind: "rate",
    requestsPerSecond: parseNumber(rate.replace(/\/s$/, ""), "--rate"),
    arrival,
    durationMs: positiveDuration(flags.duration, "--duration"),
    rampMs: parseDurationMs(flags.ramp ?? "0", "--ramp"),
  };
}

function traceLoad(flags: BenchFlags, trace: Trace): TraceLoad {
  if (flags.ramp !== undefined)
    throw new LoadError("usage", "--ramp does not work with --trace", "A trace has its own rates; leave --ramp away.");
  const scale = parseNumber(flags.scale ?? "1", "--scale");
  if (scale > 1 && trace.kind === "requests") {
    throw new LoadError(
      "usage",
      `--scale ${scale}: a trace of single requests can only be thinned`,
      "Give a share between 0 and 1, or raise --speed.",
    );
  }
  return {
    kind: "trace",
    trace,
    speed: parseNumber(flags.speed ?? "1", "--speed"),
    scale,
    fromMs: parseDurationMs(flags.traceFrom ?? "0", "--trace-from"),
    limit: flags.limit === undefined ? null : parseWhole(flags.limit, "--limit"),
    durationMs: optionalDuration(flags.duration, "--duration"),
  };
}

function inFlight(flags: BenchFlags, load: Load): number {
  if (flags.maxInFlight !== undefined) return parseWhole(flags.maxInFlight, "--max-in-flight");
  return load.kind === "closed" ? load.users : parseWhole(DEFAULT_IN_FLIGHT, "--max-in-flight");
}

function positiveDuration(text: string, flag: string): number {
  const valueMs = parseDurationMs(text, flag);
  if (valueMs > 0) return valueMs;
  throw new LoadError("usage", `${flag}: it must be longer than nothing`, `Write for example ${flag} 30s.`);
}

function optionalDuration(text: string | undefined, flag: string): number | null {
  return text === undefined ? null : positiveDuration(text, flag);
}

function optionName(flag: string): string {
  return `--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
