import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type Pause, RunawayGuard, type RunawaySettings } from "./runaway-guard.ts";

const WINDOW_MS = 300_000;
const SETTINGS: RunawaySettings = {
  enabled: true,
  windowMs: WINDOW_MS,
  floorMicroUsd: 10_000_000,
  ownFactor: 10,
  organizationFactor: 3,
  leastWindows: 6,
};

/** Costs of a session: one every `everyMs` from `fromMs` for `forMs`. Stops at the pause, as the session itself would. */
function run(
  guard: RunawayGuard,
  given: { microUsd: number | (() => number); everyMs: number; fromMs: number; forMs: number; session?: string },
): Pause | null {
  const { microUsd, everyMs, fromMs, forMs, session = "ses_1" } = given;
  for (let atMs = fromMs; atMs < fromMs + forMs; atMs += everyMs) {
    const cost = typeof microUsd === "number" ? microUsd : microUsd();
    const pause = guard.observe({ organizationId: "org_1", sessionId: session, costMicroUsd: cost, settledAtMs: atMs });
    if (pause !== null) return pause;
  }
  return null;
}

const HOUR_MS = 3_600_000;

describe("the runaway guard", () => {
  it("pauses a session that suddenly burns 20 times as fast, and says by how much", () => {
    const guard = new RunawayGuard(SETTINGS);
    expect(run(guard, { microUsd: 100_000, everyMs: 30_000, fromMs: 0, forMs: HOUR_MS })).toBeNull();
    expect(guard.pauseOf("org_1", "ses_1")).toBeNull();
    const pause = run(guard, { microUsd: 2_000_000, everyMs: 30_000, fromMs: HOUR_MS, forMs: HOUR_MS });
    expect(pause).toMatchObject({ sessionId: "ses_1", usualMicroUsd: 1_000_000, windowMs: WINDOW_MS });
    expect(pause?.spentMicroUsd).toBeGreaterThan(10_000_000);
    expect(guard.pauseOf("org_1", "ses_1")).toEqual(pause);
  });

  it("pauses nobody for amounts below the floor", () => {
    const guard = new RunawayGuard(SETTINGS);
    run(guard, { microUsd: 100, everyMs: 30_000, fromMs: 0, forMs: HOUR_MS });
    expect(run(guard, { microUsd: 20_000, everyMs: 30_000, fromMs: HOUR_MS, forMs: HOUR_MS })).toBeNull();
  });

  it("pauses no session without a history: budgets are for those", () => {
    const guard = new RunawayGuard(SETTINGS);
    expect(run(guard, { microUsd: 50_000_000, everyMs: 10_000, fromMs: 0, forMs: 2 * HOUR_MS })).toBeNull();
  });

  it("pauses no session for what is usual in its organisation", () => {
    const guard = new RunawayGuard(SETTINGS);
    for (let at = 0; at < 10; at++) {
      run(guard, { microUsd: 2_000_000, everyMs: 30_000, fromMs: 0, forMs: HOUR_MS, session: `ses_big_${at}` });
    }
    run(guard, { microUsd: 100_000, everyMs: 30_000, fromMs: 0, forMs: HOUR_MS });
    expect(run(guard, { microUsd: 2_000_000, everyMs: 30_000, fromMs: HOUR_MS, forMs: HOUR_MS })).toBeNull();
  });

  it("tells sessions of two organisations apart, also by the same name", () => {
    const guard = new RunawayGuard(SETTINGS);
    guard.pause({
      organizationId: "org_1",
      sessionId: "ses_1",
      atMs: 0,
      spentMicroUsd: 2,
      usualMicroUsd: 1,
      windowMs: 1,
    });
    expect(guard.pauseOf("org_2", "ses_1")).toBeNull();
    guard.resume("org_2", "ses_1");
    expect(guard.pauseOf("org_1", "ses_1")).not.toBeNull();
  });

  it("lets no organisation make another forget", () => {
    const guard = new RunawayGuard(SETTINGS);
    run(guard, { microUsd: 100_000, everyMs: 30_000, fromMs: 0, forMs: HOUR_MS });
    for (let at = 0; at < 25_000; at++) {
      const sessionId = `ses_${at}`;
      guard.observe({ organizationId: "org_2", sessionId, costMicroUsd: 1, settledAtMs: HOUR_MS });
    }
    expect(run(guard, { microUsd: 2_000_000, everyMs: 30_000, fromMs: HOUR_MS, forMs: HOUR_MS })).not.toBeNull();
  });

  it("lets a resumed session go on, and judges it again when it has a history again", () => {
    const guard = new RunawayGuard(SETTINGS);
    run(guard, { microUsd: 100_000, everyMs: 30_000, fromMs: 0, forMs: HOUR_MS });
    expect(run(guard, { microUsd: 2_000_000, everyMs: 30_000, fromMs: HOUR_MS, forMs: HOUR_MS })).not.toBeNull();
    guard.resume("org_1", "ses_1");
    expect(guard.pauseOf("org_1", "ses_1")).toBeNull();
    expect(run(guard, { microUsd: 2_000_000, everyMs: 30_000, fromMs: 2 * HOUR_MS, forMs: HOUR_MS })).toBeNull();
    expect(run(guard, { microUsd: 60_000_000, everyMs: 30_000, fromMs: 3 * HOUR_MS, forMs: HOUR_MS })).not.toBeNull();
  });

  it("does nothing while it is off", () => {
    const guard = new RunawayGuard({ ...SETTINGS, enabled: false });
    guard.pause({
      organizationId: "org_1",
      sessionId: "ses_1",
      atMs: 0,
      spentMicroUsd: 2,
      usualMicroUsd: 1,
      windowMs: 1,
    });
    expect(guard.pauseOf("org_1", "ses_1")).toBeNull();
    run(guard, { microUsd: 100_000, everyMs: 30_000, fromMs: 0, forMs: HOUR_MS });
    expect(run(guard, { microUsd: 9_000_000, everyMs: 30_000, fromMs: HOUR_MS, forMs: HOUR_MS })).toBeNull();
  });

  it("keeps no more than a bounded number of sessions in mind, the latest", () => {
    const guard = new RunawayGuard(SETTINGS);
    run(guard, { microUsd: 100_000, everyMs: 30_000, fromMs: 0, forMs: HOUR_MS, session: "old" });
    for (let at = 0; at < 20_000; at++) {
      const sessionId = `ses_${at}`;
      guard.observe({ organizationId: "org_1", sessionId, costMicroUsd: 1, settledAtMs: HOUR_MS });
    }
    const jump = { microUsd: 2_000_000, everyMs: 30_000, fromMs: HOUR_MS, forMs: HOUR_MS };
    expect(run(guard, { ...jump, session: "old" })).toBeNull();
  });

  // A steady session: any pace, any price; each cost up to a half more or less than the usual one.
  const steady = fc.record({
    microUsd: fc.integer({ min: 1, max: 500_000_000 }),
    everyMs: fc.integer({ min: 1_000, max: 1_800_000 }),
    offsetMs: fc.nat(WINDOW_MS),
    jitter: fc.infiniteStream(fc.double({ min: 0.5, max: 1.5, noNaN: true })),
  });

  it("never pauses a steady session, whatever it costs", () => {
    fc.assert(
      fc.property(steady, ({ microUsd, everyMs, offsetMs, jitter }) => {
        const guard = new RunawayGuard({ ...SETTINGS, floorMicroUsd: 0 });
        const next = (): number => microUsd * (jitter.next().value ?? 1);
        const forMs = Math.max(4 * HOUR_MS, 40 * everyMs);
        return (
          run(guard, { microUsd: next, everyMs: Math.max(everyMs, forMs / 400), fromMs: offsetMs, forMs }) === null
        );
      }),
      { numRuns: 300 },
    );
  });

  it("always pauses, within two windows, a session whose spending becomes 20 times as fast", () => {
    fc.assert(
      fc.property(
        fc.record({
          perWindow: fc.integer({ min: 2_000_000, max: 100_000_000 }),
          everyMs: fc.integer({ min: 1_000, max: 60_000 }),
          windows: fc.integer({ min: 8, max: 40 }),
          offsetMs: fc.nat(WINDOW_MS),
          dearer: fc.boolean(),
        }),
        ({ perWindow, everyMs, windows, offsetMs, dearer }) => {
          const guard = new RunawayGuard(SETTINGS);
          const microUsd = (perWindow * everyMs) / WINDOW_MS;
          const fromMs = windows * WINDOW_MS + offsetMs;
          expect(run(guard, { microUsd, everyMs, fromMs: 0, forMs: fromMs })).toBeNull();
          // Twenty times as dear, or as often.
          const jump = dearer ? { microUsd: 20 * microUsd, everyMs } : { microUsd, everyMs: everyMs / 20 };
          const pause = run(guard, { ...jump, fromMs, forMs: 2 * WINDOW_MS });
          expect(pause).not.toBeNull();
        },
      ),
      { numRuns: 200 },
    );
  });
});
