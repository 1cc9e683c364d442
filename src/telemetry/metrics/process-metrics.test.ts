import { describe, expect, it } from "vitest";

import { parseExposition } from "../testing/parse-exposition.ts";
import { GatewayMetrics } from "./gateway-metrics.ts";
import { MetricsPage } from "./process-metrics.ts";

describe("MetricsPage", () => {
  it("is one well-formed page of Weir's metrics, gauges read now, and the process's own", async () => {
    const metrics = new GatewayMetrics();
    let depth = 3;
    const page = new MetricsPage(metrics.instruments, [
      { name: "weir_queue_depth", help: "Waiting.", read: () => depth },
    ]);
    await page.render();
    depth = 4;
    const families = parseExposition(await page.render());

    expect(families.get("weir_queue_depth")).toMatchObject({ type: "gauge", samples: [{ value: 4 }] });
    expect(families.has("claude_active_connections")).toBe(true);
    expect(families.has("nodejs_eventloop_lag_p99_seconds")).toBe(true);
    expect(families.has("process_cpu_seconds_total")).toBe(true);
    expect(page.contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
  });
});
