import type { BalanceContext } from "../balance/balancer.ts";
import { loadOf } from "../balance/response-time.ts";
import { sortByScore } from "../balance/sort-by-score.ts";
import { lot } from "../balance/weighted-random.ts";
import type { ReasonToken } from "../reason.ts";
import type { ActiveActiveSettings, DeploymentSettings } from "../settings.ts";
import { percentWords } from "../words.ts";
import type { CloudGroup } from "./cloud-group.ts";
import { primaryShare, type FailoverState } from "./failover-state.ts";

/** The clouds that a deployment strategy uses; null for all, undivided. Targets in other clouds are never asked. */
export function cloudsOf(settings: DeploymentSettings): readonly string[] | null {
  if (settings.kind === "none") return null;
  if (settings.kind === "single") return [settings.cloud];
  return settings.kind === "active_passive" ? [settings.primary, settings.backup] : Object.keys(settings.shares);
}

/** Puts the clouds that have usable targets into order in place, the one to ask first in front. */
export function orderClouds(
  groups: CloudGroup[],
  settings: DeploymentSettings,
  failover: FailoverState | null,
  context: BalanceContext,
): void {
  if (groups.length < 2) return;
  if (settings.kind === "active_active") {
    for (const group of groups) group.score = scoreOf(group, settings, context);
    sortByScore(groups);
  }
  if (settings.kind === "active_passive") {
    const share = failover === null ? 1 : primaryShare(failover, context.nowMs, settings);
    const primaryFirst = share >= 1 || (share > 0 && context.random() < share);
    for (const group of groups) group.score = (group.cloud === settings.primary) === primaryFirst ? 0 : 1;
    sortByScore(groups);
  }
}

function scoreOf(group: CloudGroup, settings: ActiveActiveSettings, context: BalanceContext): number {
  if (settings.distribution === "weight") return lot(shareOf(group, settings), context.random());
  if (settings.distribution === "round_robin") return -(group.turn + shareOf(group, settings));
  let best = Infinity;
  for (const candidate of group.usable) {
    const isGeographic = settings.distribution === "geographic";
    const score = isGeographic
      ? context.distances.between(context.clientRegion, candidate.target.region)
      : loadOf(candidate, context);
    best = Math.min(best, score);
  }
  return best;
}

function shareOf(group: CloudGroup, { shares }: ActiveActiveSettings): number {
  return (shares[group.cloud ?? ""] ?? 0) * group.healthShare;
}

/** Told which of the ordered clouds is asked first in the end, for round robin. */
export function cloudChosen(groups: readonly CloudGroup[], first: CloudGroup, settings: DeploymentSettings): void {
  if (settings.kind !== "active_active" || settings.distribution !== "round_robin") return;
  let total = 0;
  for (const group of groups) total += shareOf(group, settings);
  for (const group of groups) {
    const turn = group.turn + shareOf(group, settings) - (group === first ? total : 0);
    group.turn = Math.max(-total, Math.min(total, turn));
  }
}

/** The reason that a deployment gives a target of a cloud; null where it leaves the reason to the strategy within. */
export function cloudToken(group: CloudGroup, settings: DeploymentSettings): ReasonToken | null {
  if (settings.kind === "active_active") return "cloud";
  if (settings.kind !== "active_passive") return null;
  return group.cloud === settings.primary ? "primary" : "backup";
}

/** What the deployment says of a cloud, in words; null when it says nothing. */
export function cloudWords(
  group: CloudGroup,
  settings: DeploymentSettings,
  failover: FailoverState | null,
  nowMs: number,
): string | null {
  if (settings.kind === "none") return null;
  if (settings.kind === "single") return `${settings.cloud} is the only cloud of the deployment`;
  if (settings.kind === "active_active") return activeWords(group, settings);
  return passiveWords(group.cloud === settings.primary, settings, failover, nowMs);
}

function passiveWords(
  isPrimary: boolean,
  settings: Extract<DeploymentSettings, { kind: "active_passive" }>,
  failover: FailoverState | null,
  nowMs: number,
): string {
  const role = isPrimary ? `${settings.primary} is the primary cloud` : `${settings.backup} is the backup`;
  if (failover === null || failover.phase === "primary") return role;
  if (failover.phase === "backup") return `${role}; failed over: ${failover.reason ?? ""}`;
  return `${role}; ${percentWords(primaryShare(failover, nowMs, settings))} of requests have returned to ${settings.primary}`;
}

function activeWords(group: CloudGroup, settings: ActiveActiveSettings): string {
  if (settings.distribution === "geographic") return `${group.cloud} by distance`;
  if (settings.distribution === "performance") return `${group.cloud} by response time`;
  const share = settings.shares[group.cloud ?? ""] ?? 0;
  const total = Object.values(settings.shares).reduce((sum, each) => sum + each, 0);
  return `${group.cloud} takes ${percentWords(total === 0 ? 0 : share / total)}`;
}
