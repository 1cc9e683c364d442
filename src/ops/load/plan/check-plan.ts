import { expectedRequests, peakRequestsPerSecond, traceDurationMs } from "../arrival/schedule.ts";
import { MIN_BODY_BYTES, MAX_BODY_BYTES } from "../body/body-sizes.ts";
import { LoadError } from "../load-error.ts";
import type { LoadPlan } from "./load-plan.ts";
import { checkTarget } from "./target-guard.ts";

/** More open connections than this need a raised limit of file descriptors almost everywhere. */
const MAX_IN_FLIGHT = 20_000;
const MAX_REQUESTS_WITHOUT_BOUND = 1_000_000;
const MAX_THREADS = 64;
/** Timers end at 24 days; nothing of use is measured for so long. */
const MAX_DURATION_MS = 7 * 24 * 3_600_000;

/** Throws LoadError when the plan contradicts itself, passes its own caps or may not load its target. */
export function checkPlan(plan: LoadPlan): void {
  checkTarget(plan.url, plan.confirmedHost);
  checkBodies(plan);
  checkLimits(plan);
  if (plan.load.kind === "closed") return checkClosed(plan);
  checkOpen(plan);
}

function checkBodies(plan: LoadPlan): void {
  for (const { bytes } of plan.request.body.sizes) {
    if (bytes < MIN_BODY_BYTES || bytes > MAX_BODY_BYTES) {
      throw new LoadError(
        "usage",
        `--body: ${bytes} bytes is outside ${MIN_BODY_BYTES} to ${MAX_BODY_BYTES}`,
        "An agent's request with its system prompt and tools does not fit in less than 2 KB. Write for example --body 2k,100k.",
      );
    }
  }
}

function checkLimits({ limits, threads, load, warmupMs }: LoadPlan): void {
  if (limits.maxInFlight > MAX_IN_FLIGHT) {
    throw new LoadError(
      "usage",
      `${limits.maxInFlight} requests in flight are beyond ${MAX_IN_FLIGHT}`,
      "Lower --max-in-flight or --users, or run on several machines.",
    );
  }
  if (threads > MAX_THREADS) {
    throw new LoadError("usage", `--threads ${threads} is beyond ${MAX_THREADS}`, "Use at most one thread a core.");
  }
  if (Math.max(load.durationMs ?? 0, warmupMs, limits.drainMs, limits.timeoutMs) > MAX_DURATION_MS) {
    throw new LoadError(
      "usage",
      "a time of more than 7 days is given",
      "Measure for less long; hours show what days do.",
    );
  }
}

function checkClosed({ load }: LoadPlan): void {
  if (load.kind === "closed" && load.requestsPerUser === null && load.durationMs === null) {
    throw new LoadError(
      "usage",
      "nothing ends the run",
      "Give --requests N (for each user), --duration TIME, or both.",
    );
  }
}

function checkOpen({ load, limits }: LoadPlan): void {
  if (load.kind === "closed") return;
  if (load.kind === "trace" && expectedRequests(load) === 0) {
    throw new LoadError(
      "usage",
      "the trace has no requests in the chosen part",
      "Check --trace-from, --scale and --duration.",
    );
  }
  const unbounded = load.kind === "trace" && load.limit === null && load.durationMs === null;
  if (unbounded && expectedRequests(load) > MAX_REQUESTS_WITHOUT_BOUND) {
    const hours = (traceDurationMs(load) / 3_600_000).toFixed(1);
    throw new LoadError(
      "refused",
      `the whole trace is about ${Math.round(expectedRequests(load)).toLocaleString("en")} requests in ${hours} h`,
      "Give --limit N or --duration TIME.",
    );
  }
  const peak = peakRequestsPerSecond(load);
  if (peak <= limits.maxRequestsPerSecond) return;
  throw new LoadError(
    "refused",
    `the plan peaks at ${round1(peak)} requests/s, above the cap of ${round1(limits.maxRequestsPerSecond)}`,
    load.kind === "rate"
      ? "Lower --rate, or raise --max-rate if the target is meant to bear it."
      : "Lower --speed or --scale, or raise --max-rate if the target is meant to bear it.",
  );
}

function round1(value: number): string {
  return (Math.round(value * 10) / 10).toLocaleString("en");
}
