import { LATE_AFTER_MS } from "../measure/recorder.ts";
import type { LoadPlan } from "../plan/load-plan.ts";
import { isLoopback } from "../plan/target-guard.ts";
import type { LoadReport } from "./load-report.ts";

/** A percentile that fewer requests than this lie above says little. */
const MIN_ABOVE = 5;

/** What a reader has to know before trusting the figures. */
export function warningsOn(plan: LoadPlan, report: LoadReport): string[] {
  const { totals, generator, partial } = report;
  const found: string[] = [];
  const ended = totals.ok + totals.failed;
  if (partial !== null)
    found.push(`The run is partial: it ended after ${seconds(partial.atMs)} (${partial.reason.replaceAll("_", " ")}).`);
  if (totals.ok === 0) found.push("No request succeeded, so there are no latencies.");
  else if (totals.ok * 0.01 < MIN_ABOVE) {
    found.push(
      `Only ${totals.ok} requests succeeded: p99 rests on ${Math.max(1, Math.floor(totals.ok * 0.01))} of them. Measure for longer.`,
    );
  }
  if (generator.saturated) {
    found.push(
      `The generator was busy ${Math.round(generator.busyShare * 100)} % of the time: the figures show its limits, not only the target's. Lower the load, or use --threads or a second machine.`,
    );
  }
  if (totals.late > 0) {
    const share = ((totals.late / Math.max(1, totals.due)) * 100).toFixed(1);
    const waited = Math.max(0, ...report.seconds.map(({ queued }) => queued));
    const why =
      waited === 0
        ? ""
        : ` Up to ${waited} waited at once because ${plan.limits.maxInFlight} were in flight (--max-in-flight).`;
    found.push(
      `${totals.late} requests (${share} %) were sent more than ${LATE_AFTER_MS} ms after they were due; latencies count from the due time.${why}`,
    );
  }
  if (totals.unfinished > 0) {
    found.push(
      `${totals.unfinished} requests had not ended when the run was over; they count neither as good nor as failed, and were slower than the others.`,
    );
  }
  if (totals.capped > 0)
    found.push(`The cap of ${plan.limits.maxRequestsPerSecond} requests/s held users back ${totals.capped} times.`);
  const url = new URL(plan.url);
  if (url.protocol === "http:" && !isLoopback(url) && plan.secrets.keys.length > 0)
    found.push("The key went over the network unencrypted (http).");
  if (ended > 0 && plan.request.stream && report.distributions.ttft === null && totals.ok > 0)
    found.push("No stream carried a content delta, so there is no time to first token.");
  return found;
}

function seconds(valueMs: number): string {
  return `${(valueMs / 1000).toFixed(1)} s`;
}
