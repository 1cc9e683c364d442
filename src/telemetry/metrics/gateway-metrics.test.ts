import { describe, expect, it } from "vitest";

import { parseExposition, type ExpositionSample } from "../testing/parse-exposition.ts";
import { GatewayMetrics, type ExchangeSample } from "./gateway-metrics.ts";

function exchange(given: Partial<ExchangeSample> = {}): ExchangeSample {
  return {
    model: "claude-opus-5",
    status: 200,
    userType: "developer",
    userId: "usr_1",
    seconds: 1.5,
    firstTokenSeconds: 0.4,
    tokens: 100,
    costMicroUsd: 700,
    errorType: null,
    outcome: "complete",
    ...given,
  };
}

function samples(metrics: GatewayMetrics, family: string): readonly ExpositionSample[] {
  const page = metrics.instruments.map((instrument) => instrument.render()).join("");
  return parseExposition(page).get(family)?.samples ?? [];
}

function values(metrics: GatewayMetrics, family: string): Record<string, number> {
  return Object.fromEntries(
    samples(metrics, family).map(({ labels, value }) => [Object.values(labels).join("/"), value]),
  );
}

describe("GatewayMetrics", () => {
  it("has the names and labels that operators' dashboards ask for", () => {
    const metrics = new GatewayMetrics();
    metrics.record(exchange({ errorType: "api_error" }));
    const labels = (family: string): string[] => Object.keys(samples(metrics, family)[0]?.labels ?? {});

    expect(labels("claude_requests_total")).toEqual(["model", "status", "user_type"]);
    expect(labels("claude_response_time_seconds")).toEqual(["model", "le"]);
    expect(labels("claude_tokens_consumed_total")).toEqual(["model", "user_id"]);
    expect(labels("claude_errors_total")).toEqual(["error_type", "model"]);
    expect(labels("claude_active_connections")).toEqual([]);
  });

  it("adds up what is recorded", () => {
    const metrics = new GatewayMetrics();
    metrics.record(exchange());
    metrics.record(exchange({ tokens: 50, costMicroUsd: 300, userId: "usr_2" }));
    metrics.record(exchange({ status: 429, tokens: 0, costMicroUsd: 0, errorType: "rate_limit_error" }));

    expect(values(metrics, "claude_requests_total")).toEqual({
      "claude-opus-5/200/developer": 2,
      "claude-opus-5/429/developer": 1,
    });
    expect(values(metrics, "claude_tokens_consumed_total")).toEqual({
      "claude-opus-5/usr_1": 100,
      "claude-opus-5/usr_2": 50,
    });
    expect(values(metrics, "weir_cost_micro_usd_total")).toEqual({ "claude-opus-5": 1_000 });
    expect(values(metrics, "claude_errors_total")).toEqual({ "rate_limit_error/claude-opus-5": 1 });
  });

  it("observes times, and no first token where none came", () => {
    const metrics = new GatewayMetrics();
    metrics.record(exchange({ seconds: 3 }));
    metrics.record(exchange({ seconds: 700, firstTokenSeconds: null }));
    metrics.stage("decode").observe(0.002);
    const count = (family: string): number | undefined =>
      samples(metrics, family).find(({ name }) => name.endsWith("_count"))?.value;

    expect(count("claude_response_time_seconds")).toBe(2);
    expect(count("claude_time_to_first_token_seconds")).toBe(1);
    expect(count("weir_stage_seconds")).toBe(1);
  });

  it("knows how many requests are in progress", () => {
    const metrics = new GatewayMetrics();
    metrics.begun();
    metrics.begun();
    metrics.ended();

    expect(values(metrics, "claude_active_connections")).toEqual({ "": 1 });
  });

  it("grows no further than its bound, however many users and models come, and loses no token", () => {
    const metrics = new GatewayMetrics();
    for (let i = 0; i < 12_000; i++) metrics.record(exchange({ userId: `usr_${i}`, model: `m${i % 3}`, tokens: 1 }));
    const tokens = samples(metrics, "claude_tokens_consumed_total");

    expect(tokens.length).toBeLessThanOrEqual(4_001);
    expect(tokens.reduce((sum, { value }) => sum + value, 0)).toBe(12_000);
  });
});
