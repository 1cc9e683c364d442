import { z } from "zod";

import { checked } from "../fields/checked.ts";
import { fieldMarks } from "../fields/mark.ts";
import { parseUrl } from "../fields/network.ts";
import { secret } from "../fields/secret.ts";
import { isLoopbackHost } from "../ip-address.ts";

const collectorUrl = checked(z.string(), (value) => {
  const url = parseUrl(value);
  const fix = "Write for example https://otel.example.com:4318; Weir adds /v1/metrics, /v1/logs and /v1/traces.";
  if (url === null || !/^https?:$/.test(url.protocol)) return { message: "must be an https:// URL", fix };
  if (url.protocol === "http:" && !isLoopbackHost(url.hostname)) {
    return { message: "must begin with https://; http:// is for a collector on this machine alone", fix };
  }
  return null;
}).register(fieldMarks, { secret: "url" });

const destination = z.strictObject({
  url: collectorUrl.describe(
    "Base URL of an OTLP/HTTP collector; the signal's path is added. `http://` for this machine alone.",
  ),
  headers: z
    .record(z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, "must be the name of a header"), secret())
    .default({})
    .describe("Headers for the collector, such as its credential. Refer to secrets as `${VAR}`."),
  metrics: z.boolean().default(true).describe("Whether it gets metrics: counters of tokens, requests, costs."),
  logs: z
    .boolean()
    .default(false)
    .describe("Whether it gets logs, which can carry whole commands, tool inputs and file paths."),
  traces: z
    .boolean()
    .default(false)
    .describe("Whether it gets traces, which can carry whole commands, tool inputs and file paths."),
});

/** What becomes of the telemetry that clients send. */
export const telemetry = z
  .strictObject({
    forward_to: z
      .array(destination)
      .max(32)
      .default([])
      .describe(
        "Collectors that get what clients send to `/v1/metrics`, `/v1/logs` and `/v1/traces`. With `listen.public_url` this also turns telemetry on in clients that take managed settings. Empty: accepted and dropped.",
      ),
    queue_bytes: z
      .int()
      .min(65_536)
      .max(1_073_741_824)
      .default(16_777_216)
      .describe("What may wait for each collector, in bytes; beyond it new exports are dropped and counted."),
    timeout_ms: z
      .int()
      .min(100)
      .max(60_000)
      .default(10_000)
      .describe("How long a collector may take for one export, in milliseconds."),
  })
  .prefault({})
  .describe("OpenTelemetry data of clients, and who gets it.");
