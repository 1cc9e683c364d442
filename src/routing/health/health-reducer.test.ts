import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ManualClock } from "../../core/clock.ts";
import { DEFAULT_ROUTING, type HealthSettings } from "../settings.ts";
import { advance } from "./advance.ts";
import { reduceHealth } from "./health-reducer.ts";
import { UNKNOWN_HEALTH, type HealthState } from "./health-state.ts";
import type { HealthSignal } from "./signal.ts";
import { recoveredShare } from "./slow-start.ts";

const SETTINGS = DEFAULT_ROUTING.health;
const OK: HealthSignal = { kind: "ok", latencyMs: null };
const REFUSED: HealthSignal = { kind: "connect_error", detail: "ECONNREFUSED" };
const DOWN = status(503);

function status(code: number, retryAfterMs: number | null = null): HealthSignal {
  return { kind: "status", status: code, retryAfterMs };
}

/** A target's health over time. Attempts begin and end at the same moment unless said otherwise. */
class Subject {
  readonly clock = new ManualClock(0);
  readonly settings: HealthSettings;
  #state: HealthState = UNKNOWN_HEALTH;

  constructor(settings: Partial<HealthSettings> = {}) {
    this.settings = { ...SETTINGS, ...settings };
  }

  get state(): HealthState {
    this.#state = advance(this.#state, this.clock.monotonicMs(), this.settings);
    return this.#state;
  }

  hears(signal: HealthSignal, times = 1, startedAtMs = this.clock.monotonicMs()): this {
    const nowMs = this.clock.monotonicMs();
    for (let i = 0; i < times; i++) {
      this.#state = reduceHealth(this.#state, { signal, startedAtMs }, nowMs, this.settings);
    }
    return this;
  }

  waits(ms: number): this {
    this.clock.advance(ms);
    return this;
  }

  recovers(): this {
    return this.waits(this.settings.circuit.maxOpenMs).touch().hears(OK, this.settings.circuit.trialSuccesses);
  }

  touch(): this {
    expect(this.state).toBeDefined();
    return this;
  }
}

describe("failures in a row", () => {
  it.each<[string, HealthSignal, number]>([
    ["server errors", DOWN, SETTINGS.consecutive.transient],
    ["refused connections", REFUSED, SETTINGS.consecutive.connect],
    ["time-outs", { kind: "timeout", phase: "first_byte" }, SETTINGS.consecutive.timeout],
    ["refused credentials", status(401), SETTINGS.consecutive.hard],
    ["failed probes", { kind: "probe_failed", detail: "503" }, SETTINGS.consecutive.probe],
  ])("open the circuit, as many %s as are set", (_, signal, count) => {
    const subject = new Subject().hears(signal, count - 1);
    expect(subject.state.circuit).toBe("closed");

    subject.hears(signal);
    expect(subject.state).toMatchObject({ health: "unhealthy", circuit: "open" });
  });

  it("are no longer in a row after one answer", () => {
    const subject = new Subject();
    for (let i = 0; i < 4; i++) subject.hears(DOWN, 4).hears(OK, 10);

    expect(subject.state.circuit).toBe("closed");
  });

  it("leave a reason that names the last of them and how long nothing is sent", () => {
    const subject = new Subject().hears(REFUSED, 3);

    expect(subject.state.reason).toBe("3 failures in a row, last: no connection (ECONNREFUSED); no requests for 5 s");
  });

  it("are not counted for what says nothing of the target", () => {
    const subject = new Subject().hears({ kind: "client_gone" }, 100).hears({ kind: "timeout", phase: "total" }, 100);

    expect(subject.state).toBe(UNKNOWN_HEALTH);
  });

  it("are not made of faults of the caller", () => {
    expect(new Subject().hears(status(400), 100).hears(status(413), 100).state.health).toBe("healthy");
  });
});

describe("the error rate", () => {
  it("says nothing below the minimum volume", () => {
    const subject = new Subject({ consecutive: { ...SETTINGS.consecutive, transient: 1_000 } });
    subject.hears(DOWN, SETTINGS.minVolume - 1);

    expect(subject.state.health).toBe("healthy");
  });

  it("degrades, then opens the circuit", () => {
    const subject = new Subject();
    for (let i = 0; i < 5; i++) subject.hears(OK, 4).hears(DOWN);
    expect(subject.state).toMatchObject({ health: "degraded", circuit: "closed" });
    expect(subject.state.reason).toBe("20 % of 20 attempts failed in 30 s");

    while (subject.state.circuit === "closed") subject.hears(DOWN, 3).hears(OK);
    expect(subject.state.reason).toMatch(/^5\d % of \d+ attempts failed in 30 s, last: status 503/);
  });

  it("clears by time alone when the failures have left the window, and not before it is half of what degrades", () => {
    const subject = new Subject().hears(OK, 17).hears(DOWN, 3);
    expect(subject.state.health).toBe("degraded");

    // 3 of 50 is less than the 10 % that degrade, and more than half of it.
    subject.waits(3_000).hears(OK, 30);
    expect(subject.state.health).toBe("degraded");

    subject.waits(31_000);
    expect(subject.state).toMatchObject({ health: "healthy", reason: "errors and latency are back to normal" });
  });
});

describe("latency", () => {
  function answers(subject: Subject, latencyMs: number, count: number): Subject {
    return subject.hears({ kind: "ok", latencyMs }, count);
  }

  it("degrades a target that is much slower than it used to be, and clears it when it is not", () => {
    const subject = answers(new Subject(), 400, 200);
    expect(answers(subject, 600, 40).state.health).toBe("healthy");

    answers(subject, 2_000, 40);
    expect(subject.state.health).toBe("degraded");
    expect(subject.state.reason).toMatch(/^first byte after [\d.]+ m?s, usually [\d.]+ m?s$/);

    expect(answers(subject, 400, 60).state.health).toBe("healthy");
  });

  it("is not judged by a single outlier, nor before there is a baseline", () => {
    expect(answers(answers(new Subject(), 400, 100), 60_000, 1).state.health).toBe("healthy");
    expect(answers(answers(new Subject(), 10, 10), 1_000, 10).state.health).toBe("healthy");
  });

  it("is forgotten when no answer comes any more, or an avoided target could never clear itself", () => {
    const subject = answers(answers(new Subject(), 400, 200), 4_000, 40);
    expect(subject.state.health).toBe("degraded");

    expect(subject.waits(SETTINGS.latency.staleMs + 4_000).state.health).toBe("healthy");
  });
});

describe("an open circuit", () => {
  it("becomes half open when its time is over", () => {
    const subject = new Subject().hears(REFUSED, 3);
    expect(subject.waits(4_999).state.circuit).toBe("open");

    expect(subject.waits(1).state).toMatchObject({ health: "unhealthy", circuit: "half_open" });
  });

  it("takes no notice of attempts that were under way when it opened", () => {
    const subject = new Subject().hears(DOWN, 5);
    const openUntilMs = subject.state.openUntilMs;
    subject.waits(1_000).hears(DOWN, 50, 0).hears(OK, 50, 0);

    expect(subject.state).toMatchObject({ circuit: "open", openUntilMs, opens: 1 });
  });

  it("is half opened early by a probe that tried what it opened for", () => {
    expect(new Subject().hears(REFUSED, 3).waits(1_000).hears({ kind: "probe_ok" }).state.circuit).toBe("half_open");
    // That the upstream can be reached says nothing of a model that fails.
    expect(new Subject().hears(DOWN, 5).waits(1_000).hears({ kind: "probe_ok" }).state.circuit).toBe("open");
  });

  it("is not opened by a probe that had begun before", () => {
    expect(new Subject().waits(10).hears(REFUSED, 3).hears({ kind: "probe_ok" }, 1, 5).state.circuit).toBe("open");
  });
});

describe("a half-open circuit", () => {
  function halfOpen(signal: HealthSignal = REFUSED): Subject {
    return new Subject().hears(signal, 5).waits(5_000).touch();
  }

  it("closes after the trials that are set, one after another, with an empty window", () => {
    const subject = halfOpen().hears(OK, SETTINGS.circuit.trialSuccesses - 1);
    expect(subject.state.circuit).toBe("half_open");

    subject.hears(OK);
    expect(subject.state).toMatchObject({ health: "healthy", circuit: "closed", consecutiveFailures: 0 });
    expect(subject.state.reason).toBe("3 trials in a row succeeded; back to its full share within 30 s");
  });

  it("opens again at the first failed trial, for twice as long, up to the cap", () => {
    const subject = halfOpen();
    const openForMs: number[] = [];
    for (let i = 0; i < 8; i++) {
      subject.hears(REFUSED);
      openForMs.push(subject.state.openUntilMs - subject.clock.monotonicMs());
      subject.waits(openForMs.at(-1)!).touch();
    }

    expect(openForMs).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
  });

  it("begins with the shortest time again after a long good while, and not after a short one", () => {
    const flapping = halfOpen().hears(OK, 3).waits(1_000).hears(REFUSED, 3);
    expect(flapping.state.opens).toBe(2);

    const steady = halfOpen()
      .hears(OK, 3)
      .waits(SETTINGS.circuit.forgetAfterMs + 1)
      .hears(REFUSED, 3);
    expect(steady.state.opens).toBe(1);
  });

  it("takes no notice of attempts from before the trials", () => {
    const subject = halfOpen().hears(OK, 10, 4_999).hears(REFUSED, 10, 4_999);

    expect(subject.state).toMatchObject({ circuit: "half_open", trialSuccesses: 0 });
  });

  it("is closed by probes alone when they try what it opened for, so that an idle target recovers", () => {
    expect(halfOpen().hears({ kind: "probe_ok" }, 3).state.circuit).toBe("closed");
    expect(halfOpen(DOWN).hears({ kind: "probe_ok" }, 3).state.circuit).toBe("half_open");
  });
});

describe("a recovered target", () => {
  it("grows to its whole share evenly", () => {
    const subject = new Subject().hears(REFUSED, 3).recovers();
    const shares = [0, 7_500, 7_500, 15_000, 1].map((ms) =>
      recoveredShare(subject.waits(ms).state, subject.clock.monotonicMs(), SETTINGS.slowStart),
    );

    expect(shares.map((share) => Math.round(share * 1_000))).toEqual([100, 325, 550, 1_000, 1_000]);
  });

  it("is not opened again by failures of attempts from before", () => {
    const subject = new Subject().hears(REFUSED, 3).recovers();
    const before = subject.clock.monotonicMs() - 1;
    subject.waits(1_000).hears(REFUSED, 100, before);

    expect(subject.state.circuit).toBe("closed");
  });

  it("takes its share at once when there is no ramp", () => {
    expect(recoveredShare({ ...UNKNOWN_HEALTH, recoveredAtMs: 5 }, 5, { rampMs: 0, initialShare: 0.1 })).toBe(1);
  });
});

describe("a cooldown", () => {
  it("lasts as long as retry-after says, for 429, 503 and 529 alike", () => {
    for (const code of [429, 503, 529]) {
      const { state } = new Subject().hears(status(code, 20_000));
      expect([code, state.cooldownUntilMs, state.cooldownReason]).toEqual([
        code,
        20_000,
        `status ${code}, retry-after 20 s`,
      ]);
    }
  });

  it("is capped", () => {
    expect(new Subject().hears(status(429, 86_400_000)).state.cooldownUntilMs).toBe(SETTINGS.cooldown.maxMs);
  });

  it("doubles for each 429 in a row that does not say, and starts anew after an answer", () => {
    const subject = new Subject();
    const until = [1, 2, 3].map(() => subject.hears(status(429)).state.cooldownUntilMs);
    expect(until).toEqual([1_000, 2_000, 4_000]);

    subject.waits(10_000).hears(OK).hears(status(429));
    expect(subject.state.cooldownUntilMs).toBe(11_000);
  });

  it("is never made shorter by a later answer", () => {
    expect(new Subject().hears(status(429, 30_000)).hears(status(429, 1_000)).state.cooldownUntilMs).toBe(30_000);
  });

  it("is no ill health: quotas do not open the circuit", () => {
    expect(new Subject().hears(status(429), 1_000).state).toMatchObject({ health: "healthy", circuit: "closed" });
  });
});

describe("the history", () => {
  it("tells every change with its reason, oldest first, and is bounded", () => {
    const subject = new Subject({ historySize: 4 });
    for (let i = 0; i < 5; i++) subject.waits(400_000).hears(REFUSED, 3).recovers();
    const { history } = subject.state;

    expect(history.map(({ from, to, circuit }) => [from, to, circuit])).toEqual([
      ["unhealthy", "healthy", "closed"],
      ["healthy", "unhealthy", "open"],
      ["unhealthy", "unhealthy", "half_open"],
      ["unhealthy", "healthy", "closed"],
    ]);
    expect(history.map(({ atMs }) => atMs)).toEqual(history.map(({ atMs }) => atMs).toSorted((a, b) => a - b));
    for (const { reason } of history) expect(reason).not.toBe("");
  });
});

const signals: readonly HealthSignal[] = [
  OK,
  { kind: "ok", latencyMs: 300 },
  { kind: "ok", latencyMs: 30_000 },
  DOWN,
  REFUSED,
  status(404),
  status(429, 2_000),
  status(429),
  status(400),
  { kind: "cut" },
  { kind: "client_gone" },
  { kind: "probe_ok" },
  { kind: "probe_failed", detail: "x" },
  { kind: "timeout", phase: "first_byte" },
];

describe("over any sequence of signals", () => {
  it("the state is consistent, the input unchanged, and the same events give the same state", () => {
    const step = fc.record({ pick: fc.nat(signals.length - 1), afterMs: fc.nat(20_000), tookMs: fc.nat(30_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const run = (): HealthState => {
          let state = UNKNOWN_HEALTH;
          let nowMs = 0;
          for (const { pick, afterMs, tookMs } of steps) {
            nowMs += afterMs;
            const before = state;
            const copy = structuredClone(before);
            state = reduceHealth(before, { signal: signals[pick]!, startedAtMs: nowMs - tookMs }, nowMs, SETTINGS);
            expect(before).toEqual(copy);
            expect(state.health === "unhealthy").toBe(state.circuit !== "closed");
            if (state.circuit === "open") expect(state.openUntilMs - state.sinceMs).toBeLessThanOrEqual(300_000);
            expect(state.cooldownUntilMs).toBeLessThanOrEqual(nowMs + SETTINGS.cooldown.maxMs);
            expect(state.history.length).toBeLessThanOrEqual(SETTINGS.historySize);
            expect(advance(advance(state, nowMs, SETTINGS), nowMs, SETTINGS)).toBe(advance(state, nowMs, SETTINGS));
          }
          return state;
        };
        expect(run()).toEqual(run());
      }),
      { numRuns: 150 },
    );
  });

  it("a target that answers again is healthy again in the end", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(signals.length - 1), { maxLength: 60 }), (picks) => {
        const subject = new Subject();
        for (const pick of picks) subject.waits(100).hears(signals[pick]!);
        for (let i = 0; i < 400; i++) subject.waits(2_000).touch().hears({ kind: "ok", latencyMs: 300 });

        expect(subject.state).toMatchObject({ health: "healthy", circuit: "closed" });
      }),
      { numRuns: 60 },
    );
  });
});
