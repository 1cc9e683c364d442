/** One of two upstreams dies under 200 requests a second and returns, with Weir's own settings of health and probes. */
import { describe, expect, it } from "vitest";

import { noteFigure } from "../../harness/figures.ts";
import { killUpstream, type Death } from "./kill-upstream.ts";

const RATE = 200;

describe.each<Death>(["refuses", "vanishes"])(
  "one of two upstreams that suddenly %s under 200 requests a second",
  (death) => {
    it("is seen by no client, p99 becomes normal again, and the upstream gets its share back", async () => {
      const { sharesAfter, p99sAfterDeathMs, ...report } = await killUpstream({
        death,
        ratePerSecond: RATE,
        beforeMs: 10_000,
        deadMs: 20_000,
        afterMs: 45_000,
        config: { routing: { strategy: "round_robin" } },
      });
      expect(report.failovers).toBeGreaterThan(0);
      // It is not asked again and again: most requests do not even try it.
      expect(report.failovers).toBeLessThan(report.requests / 10);
      noteFigure(5, `one of two upstreams ${death}, ${RATE}/s`, {
        ...report,
        p99s_after_death_ms: p99sAfterDeathMs.join(" "),
        shares_after_return: sharesAfter.join(" "),
      });
    });
  },
);
