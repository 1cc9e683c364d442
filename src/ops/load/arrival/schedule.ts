import type { RateLoad, TraceLoad } from "../plan/load-plan.ts";
import { exponential, hash32, seededRandom, type Random } from "../random.ts";
import type { RateTrace, RequestTrace } from "./trace.ts";

/** One request that is due. What is null is the plan's choice. */
export interface Arrival {
  /** Milliseconds from the start of the measured part; below zero in the warm-up. */
  readonly atMs: number;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly sharedPrefix: number | null;
  /** Who sends it; requests of one client use the same key. */
  readonly client: number;
}

interface ScheduleOptions {
  readonly warmupMs: number;
  readonly seed: number;
}

/** The requests of an open load in order of their time. The same plan and seed give the same schedule. */
export function schedule(load: RateLoad | TraceLoad, options: ScheduleOptions): Iterable<Arrival> {
  if (load.kind === "rate") return rateArrivals(load, options);
  return traceArrivals(load, options);
}

function* rateArrivals(load: RateLoad, { warmupMs, seed }: ScheduleOptions): Generator<Arrival> {
  const random = seededRandom(seed, hash32("arrivals"));
  const perMs = load.requestsPerSecond / 1000;
  let mass = load.arrival === "poisson" ? exponential(random, 1) : 0;
  for (let client = 0; ; client++) {
    const atMs = timeOfMass(mass, perMs, load.rampMs) - warmupMs;
    if (atMs >= load.durationMs) return;
    yield { atMs, inputTokens: null, outputTokens: null, sharedPrefix: null, client };
    mass += load.arrival === "poisson" ? exponential(random, 1) : 1;
  }
}

/**
 * When `mass` requests are due under a rate that rises linearly to `perMs` within `rampMs` and stays: the inverse of the
 * integral of the rate. Fed with a unit-rate Poisson process it gives one of this rate.
 */
function timeOfMass(mass: number, perMs: number, rampMs: number): number {
  const rampMass = (perMs * rampMs) / 2;
  return mass < rampMass ? Math.sqrt((2 * rampMs * mass) / perMs) : rampMs + (mass - rampMass) / perMs;
}

function* traceArrivals(load: TraceLoad, { warmupMs, seed }: ScheduleOptions): Generator<Arrival> {
  const meanPerMs = expectedTraceRequests(load) / Math.max(1000, traceDurationMs(load));
  const warmups = Math.floor(warmupMs * meanPerMs);
  for (let i = 0; i < warmups; i++) {
    yield { atMs: i / meanPerMs - warmupMs, inputTokens: null, outputTokens: null, sharedPrefix: null, client: i };
  }
  const random = seededRandom(seed, hash32("arrivals"));
  const arrivals =
    load.trace.kind === "requests" ? replayed(load, load.trace, random) : drawn(load, load.trace, random);
  let left = load.limit ?? Infinity;
  for (const arrival of arrivals) {
    if (left-- <= 0 || (load.durationMs !== null && arrival.atMs >= load.durationMs)) return;
    yield arrival;
  }
}

function* replayed(load: TraceLoad, trace: RequestTrace, random: Random): Generator<Arrival> {
  let client = 0;
  for (const request of trace.requests) {
    if (request.offsetMs < load.fromMs) continue;
    if (load.scale < 1 && random.next() >= load.scale) continue;
    const { inputTokens, outputTokens, sharedPrefix } = request;
    yield {
      atMs: (request.offsetMs - load.fromMs) / load.speed,
      inputTokens,
      outputTokens,
      sharedPrefix,
      client: client++,
    };
  }
}

/**
 * An inhomogeneous Poisson process whose rate holds for each row. A waiting time that passes the row's end is drawn anew
 * from there, which the exponential's lack of memory allows. Clients are told apart in proportion to their rates, which is
 * the same as one process for each.
 */
function* drawn(load: TraceLoad, trace: RateTrace, random: Random): Generator<Arrival> {
  let sequence = 0;
  for (const row of rowsFrom(trace, load.fromMs)) {
    const endMs = (row.endMs - load.fromMs) / load.speed;
    const perMs = (row.total * load.speed * load.scale) / 1000;
    if (perMs === 0) continue;
    let atMs = (row.fromMs - load.fromMs) / load.speed + exponential(random, 1 / perMs);
    while (atMs < endMs) {
      const client = trace.clients.length === 1 ? sequence : weightedIndex(row.perSecond, row.total, random);
      yield { atMs, inputTokens: null, outputTokens: null, sharedPrefix: null, client };
      sequence++;
      atMs += exponential(random, 1 / perMs);
    }
  }
}

/** The index of one of `weights`, each as likely as its share of `total`. */
export function weightedIndex(weights: readonly number[], total: number, random: Random): number {
  let left = random.next() * total;
  for (let i = 0; i < weights.length; i++) {
    left -= weights[i] ?? 0;
    if (left < 0) return i;
  }
  return weights.length - 1;
}

interface HeldRate {
  readonly fromMs: number;
  readonly endMs: number;
  readonly perSecond: readonly number[];
  readonly total: number;
}

function* rowsFrom(trace: RateTrace, fromMs: number): Generator<HeldRate> {
  for (let i = 0; i < trace.rows.length; i++) {
    const row = trace.rows[i];
    const endMs = trace.rows[i + 1]?.fromMs ?? trace.endMs;
    if (row === undefined || endMs <= fromMs) continue;
    const total = row.perSecond.reduce((sum, rate) => sum + rate, 0);
    yield { fromMs: Math.max(row.fromMs, fromMs), endMs, perSecond: row.perSecond, total };
  }
}

/** How many requests the measured part will send: exact for request traces without thinning, else the expected number. */
export function expectedRequests(load: RateLoad | TraceLoad): number {
  if (load.kind === "trace") return expectedTraceRequests(load);
  return (load.requestsPerSecond * load.durationMs) / 1000;
}

/** How long a trace's replay lasts, in the run's time, before the last answers. */
export function traceDurationMs(load: TraceLoad): number {
  const endMs = load.trace.kind === "rates" ? load.trace.endMs : (load.trace.requests.at(-1)?.offsetMs ?? 0);
  const wholeMs = Math.max(0, (endMs - load.fromMs) / load.speed);
  return Math.min(wholeMs, load.durationMs ?? Infinity, limitedDurationMs(load));
}

function limitedDurationMs(load: TraceLoad): number {
  if (load.limit === null) return Infinity;
  let left = load.limit / load.scale;
  if (load.trace.kind === "requests") {
    for (const { offsetMs } of load.trace.requests) {
      if (offsetMs >= load.fromMs && --left <= 0) return (offsetMs - load.fromMs) / load.speed;
    }
    return Infinity;
  }
  for (const row of rowsFrom(load.trace, load.fromMs)) {
    const inRow = (row.total * (row.endMs - row.fromMs)) / 1000;
    if (inRow >= left) return (row.fromMs + (left / row.total) * 1000 - load.fromMs) / load.speed;
    left -= inRow;
  }
  return Infinity;
}

function expectedTraceRequests(load: TraceLoad): number {
  const untilMs = load.fromMs + (load.durationMs ?? Infinity) * load.speed;
  let count = 0;
  if (load.trace.kind === "requests") {
    for (const { offsetMs } of load.trace.requests) if (offsetMs >= load.fromMs && offsetMs < untilMs) count++;
  } else {
    for (const row of rowsFrom(load.trace, load.fromMs)) {
      count += (row.total * Math.max(0, Math.min(row.endMs, untilMs) - row.fromMs)) / 1000;
    }
  }
  return Math.min(load.limit ?? Infinity, count * load.scale);
}

/** The highest number of requests that the load wants to send within one second. */
export function peakRequestsPerSecond(load: RateLoad | TraceLoad): number {
  if (load.kind === "rate") return load.requestsPerSecond;
  // Divided by the speed and multiplied again, the last request's time may come out a little smaller.
  const untilMs = load.fromMs + traceDurationMs(load) * load.speed + 1e-3;
  if (load.trace.kind === "rates") {
    let peak = 0;
    for (const row of rowsFrom(load.trace, load.fromMs)) if (row.fromMs <= untilMs) peak = Math.max(peak, row.total);
    return peak * load.speed * load.scale;
  }
  const requests = load.trace.requests.filter(({ offsetMs }) => offsetMs >= load.fromMs && offsetMs <= untilMs);
  let first = 0;
  let peak = 0;
  for (let i = 0; i < requests.length; i++) {
    const windowStartMs = (requests[i]?.offsetMs ?? 0) - 1000 * load.speed;
    while ((requests[first]?.offsetMs ?? 0) <= windowStartMs) first++;
    peak = Math.max(peak, i - first + 1);
  }
  return peak * load.scale;
}
