import { describe, expect, it } from "vitest";

import { ManualClock } from "../../core/clock.ts";
import { DEFAULT_FAIL_BACK, DEFAULT_TRIGGERS, type ActivePassiveSettings } from "../settings.ts";
import {
  initialFailover,
  primaryShare,
  reduceFailover,
  type CloudVitals,
  type FailoverState,
} from "./failover-state.ts";

const SETTINGS: ActivePassiveSettings = {
  kind: "active_passive",
  primary: "aws",
  backup: "gcp",
  triggers: DEFAULT_TRIGGERS,
  failBack: DEFAULT_FAIL_BACK,
};
const WELL: CloudVitals = { isAvailable: true, errorRate: 0, volume: 100, slowdown: 0 };
const GONE: CloudVitals = { ...WELL, isAvailable: false };

class Deployment {
  readonly clock = new ManualClock(0);
  readonly settings: ActivePassiveSettings;
  state: FailoverState;

  constructor(settings: Partial<ActivePassiveSettings> = {}) {
    this.settings = { ...SETTINGS, ...settings };
    this.state = initialFailover(this.settings);
  }

  sees(primary: CloudVitals, backup: CloudVitals = WELL): this {
    this.state = reduceFailover(this.state, { primary, backup }, this.clock.monotonicMs(), this.settings);
    return this;
  }

  /** Sees the same, every quarter of a second. */
  seesFor(ms: number, primary: CloudVitals): this {
    const untilMs = this.clock.monotonicMs() + ms;
    while (this.clock.monotonicMs() < untilMs) {
      this.clock.advance(250);
      this.sees(primary);
    }
    return this;
  }

  get share(): number {
    return primaryShare(this.state, this.clock.monotonicMs(), this.settings);
  }
}

describe("an active–passive deployment", () => {
  it.each<[string, CloudVitals, string]>([
    ["unavailable", GONE, "aws: none of its targets can be used"],
    ["errors above 5 %", { ...WELL, errorRate: 0.06 }, "aws: 6 % of 100 attempts failed, more than 5 %"],
    [
      "slower by more than half",
      { ...WELL, slowdown: 0.8 },
      "aws: first bytes come 80 % later than usual, more than 50 %",
    ],
  ])("fails over when the primary is %s", (_, vitals, reason) => {
    expect(new Deployment().sees(vitals).state).toMatchObject({ phase: "backup", reason });
  });

  it.each<[string, CloudVitals]>([
    ["exactly 5 % of errors", { ...WELL, errorRate: 0.05 }],
    ["exactly half as slow again", { ...WELL, slowdown: 0.5 }],
    ["all of too few attempts failed", { ...WELL, errorRate: 1, volume: 19 }],
  ])("stays with %s", (_, vitals) => {
    expect(new Deployment().sees(vitals).state.phase).toBe("primary");
  });

  it("stays when a trigger is switched off", () => {
    const triggers = { ...DEFAULT_TRIGGERS, errorRate: null, performanceDegradation: null, unavailable: false };
    const deployment = new Deployment({ triggers }).sees({
      isAvailable: false,
      errorRate: 1,
      volume: 999,
      slowdown: 9,
    });

    expect(deployment.state.phase).toBe("primary");
  });

  it("stays when the backup is gone, or does no better", () => {
    expect(new Deployment().sees(GONE, GONE).state.phase).toBe("primary");
    const failing = { ...WELL, errorRate: 0.2 };
    expect(new Deployment().sees(failing, { ...WELL, errorRate: 0.4 }).state.phase).toBe("primary");
    expect(new Deployment().sees(failing, { ...WELL, errorRate: 0.1 }).state.phase).toBe("backup");
  });
});

describe("fail-back", () => {
  it("waits until the primary has been well for the hold time without a break", () => {
    const deployment = new Deployment().sees(GONE).seesFor(59_000, WELL).sees(GONE).seesFor(59_000, WELL);
    expect(deployment.state.phase).toBe("backup");
    expect(deployment.share).toBe(0);

    deployment.seesFor(2_000, WELL);
    expect(deployment.state.phase).toBe("returning");
    expect(deployment.state.reason).toBe("aws has been well for 60 s; requests return within 2 min");
  });

  it("asks for more than the triggers do: half of each", () => {
    const deployment = new Deployment().sees(GONE).seesFor(300_000, { ...WELL, errorRate: 0.03 });
    expect(deployment.state.phase).toBe("backup");

    deployment.seesFor(61_000, { ...WELL, errorRate: 0.02 });
    expect(deployment.state.phase).toBe("returning");
  });

  it("brings requests back bit by bit", () => {
    const deployment = new Deployment().sees(GONE).seesFor(60_250, WELL);
    const shares = [deployment.share];
    for (let i = 0; i < 4; i++) shares.push(deployment.seesFor(30_000, WELL).share);

    expect(shares.map((share) => Math.round(share * 1_000))).toEqual([100, 325, 550, 775, 1_000]);
    expect(deployment.state).toMatchObject({ phase: "primary", reason: "all requests have returned" });
  });

  it("that does not last is followed by one that waits twice as long, up to the cap", () => {
    const deployment = new Deployment();
    const holds: number[] = [];
    for (let i = 0; i < 8; i++) {
      deployment.sees(GONE);
      holds.push(deployment.state.holdMs);
      deployment.seesFor(deployment.state.holdMs + 250, WELL);
      expect(deployment.state.phase).toBe("returning");
      deployment.seesFor(1_000, WELL);
    }
    expect(holds).toEqual([60_000, 120_000, 240_000, 480_000, 960_000, 1_800_000, 1_800_000, 1_800_000]);
  });

  it("that has lasted is forgotten", () => {
    const deployment = new Deployment().sees(GONE).seesFor(60_250, WELL).sees(GONE);
    expect(deployment.state.holdMs).toBe(120_000);

    deployment.seesFor(120_250 + 120_000 + 121_000, WELL).sees(GONE);
    expect(deployment.state.holdMs).toBe(60_000);
  });

  it("does not happen when it is switched off, and at once without a ramp", () => {
    const never = new Deployment({ failBack: { ...DEFAULT_FAIL_BACK, enabled: false } });
    expect(never.sees(GONE).seesFor(600_000, WELL).state.phase).toBe("backup");

    const once = new Deployment({ failBack: { ...DEFAULT_FAIL_BACK, rampMs: 0 } }).sees(GONE).seesFor(60_250, WELL);
    expect([once.state.phase, once.share]).toEqual(["primary", 1]);
  });

  it("leaves a history of every move with its reason", () => {
    const deployment = new Deployment().sees(GONE).seesFor(60_250, WELL).seesFor(121_000, WELL);

    expect(deployment.state.history.map(({ from, to }) => `${from} → ${to}`)).toEqual([
      "primary → backup",
      "backup → returning",
      "returning → primary",
    ]);
  });
});
