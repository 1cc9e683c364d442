import { countWords, durationWords } from "../words.ts";
import type { Balancer, BalanceContext } from "./balancer.ts";
import type { Candidate } from "./candidate.ts";
import { sortByScore } from "./sort-by-score.ts";

/**
 * To the faster of two drawn by lot: load is the peak EWMA of the time to the first byte times the requests under way. Two
 * choices and not the best of all, or every request of a moment would go to the same one (Mitzenmacher 2001). The rest follow
 * by load.
 */
export const responseTime: Balancer = {
  name: "response_time",
  token: "fastest",
  ignoresShare: false,
  chosen: null,
  arrange(candidates, context) {
    for (const candidate of candidates) candidate.score = loadOf(candidate, context);
    sortByScore(candidates);
    const best = pickOfTwo(candidates, context);
    const [winner] = best > 0 ? candidates.splice(best, 1) : [];
    if (winner !== undefined) candidates.unshift(winner);
  },
  explain(candidate, { nowMs, responseTime: settings }) {
    const latencyMs = candidate.activity.latency.at(nowMs, settings);
    const known = latencyMs === 0 ? "no latency known" : `${durationWords(latencyMs)} to the first byte (peak EWMA)`;
    return `${known}, ${countWords(candidate.activity.inFlight, "request")} under way`;
  },
};

/** Milliseconds of waiting that a request more would meet; lower is better. Unknown and idle is as good as it gets. */
export function loadOf(candidate: Candidate, { nowMs, responseTime: settings }: BalanceContext): number {
  const { activity, share } = candidate;
  if (share <= 0) return Infinity;
  const latencyMs = activity.latency.at(nowMs, settings);
  // With nothing known of its latency, requests under way are all there is to go by: each stands for a penalty, so that the
  // first of a burst goes to a newcomer and not all of it.
  const eachMs = latencyMs === 0 && activity.inFlight > 0 ? settings.failurePenaltyMs : latencyMs;
  return (eachMs * (activity.inFlight + 1)) / share;
}

/** Index of the better of two drawn from the sorted candidates: the lower of two different numbers. */
function pickOfTwo(candidates: readonly Candidate[], { random }: BalanceContext): number {
  const count = candidates.length;
  if (count < 3) return 0;
  const a = Math.floor(random() * count);
  const b = (a + 1 + Math.floor(random() * (count - 1))) % count;
  return Math.min(a, b);
}
