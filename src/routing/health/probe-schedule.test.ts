import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { DEFAULT_ROUTING, type ProbeSettings } from "../settings.ts";
import type { Health } from "./health-state.ts";
import { dueAtMs, dueProbes, type ProbeSubject } from "./probe-schedule.ts";

const SETTINGS = DEFAULT_ROUTING.probes;

function subject(upstream: string, given: Partial<ProbeSubject> = {}): ProbeSubject {
  return { upstream, health: "healthy", probedAtMs: 0, isProbing: false, answeredAtMs: -Infinity, ...given };
}

describe("dueProbes", () => {
  it("is due an interval after the last one, up to the jitter later", () => {
    expect(dueProbes([subject("a")], SETTINGS.intervalMs - 1, SETTINGS, 1)).toEqual([]);
    expect(dueProbes([subject("a")], SETTINGS.intervalMs * (1 + SETTINGS.jitter), SETTINGS, 1)).toEqual(["a"]);
  });

  it("is due sooner while an upstream is not healthy", () => {
    const nowMs = SETTINGS.unhealthyIntervalMs * (1 + SETTINGS.jitter);
    const book = (["healthy", "degraded", "unhealthy"] as const).map((health) => subject(health, { health }));

    expect(dueProbes(book, nowMs, SETTINGS, 1)).toEqual(["unhealthy", "degraded"]);
  });

  it("is not needed where clients are being answered, unless something is wrong there", () => {
    const nowMs = 100_000;
    const answeredAtMs = nowMs - 1;

    expect(dueProbes([subject("a", { answeredAtMs })], nowMs, SETTINGS, 1)).toEqual([]);
    expect(dueProbes([subject("a", { answeredAtMs, health: "unhealthy" })], nowMs, SETTINGS, 1)).toEqual(["a"]);
  });

  it("never has more under way than are set, the most urgent first", () => {
    const book = ["a", "b", "c", "d", "e", "f"].map((name) => subject(name));
    const nowMs = 100_000;
    expect(dueProbes(book, nowMs, SETTINGS, 1)).toHaveLength(SETTINGS.maxConcurrent);

    const busy = [...book, subject("x", { isProbing: true }), subject("sick", { health: "unhealthy" })];
    const due = dueProbes(busy, nowMs, SETTINGS, 1);
    expect(due).toHaveLength(SETTINGS.maxConcurrent - 1);
    expect(due[0]).toBe("sick");
  });

  it("does not probe what is being probed, and nothing at all when it is off", () => {
    expect(dueProbes([subject("a", { isProbing: true })], 1e9, SETTINGS, 1)).toEqual([]);
    expect(dueProbes([subject("a")], 1e9, { ...SETTINGS, enabled: false }, 1)).toEqual([]);
  });

  it("spreads the first probes of replicas over the interval", () => {
    const first = Array.from({ length: 200 }, (_, seed) =>
      dueAtMs(subject("a", { probedAtMs: -Infinity }), SETTINGS, seed),
    );
    const quarters = [0, 0, 0, 0];
    for (const atMs of first) quarters[Math.floor((4 * atMs) / SETTINGS.intervalMs)]!++;

    for (const count of quarters) expect(count).toBeGreaterThan(25);
  });

  it("stays under the cap of an upstream with all replicas together, however sick it is", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom<Health>("healthy", "degraded", "unhealthy"),
        (replicas, maxPerMinute, health) => {
          const settings: ProbeSettings = { ...SETTINGS, replicas, maxPerMinute };
          const minutes = 20;
          let probes = 0;
          for (let seed = 0; seed < replicas; seed++) {
            let probedAtMs = -Infinity;
            for (let nowMs = 0; nowMs < minutes * 60_000; nowMs += 500) {
              if (dueProbes([subject("a", { health, probedAtMs })], nowMs, settings, seed).length === 0) continue;
              probes++;
              probedAtMs = nowMs;
            }
          }
          expect(probes).toBeLessThanOrEqual(maxPerMinute * minutes + replicas);
        },
      ),
      { numRuns: 20 },
    );
  });
});
