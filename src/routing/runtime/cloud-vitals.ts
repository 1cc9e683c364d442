import type { CloudVitals } from "../deployment/failover-state.ts";
import { STANDING_RANK } from "../health/health-record.ts";
import { latencyRatio } from "../health/latency-trend.ts";
import { errorRate, outcomesAt } from "../health/outcome-window.ts";
import { worseStanding } from "../health/target-health.ts";
import type { HealthSettings } from "../settings.ts";
import type { TargetRuntime } from "./target-runtime.ts";

/** How a cloud does: outcomes of all its targets together, latency weighted by them. Nothing known is well. */
export function vitalsOf(
  targets: Iterable<TargetRuntime>,
  cloud: string,
  nowMs: number,
  settings: HealthSettings,
): CloudVitals {
  let known = 0;
  let usable = 0;
  let ok = 0;
  let failed = 0;
  let logRatio = 0;
  for (const target of targets) {
    if (target.cloud !== cloud) continue;
    known++;
    const { upstream, record } = target;
    const standing = worseStanding(upstream.record.standing(nowMs, settings), record.standing(nowMs, settings));
    if (STANDING_RANK[standing] === 0) usable++;
    const outcomes = outcomesAt(record.state.window, nowMs, settings);
    ok += outcomes.ok;
    failed += outcomes.failed;
    logRatio += Math.log(latencyRatio(record.state.latency, nowMs, settings.latency)) * outcomes.ok;
  }
  return {
    isAvailable: known === 0 || usable > 0,
    errorRate: errorRate({ ok, failed }),
    volume: ok + failed,
    slowdown: ok === 0 ? 0 : Math.exp(logRatio / ok) - 1,
  };
}
