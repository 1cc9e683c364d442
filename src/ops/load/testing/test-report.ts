import { Histogram } from "../measure/histogram.ts";
import { zeroCounters } from "../measure/slice.ts";
import type { Distribution, LoadReport } from "../report/load-report.ts";

/** A distribution whose percentiles are all `value`. */
export function flat(value: number, count = 1000): Distribution {
  return { count, mean: value, min: value, p50: value, p90: value, p95: value, p99: value, p999: value, max: value };
}

/** A complete report of a run of 1,000 good requests at 100/s and 50 ms; what a test is about is changed. */
export function testReport(changes: Partial<LoadReport> = {}): LoadReport {
  return {
    schema: "weir.load-report",
    version: 1,
    startedAt: "2026-11-20T12:00:00.000Z",
    finishedAt: "2026-11-20T12:00:10.000Z",
    partial: null,
    plan: {
      url: "http://127.0.0.1:8080/v1/messages",
      load: {
        kind: "closed",
        users: 5,
        requestsPerUser: 200,
        durationMs: null,
        thinkMinMs: 0,
        thinkMaxMs: 0,
        rampMs: 0,
      },
      warmupMs: 1000,
      model: "claude-test",
      maxTokens: 64,
      stream: true,
      body: "2k",
      sharedPrefix: 1,
      timeoutMs: 60_000,
      maxInFlight: 5,
      maxRequestsPerSecond: 20_000,
      keepAlive: true,
      threads: 1,
      seed: 1,
      keys: 1,
      headerNames: [],
    },
    environment: {
      node: "v26.10.0",
      platform: "linux x64",
      cpu: "test cpu",
      cores: 2,
      memoryBytes: 4e9,
      loadAverage: 0,
    },
    generator: { busyShare: 0.2, cpuSeconds: 2, saturated: false },
    windowMs: 10_000,
    totals: {
      ...zeroCounters(),
      due: 1000,
      ok: 1000,
      bytesSent: 2_048_000,
      bytesReceived: 500_000,
      events: 6000,
      outputTokens: 3000,
    },
    throughput: { okPerSecond: 100, failedPerSecond: 0, outputTokensPerSecond: 300 },
    errorRate: 0,
    distributions: {
      latency: flat(50),
      service: flat(50),
      ttfb: flat(20),
      ttft: flat(20),
      gap: flat(5, 3000),
      pace: flat(100),
      failed: null,
      lateness: null,
    },
    histograms: { latency: histogramOf(30, 80), ttft: histogramOf(10, 30), gap: histogramOf(1, 9) },
    seconds: Array.from({ length: 10 }, (_, second) => ({
      second,
      inWindow: true,
      due: 100,
      ok: 100,
      failed: 0,
      late: 0,
      outputTokens: 300,
      inFlight: 5,
      queued: 0,
      latencyP50Ms: 50,
      latencyP95Ms: 70,
      latencyP99Ms: 78,
      ttftP50Ms: 20,
      ttftP95Ms: 28,
    })),
    statuses: { "200": 1000 },
    errors: [],
    warnings: [],
    ...changes,
  };
}

/** A thousand durations, evenly spread over a span. */
export function histogramOf(fromMs: number, toMs: number): NonNullable<LoadReport["histograms"]["latency"]> {
  const histogram = new Histogram();
  for (let i = 0; i < 1000; i++) histogram.record(fromMs + ((toMs - fromMs) * i) / 999);
  const { buckets, counts, ...rest } = histogram.toSparse();
  return { buckets: [...buckets], counts: [...counts], ...rest };
}
