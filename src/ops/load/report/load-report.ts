import { z } from "zod";

import { LoadError } from "../load-error.ts";
import { isBucket } from "../measure/histogram.ts";

export const REPORT_SCHEMA = "weir.load-report";
/** Rises when a reader of the old shape could no longer read the new one. */
export const REPORT_VERSION = 1;

const count = z.number().int().nonnegative();
const ms = z.number().nonnegative();

/** A distribution in numbers. Milliseconds, but for `pace`: output tokens per second. */
const distribution = z.object({
  count,
  mean: z.number(),
  min: z.number(),
  p50: z.number(),
  p90: z.number(),
  p95: z.number(),
  p99: z.number(),
  p999: z.number(),
  max: z.number(),
});

const histogram = z
  .object({
    buckets: z.array(z.number().refine(isBucket)),
    counts: z.array(count),
    sumUs: z.number(),
    minUs: z.number(),
    maxUs: z.number(),
  })
  .refine(({ buckets, counts }) => buckets.length === counts.length, "buckets and counts differ in length");

const loadSummary = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("closed"),
    users: count,
    requestsPerUser: count.nullable(),
    durationMs: ms.nullable(),
    thinkMinMs: ms,
    thinkMaxMs: ms,
    rampMs: ms,
  }),
  z.object({
    kind: z.literal("rate"),
    requestsPerSecond: z.number().positive(),
    arrival: z.enum(["constant", "poisson"]),
    durationMs: ms,
    rampMs: ms,
  }),
  z.object({
    kind: z.literal("trace"),
    trace: z.string(),
    traceKind: z.enum(["requests", "rates"]),
    speed: z.number().positive(),
    scale: z.number().positive(),
    fromMs: ms,
    limit: count.nullable(),
    durationMs: ms.nullable(),
    expectedRequests: z.number(),
  }),
]);

/** The plan without anything secret. */
const planSummary = z.object({
  url: z.url(),
  load: loadSummary,
  warmupMs: ms,
  model: z.string(),
  maxTokens: count,
  stream: z.boolean(),
  body: z.string(),
  sharedPrefix: z.number(),
  timeoutMs: ms,
  maxInFlight: count,
  maxRequestsPerSecond: z.number(),
  keepAlive: z.boolean(),
  threads: count,
  seed: z.number(),
  keys: count,
  headerNames: z.array(z.string()),
});

const second = z.object({
  second: count,
  inWindow: z.boolean(),
  due: count,
  ok: count,
  failed: count,
  late: count,
  outputTokens: count,
  inFlight: count,
  queued: count,
  latencyP50Ms: ms.nullable(),
  latencyP95Ms: ms.nullable(),
  latencyP99Ms: ms.nullable(),
  ttftP50Ms: ms.nullable(),
  ttftP95Ms: ms.nullable(),
});

export const loadReportSchema = z.object({
  schema: z.literal(REPORT_SCHEMA),
  version: z.literal(REPORT_VERSION),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  /** Why the run ended before its plan did; null when it did not. */
  partial: z.object({ reason: z.enum(["interrupted", "too_many_errors"]), atMs: ms }).nullable(),
  plan: planSummary,
  environment: z.object({
    node: z.string(),
    platform: z.string(),
    cpu: z.string(),
    cores: count,
    memoryBytes: z.number(),
    loadAverage: z.number(),
  }),
  /** How busy the generator itself was: a saturated one measures itself. */
  generator: z.object({ busyShare: z.number(), cpuSeconds: z.number(), saturated: z.boolean() }),
  /** What the throughput is taken over: from the end of the warm-up to the end of the load. */
  windowMs: ms,
  /** Of the measured part: `due` is the sum of `ok`, `failed` and `unfinished`. `warmup` lies outside of it. */
  totals: z.object({
    warmup: count,
    due: count,
    ok: count,
    failed: count,
    unfinished: count,
    late: count,
    capped: count,
    bytesSent: count,
    bytesReceived: count,
    events: count,
    inputTokens: count,
    outputTokens: count,
    cacheReadTokens: count,
    cacheWriteTokens: count,
  }),
  throughput: z.object({
    /** Requests that ended well, per second of the window. */
    okPerSecond: z.number(),
    failedPerSecond: z.number(),
    outputTokensPerSecond: z.number(),
  }),
  /** Share (0..1) of the ended requests that failed. */
  errorRate: z.number().min(0).max(1),
  distributions: z.object({
    latency: distribution.nullable(),
    service: distribution.nullable(),
    ttfb: distribution.nullable(),
    ttft: distribution.nullable(),
    gap: distribution.nullable(),
    pace: distribution.nullable(),
    failed: distribution.nullable(),
    lateness: distribution.nullable(),
  }),
  histograms: z.object({
    latency: histogram.optional(),
    service: histogram.optional(),
    ttfb: histogram.optional(),
    ttft: histogram.optional(),
    gap: histogram.optional(),
  }),
  seconds: z.array(second),
  statuses: z.record(z.string(), count),
  errors: z.array(
    z.object({
      kind: z.enum(["http", "connect", "reset", "cut", "stream_error", "timeout", "protocol"]),
      detail: z.string(),
      count,
      firstAtMs: z.number(),
      message: z.string(),
    }),
  ),
  warnings: z.array(z.string()),
});

/** The result of a run, complete and without secrets; what `--out` writes. */
export type LoadReport = z.infer<typeof loadReportSchema>;
export type PlanSummary = LoadReport["plan"];
export type Distribution = z.infer<typeof distribution>;

/** Reads a report that `--out` wrote. `name` is shown in errors. Throws LoadError. */
export function parseLoadReport(text: string, name: string): LoadReport {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new LoadError("usage", `${name} is not JSON`, "Give a file that weir bench --out wrote.");
  }
  const parsed = loadReportSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const version = typeof value === "object" && value !== null && "version" in value ? value.version : null;
  if (typeof version === "number" && version > REPORT_VERSION) {
    throw new LoadError(
      "usage",
      `${name} is of version ${version}; this weir reads version ${REPORT_VERSION}`,
      "Compare with the newer weir.",
    );
  }
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
  throw new LoadError(
    "usage",
    `${name} is not a load report${where}: ${issue?.message ?? "wrong shape"}`,
    "Give a file that weir bench --out wrote.",
  );
}
