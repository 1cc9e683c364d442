import { setImmediate as turn } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import { type Issued, type Issuer, IssueError } from "./issuer.ts";
import { Refresher } from "./refresher.ts";
import { ManualTime } from "./testing/manual-scheduler.ts";
import { RecordingLogger } from "./testing/recording-logger.ts";

const START_MS = Date.UTC(2026, 10, 3, 12, 0, 0);
const MINUTE_MS = 60_000;
const CANARY = "canary-Qx7mVt2LrB9";

/** Gives `token 1`, `token 2`, … that live an hour, unless a test says otherwise. */
class ScriptedIssuer implements Issuer<string> {
  readonly what = "scripted issuer";
  readonly fix = "Mend the script.";
  readonly secrets = [CANARY];
  readonly #time: ManualTime;
  calls = 0;
  lifeMs: number | null = 60 * MINUTE_MS;
  failure: unknown = null;
  /** Set while a call must not come back. */
  hangs = false;
  aborted = 0;

  constructor(time: ManualTime) {
    this.#time = time;
  }

  async issue(signal: AbortSignal): Promise<Issued<string>> {
    this.calls += 1;
    const value = `token ${this.calls}`;
    signal.addEventListener("abort", () => (this.aborted += 1));
    if (this.hangs) await new Promise(() => {});
    if (this.failure !== null) throw this.failure;
    return { value, expiresAtMs: this.lifeMs === null ? null : this.#time.clock.nowMs() + this.lifeMs };
  }
}

function given(): {
  time: ManualTime;
  issuer: ScriptedIssuer;
  logger: RecordingLogger;
  refresher: Refresher<string>;
} {
  const time = new ManualTime(START_MS);
  const issuer = new ScriptedIssuer(time);
  const logger = new RecordingLogger();
  const refresher = new Refresher({
    upstream: "bedrock-east",
    issuer,
    secretsOf: (value) => [value],
    clock: time.clock,
    scheduler: time,
    logger,
    random: () => 0.5,
  });
  return { time, issuer, logger, refresher };
}

function errorOf(run: () => unknown): WeirError {
  try {
    run();
  } catch (error) {
    if (error instanceof WeirError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("a value that ends", () => {
  it("is there once start has resolved", async () => {
    const { refresher } = given();

    await refresher.start();

    expect(refresher.current()).toBe("token 1");
    expect(refresher.status()).toEqual({
      state: "ready",
      obtainedAtMs: START_MS,
      expiresAtMs: START_MS + 60 * MINUTE_MS,
      nextAttemptAtMs: START_MS + 46.5 * MINUTE_MS,
      failure: null,
    });
  });

  it("is renewed ahead of its end, without anyone asking", async () => {
    const { time, issuer, refresher } = given();
    await refresher.start();

    await time.advance(46 * MINUTE_MS);
    expect(refresher.current()).toBe("token 1");
    await time.advance(MINUTE_MS);

    expect(refresher.current()).toBe("token 2");
    await time.advance(47 * MINUTE_MS);
    expect(issuer.calls).toBe(3);
  });

  it("is never asked for by a request, however often it is used", async () => {
    const { issuer, refresher } = given();
    await refresher.start();

    for (let i = 0; i < 1_000; i += 1) refresher.current();
    await turn();

    expect(issuer.calls).toBe(1);
  });

  it("is not renewed when it does not end", async () => {
    const { time, issuer, refresher } = given();
    issuer.lifeMs = null;
    await refresher.start();

    await time.advance(7 * 24 * 60 * MINUTE_MS);

    expect(issuer.calls).toBe(1);
    expect(refresher.current()).toBe("token 1");
  });

  it("is renewed at the next request when the timer overslept a suspended machine", async () => {
    const { time, issuer, refresher } = given();
    await refresher.start();

    time.clock.advance(50 * MINUTE_MS);
    expect(refresher.current()).toBe("token 1");
    await turn();

    expect(issuer.calls).toBe(2);
    expect(refresher.current()).toBe("token 2");
  });
});

describe("a token endpoint that is down", () => {
  it("leaves the present value in use until its real end", async () => {
    const { time, issuer, refresher } = given();
    await refresher.start();
    issuer.failure = new IssueError("its token endpoint answered 503");

    await time.advance(59 * MINUTE_MS);

    expect(refresher.current()).toBe("token 1");
    expect(refresher.status().state).toBe("stale");
    expect(refresher.status().failure?.reason).toBe("its token endpoint answered 503");
  });

  it("is asked again with growing pauses, at most a minute apart", async () => {
    const { time, issuer, refresher } = given();
    await refresher.start();
    issuer.failure = new Error("down");
    const calledAtMs: number[] = [];

    await time.advance(46 * MINUTE_MS);
    for (let seconds = 0; seconds < 300; seconds += 1) {
      const before = issuer.calls;
      await time.advance(1_000);
      if (issuer.calls > before) calledAtMs.push(time.clock.nowMs());
    }

    const pauses = calledAtMs.slice(1).map((atMs, i) => atMs - (calledAtMs[i] ?? 0));
    expect(pauses.length).toBeGreaterThan(5);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(60_000);
    expect(Math.max(...pauses)).toBeGreaterThanOrEqual(29_000);
  });

  it("makes requests fail precisely once the value has ended", async () => {
    const { time, issuer, refresher } = given();
    await refresher.start();
    issuer.failure = new IssueError("its token endpoint cannot be reached (ECONNREFUSED)", "connect 10.1.2.3:443");

    await time.advance(61 * MINUTE_MS);

    const error = errorOf(() => refresher.current());
    expect(error.code).toBe("weir:upstream:credential");
    expect(error.message).toMatch(
      /^the credential of upstream "bedrock-east" \(scripted issuer\) expired at 2026-11-03T13:00:00\.000Z: its token endpoint cannot be reached \(ECONNREFUSED\), since 2026-11-03T12:46:30\.000Z \(\d+ attempts\)\. Mend the script\.$/,
    );
    expect(error.message).not.toContain("10.1.2.3");
    expect(refresher.status().state).toBe("failed");
    expect(refresher.status().failure?.reason).toContain("10.1.2.3");
  });

  it("is forgiven when it is back, and the value is used at once", async () => {
    const { time, issuer, refresher } = given();
    await refresher.start();
    issuer.failure = new Error("down");
    await time.advance(61 * MINUTE_MS);
    issuer.failure = null;

    await time.advance(MINUTE_MS);

    expect(refresher.current()).toBe(`token ${issuer.calls}`);
    expect(refresher.status()).toMatchObject({ state: "ready", failure: null });
  });

  it("at the first attempt neither fails the start nor stops the attempts", async () => {
    const { time, issuer, refresher } = given();
    issuer.failure = new Error("down");

    await refresher.start();

    expect(refresher.status().state).toBe("failed");
    expect(errorOf(() => refresher.current()).message).toContain("has not been obtained: it could not be obtained");
    issuer.failure = null;
    await time.advance(MINUTE_MS);
    expect(refresher.status().state).toBe("ready");
  });

  it("that hangs holds up the start for three seconds only", async () => {
    const { time, issuer, refresher } = given();
    issuer.hangs = true;
    let started = false;

    const start = refresher.start().then(() => (started = true));
    await time.advance(2_999);
    expect(started).toBe(false);
    await time.advance(2);
    await start;

    expect(refresher.status().state).toBe("pending");
    expect(errorOf(() => refresher.current()).message).toContain("has not been obtained yet");
  });

  it("that hangs is given up after thirty seconds and asked again", async () => {
    const { time, issuer, refresher } = given();
    issuer.hangs = true;
    await Promise.all([refresher.start(), time.advance(30_100)]);

    expect(issuer.aborted).toBe(1);
    expect(refresher.status().failure?.reason).toContain("no answer within 30 s");
    issuer.hangs = false;
    await time.advance(2_000);
    expect(refresher.current()).toBe("token 2");
  });

  it("that gives what has already expired is a failure, with a word about the clock", async () => {
    const { issuer, refresher } = given();
    issuer.lifeMs = -5 * MINUTE_MS;

    await refresher.start();

    expect(refresher.status().state).toBe("failed");
    expect(refresher.status().failure?.reason).toContain("is the clock right?");
  });
});

describe("an upstream that refuses the credential", () => {
  it("has it renewed ahead of time, the present one staying in use meanwhile", async () => {
    const { time, refresher } = given();
    await refresher.start();
    await time.advance(MINUTE_MS);

    refresher.invalidate();
    expect(refresher.current()).toBe("token 1");
    await turn();

    expect(refresher.current()).toBe("token 2");
  });

  it("cannot have it renewed more than once a minute", async () => {
    const { time, issuer, refresher } = given();
    await refresher.start();
    await time.advance(MINUTE_MS);

    for (let i = 0; i < 100; i += 1) refresher.invalidate();
    await time.advance(59_000);
    refresher.invalidate();
    await turn();
    expect(issuer.calls).toBe(2);
    await time.advance(2_000);
    refresher.invalidate();
    await turn();

    expect(issuer.calls).toBe(3);
  });

  it("does not hurry the attempts while the token endpoint is down", async () => {
    const { time, issuer, refresher } = given();
    await refresher.start();
    issuer.failure = new Error("down");
    await time.advance(47 * MINUTE_MS);
    const { calls } = issuer;

    refresher.invalidate();
    await turn();

    expect(issuer.calls).toBe(calls);
  });
});

describe("stopping", () => {
  it("leaves no timer and starts no attempt", async () => {
    const { time, issuer, refresher } = given();
    await refresher.start();

    await refresher.stop();
    refresher.invalidate();
    await time.advance(120 * MINUTE_MS);

    expect(time.waiting).toBe(0);
    expect(issuer.calls).toBe(1);
  });

  it("aborts the attempt under way and says nothing about it", async () => {
    const { time, issuer, logger, refresher } = given();
    issuer.hangs = true;
    const start = refresher.start();
    await turn();

    await refresher.stop();
    await start;

    expect(issuer.aborted).toBe(1);
    expect(time.waiting).toBe(0);
    expect(logger.lines).toEqual([]);
  });

  it("leaves the value usable for what is in flight", async () => {
    const { refresher } = given();
    await refresher.start();

    await refresher.stop();
    await refresher.stop();

    expect(refresher.current()).toBe("token 1");
  });
});

describe("the log", () => {
  it("tells of the first value, of trouble while the old one lasts, of its end and of the recovery", async () => {
    const { time, issuer, logger, refresher } = given();
    await refresher.start();
    issuer.failure = new IssueError("its token endpoint answered 500");
    await time.advance(62 * MINUTE_MS);
    issuer.failure = null;
    await time.advance(2 * MINUTE_MS);

    const told = logger.lines.map(({ level, message }) => `${level}: ${message}`);
    expect([...new Set(told)]).toEqual([
      "info: credential obtained",
      "warn: credential not renewed; the present one stays in use",
      "error: no valid credential; the upstream cannot be used",
      "info: credential renewed again",
    ]);
    expect(logger.lines[0]?.fields).toMatchObject({
      upstream: "bedrock-east",
      credential: "scripted issuer",
      expiresAt: "2026-11-03T13:00:00.000Z",
    });
  });

  it("never holds a secret, neither of the configuration nor of the value, wherever the failure put it", async () => {
    const { time, issuer, logger, refresher } = given();
    await refresher.start();
    const inner = Object.assign(new Error(`secret=${CANARY}`), { config: { body: CANARY } });
    issuer.failure = new Error(`token 1 and ${CANARY} were refused`, { cause: inner });

    await time.advance(62 * MINUTE_MS);

    const shown = [logger.text, errorOf(() => refresher.current()).message, JSON.stringify(refresher.status())].join();
    expect(shown).toContain("were refused");
    expect(shown).not.toContain(CANARY);
    expect(shown).not.toContain("token 1");
    expect(errorOf(() => refresher.current()).facts.cause).toBeUndefined();
  });
});
