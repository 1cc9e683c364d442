import { z } from "zod";

import { checkedMembers } from "../fields/checked.ts";
import { label } from "../fields/cloud-name.ts";
import { durationMs, probability } from "../fields/number.ts";

/** A trigger in per cent that can be switched off. */
function percentOrNever(maximum: number) {
  return z.union([z.number().positive().max(maximum), z.literal("never")], {
    error: `must be a number above 0 and at most ${maximum}, or the word never`,
  });
}

const failoverTriggers = z
  .strictObject({
    primary_cloud_unavailable: z
      .boolean()
      .default(true)
      .describe("Fail over when no upstream of the primary cloud can be used."),
    performance_degradation_percent: percentOrNever(1000)
      .default(50)
      .describe(
        "Fail over when the time to the first byte is this much above what is usual there; `never` switches it off.",
      ),
    error_rate_percent: percentOrNever(100)
      .default(5)
      .describe("Fail over when more than this share of requests fails there; `never` switches it off."),
    min_volume: z
      .int()
      .min(1)
      .max(100_000)
      .default(20)
      .describe("Requests in `health.window_ms` before the last two say anything: two of three is no 67 %."),
  })
  .prefault({})
  .describe("When requests go to the backup cloud; any one is enough.");

const failBack = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe(
        "Return to the primary by itself. Off: it stays on the backup until this is switched on again or Weir is restarted.",
      ),
    hold_ms: durationMs()
      .default(60_000)
      .describe(
        "Time that the primary must have been well without a break, in milliseconds. A minute is longer than the window, so no old failure is left in it.",
      ),
    max_hold_ms: durationMs()
      .default(1_800_000)
      .describe("The hold doubles each time a return did not last, up to this, in milliseconds."),
    hysteresis: probability()
      .default(0.5)
      .describe("Well means below this part of each trigger; less than 1 keeps it from swinging to and fro."),
    ramp_ms: durationMs(0)
      .default(120_000)
      .describe("Time over which requests return, in milliseconds; 0 returns all at once and finds every cache cold."),
    initial_share: probability().default(0.1).describe("Share of requests with which the return begins."),
    evaluate_every_ms: durationMs(10)
      .default(250)
      .describe("How often the clouds are judged, in milliseconds: failover takes at most that much longer."),
  })
  .prefault({})
  .describe("How requests return to the primary cloud.");

const single = z.strictObject({
  kind: z.literal("single").describe("Everything on one cloud; upstreams of others are not used."),
  cloud: label().describe("The cloud, as `upstreams[].cloud` has it."),
});

const activePassive = checkedMembers(
  z.strictObject({
    kind: z.literal("active_passive").describe("One cloud, and another that takes over when a trigger fires."),
    primary: label().describe("The cloud that serves, as `upstreams[].cloud` has it."),
    backup: label().describe("The cloud that takes over."),
    failover_triggers: failoverTriggers,
    fail_back: failBack,
  }),
  ({ primary, backup, fail_back: { hold_ms: hold, max_hold_ms: max } }) => [
    ...(primary === backup
      ? [
          {
            path: ["backup"],
            message: "is the primary itself, so there would be nothing to fail over to",
            fix: "Name another cloud, or use kind: single.",
          },
        ]
      : []),
    ...(max < hold
      ? [
          {
            path: ["fail_back", "max_hold_ms"],
            message: `is shorter than hold_ms, which is ${hold}`,
            fix: "Raise max_hold_ms, or lower hold_ms.",
          },
        ]
      : []),
  ],
);

const activeActive = z.strictObject({
  kind: z.literal("active_active").describe("Several clouds at once."),
  shares: checkedMembers(z.record(label(), z.number().min(0).max(1_000_000)), (shares) => {
    const total = Object.values(shares).reduce((sum, share) => sum + share, 0);
    if (total > 0) return [];
    return [
      {
        path: [],
        message: "the shares add up to nothing, so no cloud would get a request",
        fix: "Give each cloud its share, for example { aws: 40, azure: 35, gcp: 25 }.",
      },
    ];
  }).describe(
    "Share of each cloud, by its name, in any unit: 40, 35 and 25. What is down leaves its share to the rest.",
  ),
  distribution: z
    .enum(["weight", "round_robin", "geographic", "performance"])
    .default("weight")
    .describe(
      "What decides where a request goes: the shares, taking turns, the nearest cloud, or the one that answers soonest. Sessions stay where their cache is.",
    ),
});

/** Which clouds share the work. */
export const deployment = z.discriminatedUnion("kind", [single, activePassive, activeActive]);
