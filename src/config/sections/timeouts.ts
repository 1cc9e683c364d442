import { z } from "zod";

import { durationMs } from "../fields/number.ts";

/** How long Weir waits. */
export const timeouts = z
  .strictObject({
    upstream_ttfb_ms: durationMs()
      .default(120_000)
      .describe(
        "Longest wait for an upstream's response headers, in milliseconds. The body then streams for as long as it takes.",
      ),
    upstream_connect_ms: durationMs()
      .default(10_000)
      .describe("Longest time to connect to an upstream, TLS included, in milliseconds."),
    upstream_idle_ms: durationMs()
      .default(300_000)
      .describe("Longest silence within an upstream's response body, in milliseconds."),
    upstream_total_ms: durationMs()
      .optional()
      .describe(
        "Longest from a request's arrival until no further attempt is begun, in milliseconds. An answer that is being relayed is not cut by it. Unless set, ten minutes, after which Claude Code itself gives up, or `upstream_ttfb_ms` where that is longer.",
      ),
    batch: z
      .strictObject({
        upstream_ttfb_ms: durationMs()
          .optional()
          .describe(
            "Instead of `timeouts.upstream_ttfb_ms`, in milliseconds. Unless set, ten minutes or that one where it is longer: nobody sits waiting.",
          ),
        upstream_total_ms: durationMs()
          .optional()
          .describe(
            "Instead of `timeouts.upstream_total_ms`, in milliseconds. Unless set, half an hour or the general one where it is longer.",
          ),
      })
      .prefault({})
      .describe("Timeouts of batch requests where they differ."),
    client_headers_ms: durationMs()
      .default(10_000)
      .describe("Time that a client has to send its request headers, in milliseconds."),
    request_body_ms: durationMs()
      .default(300_000)
      .describe("Time that a client has to send its whole request, in milliseconds."),
    drain_ms: durationMs(0)
      .default(300_000)
      .describe("Time that open exchanges have to end when Weir is told to stop, in milliseconds."),
    ping_interval_ms: durationMs()
      .default(15_000)
      .describe("Silence after which a streaming client is sent a ping, in milliseconds."),
  })
  .prefault({})
  .describe("How long Weir waits, in milliseconds.");
