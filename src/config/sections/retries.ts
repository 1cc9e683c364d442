import { z } from "zod";

import { checkedMembers, notAbove } from "../fields/checked.ts";
import { durationMs } from "../fields/number.ts";

const budget = z
  .strictObject({
    ratio: z
      .number()
      .min(0)
      .max(10)
      .default(0.2)
      .describe("Retries that each request earns its upstream: a fifth keeps an outage from becoming a storm."),
    min_per_second: z
      .number()
      .min(0)
      .max(100_000)
      .default(10)
      .describe("Retries a second that are allowed besides, so that a quiet upstream has some."),
    window_ms: durationMs(1000).default(10_000).describe("Span over which both are counted, in milliseconds."),
  })
  .prefault({})
  .describe(
    "Retries that an upstream may get in all. Failing over to another upstream draws on none: no upstream gets more of that than there are requests.",
  );

const members = z.strictObject({
  max_attempts: z
    .int()
    .min(1)
    .max(20)
    .default(4)
    .describe("Attempts of one request in all, over all upstreams; 1 switches retries and failover off."),
  max_same_target_retries: z
    .int()
    .min(0)
    .max(19)
    .default(2)
    .describe("Of these, repeats at an upstream that has just failed, where nothing better is left."),
  base_delay_ms: durationMs()
    .default(200)
    .describe("The delay is drawn evenly from 0 to this, doubled with each retry, in milliseconds (full jitter)."),
  max_delay_ms: durationMs().default(4000).describe("Longest such delay, in milliseconds."),
  max_retry_after_ms: durationMs(0)
    .default(5000)
    .describe(
      "A longer `retry-after` is not waited for: the next upstream is tried, or the client told. In milliseconds.",
    ),
  min_attempt_ms: durationMs(0)
    .default(1000)
    .describe("An attempt is not begun with less of `timeouts.upstream_total_ms` left, in milliseconds."),
  failover_statuses: z
    .array(z.int().min(400).max(599))
    .default([])
    .describe(
      "Further statuses that go to the next upstream. 5xx, 429, 401, 403, 404 and redirects always do; other 4xx are the caller's and come back as they are.",
    ),
  budget,
});

/** What happens when an attempt fails before anything was relayed. */
export const retries = checkedMembers(members, (value) =>
  notAbove(value.base_delay_ms, value.max_delay_ms, ["base_delay_ms"], "max_delay_ms"),
)
  .prefault({})
  .describe(
    "What happens when an attempt fails before anything was relayed: the next upstream, or the same one again. After the first relayed byte nothing is repeated.",
  );
