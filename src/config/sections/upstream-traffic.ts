import { z } from "zod";

import { label } from "../fields/cloud-name.ts";
import { durationMs, limit } from "../fields/number.ts";

/** Instead of the general `timeouts`, for one upstream. */
const upstreamTimeouts = z
  .strictObject({
    connect_ms: durationMs()
      .optional()
      .describe("Instead of `timeouts.upstream_connect_ms`: longest time to connect, TLS included, in milliseconds."),
    ttfb_ms: durationMs()
      .optional()
      .describe("Instead of `timeouts.upstream_ttfb_ms`: longest wait for the response's headers, in milliseconds."),
    idle_ms: durationMs()
      .optional()
      .describe("Instead of `timeouts.upstream_idle_ms`: longest silence within the response's body, in milliseconds."),
  })
  .prefault({})
  .describe("Timeouts of this upstream where the general ones do not fit, as with a model that thinks for long.");

/** Where an upstream is; `cloud` is the default for those of which the provider tells it. */
export function placeFields(cloud: string | null) {
  const field = label();
  const meaning =
    "Cloud that it runs in, by which `routing.deployment` may name it: `aws`, `gcp`, `azure`, `anthropic` or a word of your own.";
  return {
    cloud: cloud === null ? field.optional().describe(meaning) : field.default(cloud).describe(meaning),
    zone: label()
      .optional()
      .describe(
        "Zone that its region is in (`us`, `eu`, `ap`, `sa`, `me`, `af`), where the region's name does not tell, for `geographic` routing. The same as an entry of `routing.geography.zones`.",
      ),
  };
}

/** The region of an upstream whose address does not depend on it. */
export const regionLabel = label()
  .optional()
  .describe(
    "Region that it serves from, in its cloud's spelling, for `geographic` routing and for reports. Says nothing to the provider.",
  );

/** How much an upstream gets. The same for every kind. */
export const trafficFields = {
  weight: z
    .number()
    .min(0)
    .max(1_000_000)
    .default(1)
    .describe(
      "Share of traffic relative to the others, for strategies that weigh. 0 takes it out of those; it then serves only where all others fail.",
    ),
  max_concurrent: limit()
    .default("unlimited")
    .describe(
      "Requests that may be open there at once; more go to the next upstream. Unlimited unless set, as only you know your quota.",
    ),
  builtin_models: z
    .boolean()
    .default(true)
    .describe("Whether built-in Claude models are tried here also where `models[].upstream_model` does not say so."),
  timeouts: upstreamTimeouts,
  probes: z
    .boolean()
    .default(true)
    .describe("Whether it is probed as `health.probes` says. Passive health always counts, whatever is set here."),
};

/** The same for upstreams that know Claude models by no name of their own, unless told. */
export const mappedTrafficFields = {
  ...trafficFields,
  builtin_models: z
    .boolean()
    .default(false)
    .describe(
      "Whether built-in Claude models are tried here under their own ids. Off, because what stands there usually serves others; `models[].upstream_model` works either way.",
    ),
};
