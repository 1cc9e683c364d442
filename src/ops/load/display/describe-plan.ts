import type { PlanSummary } from "../report/load-report.ts";
import { formatCount, formatRate, formatSpan } from "./format.ts";

/** The plan in one line: what kind of load, how long. */
export function describeLoad({ load }: PlanSummary): string {
  if (load.kind === "closed") {
    const ends = [
      load.requestsPerUser === null ? null : `${formatCount(load.requestsPerUser)} requests each`,
      load.durationMs === null ? null : `for ${formatSpan(load.durationMs)}`,
    ].filter((part) => part !== null);
    const thinking = load.thinkMaxMs > 0 ? `, thinking ${think(load.thinkMinMs, load.thinkMaxMs)}` : "";
    const ramp = load.rampMs > 0 ? `, ramp ${formatSpan(load.rampMs)}` : "";
    return `${formatCount(load.users)} ${load.users === 1 ? "user" : "users"}, ${ends.join(", ")}${thinking}${ramp}`;
  }
  if (load.kind === "rate") {
    const ramp = load.rampMs > 0 ? `, ramp ${formatSpan(load.rampMs)}` : "";
    const arrival = load.arrival === "poisson" ? ", Poisson arrivals" : "";
    return `${formatRate(load.requestsPerSecond)} requests/s for ${formatSpan(load.durationMs)}${arrival}${ramp}`;
  }
  const speed = load.speed === 1 ? "" : ` at ${load.speed}× speed`;
  const scale = load.scale === 1 ? "" : `, ${load.scale * 100} % of it`;
  return `trace ${load.trace}${speed}${scale}, about ${formatCount(load.expectedRequests)} requests`;
}

/** What the requests are like, in one line. */
export function describeRequests({ model, body, stream, maxTokens, load }: PlanSummary): string {
  const traced = load.kind === "trace" && load.traceKind === "requests";
  const sizes = traced ? "sizes as traced" : `${body} bodies, max_tokens ${maxTokens}`;
  return `${sizes}, ${stream ? "streaming" : "not streaming"}, ${model}`;
}

function think(minMs: number, maxMs: number): string {
  return minMs === maxMs ? formatSpan(minMs) : `${formatSpan(minMs)} to ${formatSpan(maxMs)}`;
}
