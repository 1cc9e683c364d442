/** One of two upstreams dies under load, and returns. With the defaults and for longer: kill-upstream.long.test.ts. */
import { describe, expect, it } from "vitest";

import { noteFigure } from "../../harness/figures.ts";
import { killUpstream } from "./kill-upstream.ts";

const HASTY = {
  routing: { strategy: "round_robin" },
  health: {
    circuit: { open_ms: 500 },
    slow_start: { ramp_ms: 2_000 },
    probes: { unhealthy_interval_ms: 1_000, max_per_minute: 120 },
  },
};

/** Few enough for any machine. */
const RATE = 50;

describe("one of two upstreams that dies under load", () => {
  it("is seen by no client, and gets its share back when it returns", { timeout: 60_000 }, async () => {
    const { sharesAfter, p99sAfterDeathMs, ...report } = await killUpstream({
      death: "refuses",
      ratePerSecond: RATE,
      beforeMs: 2_000,
      deadMs: 2_500,
      afterMs: 1_000,
      config: HASTY,
    });
    expect(report.failovers).toBeGreaterThan(0);
    noteFigure(5, `one of two upstreams refuses, ${RATE}/s`, {
      ...report,
      p99s_after_death_ms: p99sAfterDeathMs.join(" "),
      shares_after_return: sharesAfter.join(" "),
    });
  });
});
