import { z } from "zod";

import { label } from "../fields/cloud-name.ts";
import { durationMs } from "../fields/number.ts";
import { nonNegativeUsd } from "../fields/usd.ts";
import { deployment } from "./deployment.ts";

const STRATEGIES = [
  "ordered",
  "round_robin",
  "weighted_random",
  "least_connections",
  "response_time",
  "cheapest",
  "geographic",
] as const;

const override = z.strictObject({
  models: z
    .array(z.string().min(1).max(256))
    .min(1)
    .describe(
      "Models that this is for: ids as they are listed, with `*` for any run of characters (`claude-haiku-*`).",
    ),
  strategy: z.enum(STRATEGIES).optional().describe("Strategy for these models; `routing.strategy` unless set."),
  upstreams: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("Names of the only upstreams that may serve these models, in the order to try; all of them unless set."),
});

const affinity = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe(
        "Whether a session stays where its prompt cache is warm. On, because a cold cache costs up to ten times as much for the same input.",
      ),
    max_sessions: z
      .int()
      .min(1)
      .max(10_000_000)
      .default(50_000)
      .describe("Sessions that are remembered; beyond it the one used longest ago is forgotten. About 100 bytes each."),
    leave_degraded_below_usd: nonNegativeUsd()
      .default(0.01)
      .describe(
        "A warm but degraded upstream is left when moving the cache costs no more than this, in US dollars. A cent is about 2,000 tokens written anew.",
      ),
    keep_warm_from_usd: nonNegativeUsd()
      .default(0.05)
      .describe(
        "A move that costs at least this is worth waiting or retrying for at the warm upstream, in US dollars.",
      ),
    ttl_ms: durationMs()
      .default(300_000)
      .describe(
        "How long a prompt cache counts as warm since its last use, in milliseconds: five minutes, as Anthropic and the clouds keep one. One that was written for an hour counts for an hour at least.",
      ),
    keep_warm_wait_ms: durationMs(0).default(2000).describe("Longest such wait, in milliseconds."),
  })
  .prefault({})
  .describe("Sessions stay where their prompt cache is warm; what a move costs is in the ledger.");

const responseTime = z
  .strictObject({
    decay_ms: durationMs()
      .default(10_000)
      .describe(
        "Time after which a past peak counts for 1/e, in milliseconds. Ten seconds follow a change within a minute.",
      ),
    failure_penalty_ms: durationMs(0)
      .default(10_000)
      .describe("What a failed attempt counts as, in milliseconds: an upstream that fails fast must not look fast."),
  })
  .prefault({})
  .describe("How `response_time` judges: a peak-sensitive moving average, and of two upstreams drawn the better.");

const geography = z
  .strictObject({
    distances: z
      .array(
        z.strictObject({
          from: label().describe("A region or zone."),
          to: label().describe("Another one."),
          distance: z
            .number()
            .min(0)
            .describe("How far they are, in any unit that is used throughout; counts both ways."),
        }),
      )
      .default([])
      .describe("Distances, where names alone do not tell what is near."),
    zones: z
      .record(label(), label())
      .default({})
      .describe("Zone of a region whose name does not tell it: `{ on-prem-berlin: eu }`."),
    region: label()
      .optional()
      .describe(
        "Region that callers are in, unless a request says otherwise. Usually where this Weir runs. Absent: nobody is near anything.",
      ),
  })
  .prefault({})
  .describe("What `geographic` goes by.");

/** Which upstream a request goes to. */
export const routing = z
  .strictObject({
    strategy: z
      .enum(STRATEGIES)
      .default("ordered")
      .describe(
        "How upstreams share requests. `ordered` takes the first that is well, as the list stands; `round_robin` and `weighted_random` go by `weight`; `least_connections`, `response_time`, `cheapest` and `geographic` by what they say. Whatever it is, the others follow as fallbacks.",
      ),
    overrides: z
      .array(override)
      .default([])
      .describe("Other rules for some models; the first entry that names a model counts."),
    affinity,
    response_time: responseTime,
    geography,
    deployment: deployment
      .optional()
      .describe(
        "Which clouds share the work, above the strategy: all on one, one with another in reserve, or several at once. Absent: clouds make no difference.",
      ),
  })
  .prefault({})
  .describe("Which upstream a request goes to. `weir route explain` shows what follows for a model.");
