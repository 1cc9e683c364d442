import { z } from "zod";

import { checkedMembers, notAbove } from "../fields/checked.ts";
import { durationMs, probability } from "../fields/number.ts";

/** How many of something in a row. */
const inARow = () => z.int().min(1).max(1000);

const consecutive = z
  .strictObject({
    transient: inARow()
      .default(5)
      .describe("Server errors, errors within a stream and broken answers. As Envoy counts 5xx."),
    connect: inARow().default(3).describe("Connections that failed: nothing sent there now can succeed."),
    timeout: inARow().default(3).describe("Time-outs; each cost a client all of it."),
    hard: inARow()
      .default(2)
      .describe("Refused credentials, unknown models, missing endpoints: what does not pass by itself."),
    probe: inARow().default(3).describe("Failed probes."),
  })
  .prefault({})
  .describe("Failures in a row that open the circuit whatever the rate is, by kind.");

const latency = z
  .strictObject({
    degraded_ratio: z
      .number()
      .min(1)
      .max(100)
      .default(2)
      .describe(
        "Degraded is a time to the first byte this many times what is usual there; prompts alone vary by less.",
      ),
    healthy_ratio: z
      .number()
      .min(1)
      .max(100)
      .default(1.5)
      .describe("Healthy again below this many times what is usual."),
    min_samples: z
      .int()
      .min(1)
      .max(100_000)
      .default(30)
      .describe("Answers that must have been seen before latency is judged."),
    recent_weight: probability().gt(0).default(0.1).describe("Weight of one answer in what is lately usual."),
    baseline_weight: probability().gt(0).default(0.005).describe("Weight of one answer in what is usual over long."),
    stale_ms: durationMs()
      .default(60_000)
      .describe(
        "A judgement without a new answer for so long is dropped, in milliseconds: what is avoided could never clear itself.",
      ),
  })
  .prefault({})
  .describe("When slowness makes an upstream degraded.");

const circuit = z
  .strictObject({
    open_ms: durationMs()
      .default(5000)
      .describe("How long a circuit stays open the first time, in milliseconds; each time in a row doubles it."),
    max_open_ms: durationMs().default(300_000).describe("Longest that it stays open, in milliseconds."),
    trial_requests: z
      .int()
      .min(1)
      .max(1000)
      .default(2)
      .describe("Requests that may be under way while it is half open."),
    trial_successes: inARow().default(3).describe("Trials that must succeed, one after another, before it closes."),
    forget_after_ms: durationMs()
      .default(300_000)
      .describe("After so long without opening, the next opening counts as the first, in milliseconds."),
  })
  .prefault({})
  .describe("The circuit breaker: open, half open with trials, closed.");

const slowStart = z
  .strictObject({
    ramp_ms: durationMs(0)
      .default(30_000)
      .describe(
        "Time over which a recovered upstream's share grows to all of it, in milliseconds; 0 gives it back at once.",
      ),
    initial_share: probability().default(0.1).describe("Share with which it begins."),
  })
  .prefault({})
  .describe("What has just recovered is not given everything at once.");

const cooldown = z
  .strictObject({
    max_ms: durationMs()
      .default(300_000)
      .describe("Longest that a `retry-after` keeps requests away, in milliseconds: a quota may be raised meanwhile."),
    unnamed_ms: durationMs()
      .default(1000)
      .describe("For a 429 without `retry-after`, in milliseconds; doubles with each in a row, up to `max_ms`."),
  })
  .prefault({})
  .describe("How long an upstream that said 429 is left alone.");

const probes = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe("Whether upstreams are asked when nobody asks them. Probes cost no tokens. Off for one: its `probes`."),
    interval_ms: durationMs(1000).default(30_000).describe("Time between two probes of an upstream, in milliseconds."),
    unhealthy_interval_ms: durationMs(1000)
      .default(5000)
      .describe("The same while it is not healthy, in milliseconds: recovery is noticed sooner."),
    jitter: probability()
      .default(0.2)
      .describe("Part of the interval by which each probe is moved at random, so that replicas do not fall into step."),
    max_concurrent: z
      .int()
      .min(1)
      .max(1000)
      .default(4)
      .describe("Probes that this process may have under way at once."),
    max_per_minute: z
      .int()
      .min(1)
      .max(10_000)
      .default(30)
      .describe("Probes that one upstream may get in a minute from all `replicas` together."),
  })
  .prefault({})
  .describe("Active probes.");

const members = z.strictObject({
  window_ms: durationMs(1000)
    .default(30_000)
    .describe("Sliding window over which outcomes are counted, in milliseconds. Half a minute forgets a blip."),
  window_buckets: z.int().min(2).max(100).default(10).describe("Equal parts of the window that leave it one by one."),
  min_volume: z
    .int()
    .min(1)
    .max(100_000)
    .default(20)
    .describe("Outcomes that the window must hold before its error rate says anything."),
  unhealthy_error_rate: probability()
    .gt(0)
    .default(0.5)
    .describe(
      "Error rate from which the circuit opens, from 0 to 1. Below it failover hides failures at a tolerable price.",
    ),
  degraded_error_rate: probability()
    .gt(0)
    .default(0.1)
    .describe("Error rate from which an upstream is degraded, from 0 to 1; healthy again below half of it."),
  consecutive,
  latency,
  circuit,
  slow_start: slowStart,
  cooldown,
  degraded_weight: probability()
    .default(0.5)
    .describe("Share of its weight that a degraded upstream keeps, under strategies that weigh."),
  history_size: z
    .int()
    .min(0)
    .max(1000)
    .default(20)
    .describe("Changes of health that are remembered for people, for each upstream and each model there."),
  probes,
});

/** When an upstream counts as well. */
export const health = checkedMembers(members, (value) => [
  ...notAbove(value.degraded_error_rate, value.unhealthy_error_rate, ["degraded_error_rate"], "unhealthy_error_rate"),
  ...notAbove(
    value.latency.healthy_ratio,
    value.latency.degraded_ratio,
    ["latency", "healthy_ratio"],
    "degraded_ratio",
  ),
  ...notAbove(value.circuit.open_ms, value.circuit.max_open_ms, ["circuit", "open_ms"], "max_open_ms"),
  ...notAbove(value.cooldown.unnamed_ms, value.cooldown.max_ms, ["cooldown", "unnamed_ms"], "max_ms"),
])
  .prefault({})
  .describe(
    "When an upstream counts as healthy, degraded or unhealthy: by what requests meet (passive) and by probes (active).",
  );
