import { z } from "zod";

import { checkedMembers, notAbove } from "../fields/checked.ts";
import { durationMs, probability } from "../fields/number.ts";

const places = () => z.int().min(1).max(1_000_000);

const limit = z
  .strictObject({
    initial: places()
      .default(5000)
      .describe("Requests at once to begin with; the limit finds its own level from there. Open streams cost little."),
    min: places().default(20).describe("The limit never falls below this."),
    max: places().default(10_000).describe("The limit never rises above this."),
    target_loop_delay_ms: durationMs()
      .default(50)
      .describe(
        "Delay of the event loop that is still well, in milliseconds; beyond it the limit falls in proportion.",
      ),
    largest_cut: probability()
      .gt(0)
      .default(0.5)
      .describe("What remains of the limit after the largest cut in one step."),
    step_ms: durationMs(10).default(500).describe("Time between two steps, in milliseconds."),
  })
  .prefault({})
  .describe("How many requests this process serves at once, found by how late its event loop runs.");

const standingQueue = z
  .strictObject({
    target_ms: durationMs()
      .default(250)
      .describe("When even the luckiest request of an interval waited this long, in milliseconds, the queue stands."),
    interval_ms: durationMs().default(2000).describe("Such an interval, in milliseconds: a burst passes within it."),
  })
  .prefault({})
  .describe("When a queue is no burst but stands, and new requests are refused rather than made to wait (CoDel).");

const members = z.strictObject({
  enabled: z.boolean().default(true).describe("Whether this process protects itself. Off: it takes whatever comes."),
  limit,
  batch_share: probability()
    .gt(0)
    .default(0.8)
    .describe("Part of the limit that batch requests may hold, so that an interactive one finds room."),
  batch_turn_every: z
    .int()
    .min(1)
    .max(1000)
    .default(10)
    .describe(
      "One of so many places goes to a waiting batch request, even when interactive ones wait: slow, never starved.",
    ),
  max_queued_per_organization: places()
    .default(500)
    .describe("Requests of one organisation that may wait; more are refused with 529."),
  max_queued: places().default(2000).describe("Requests that may wait in all."),
  interactive_wait_ms: durationMs(0)
    .default(10_000)
    .describe("Longest wait of an interactive request, in milliseconds: far below the client's own time-outs."),
  batch_wait_ms: durationMs(0).default(60_000).describe("Longest wait of a batch request, in milliseconds."),
  standing_queue: standingQueue,
  min_retry_after_ms: durationMs(0)
    .default(1000)
    .describe("Least `retry-after` that a refused request is given, in milliseconds."),
  max_retry_after_ms: durationMs(0)
    .default(30_000)
    .describe("Longest `retry-after`, in milliseconds; Claude Code honours at most a minute."),
});

/** How this process protects itself. */
export const overload = checkedMembers(members, (value) => [
  ...notAbove(value.limit.min, value.limit.initial, ["limit", "min"], "limit.initial"),
  ...notAbove(value.limit.initial, value.limit.max, ["limit", "initial"], "limit.max"),
  ...notAbove(value.min_retry_after_ms, value.max_retry_after_ms, ["min_retry_after_ms"], "max_retry_after_ms"),
])
  .prefault({})
  .describe(
    "How this process protects itself: a fair queue for each organisation, interactive before batch, and 529 before latency collapses.",
  );
