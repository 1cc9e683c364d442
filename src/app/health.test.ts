import { describe, expect, it } from "vitest";

import { ManualClock } from "../core/clock.ts";
import { ProcessHealth } from "./health.ts";

describe("ProcessHealth", () => {
  it("lists what fails now, and draining first", () => {
    let journal: string | null = null;
    const checks = [
      { check: "journal", failure: () => journal },
      { check: "configuration", failure: () => null },
    ];
    const health = new ProcessHealth(checks, { clock: new ManualClock(0), facts: () => ({}) });
    expect(health.failures()).toEqual([]);

    journal = "disk is full";
    health.draining = true;
    expect(health.failures()).toEqual([
      { check: "serving", reason: "Weir is shutting down" },
      { check: "journal", reason: "disk is full" },
    ]);
  });

  it("describes itself with the facts of the moment and its uptime by the monotonic clock", () => {
    const clock = new ManualClock(Date.UTC(2026, 10, 20));
    let lag = 1;
    const health = new ProcessHealth([], { clock, facts: () => ({ lag }) });
    clock.advance(90_400);
    clock.setWall(0);
    lag = 2;

    expect(health.describe()).toEqual({ lag: 2, uptime_seconds: 90 });
  });

  it("tells operators more than it tells everybody", () => {
    const options = { clock: new ManualClock(0), facts: () => ({ a: 1 }), details: () => ({ a: 2, file: "/etc/x" }) };
    const health = new ProcessHealth([], options);

    expect(health.describe()).toEqual({ a: 1, uptime_seconds: 0 });
    expect(health.describeInFull()).toEqual({ a: 2, file: "/etc/x", uptime_seconds: 0 });
  });
});
