import { expect } from "vitest";

import type { Entry } from "../../../src/message/entry.ts";
import { cloudKind, CLOUD_MODEL } from "../../harness/clouds/clouds.ts";
import { spread } from "../../harness/figures.ts";
import { ask } from "../../harness/http-answer.ts";
import { messageHeaders } from "../../harness/message-request.ts";
import { eventually } from "../../harness/waiting.ts";
import type { WeirProcess } from "../../harness/weir-process.ts";
import { MESSAGES } from "./client-format.ts";
import { Fleet } from "./fleet.ts";
import { dueWithin, OpenLoad, shareOf, type Shot } from "./open-load.ts";
import { settledRows } from "./settled-rows.ts";

/** How an upstream dies: its machine refuses connections, or nothing of it is ever heard again. */
export type Death = "refuses" | "vanishes";

export interface KillPlan {
  readonly death: Death;
  readonly ratePerSecond: number;
  readonly beforeMs: number;
  readonly deadMs: number;
  readonly afterMs: number;
  /** Sections of weir.yaml. */
  readonly config: Readonly<Record<string, unknown>>;
}

export interface KillReport {
  readonly requests: number;
  /** Streams that had begun at the upstream that died: their cut is true, and nobody can hide it. */
  readonly cutAtDeath: number;
  readonly errors: number;
  readonly failovers: number;
  readonly beforeP50Ms: number;
  readonly beforeP99Ms: number;
  /** Of each of the first ten seconds after the death. */
  readonly p99sAfterDeathMs: readonly number[];
  readonly deadP50Ms: number;
  /** From the fifth second after the death on. */
  readonly deadP99Ms: number;
  readonly afterP50Ms: number;
  readonly afterP99Ms: number;
  /** Seconds after the death until the first second whose p99 was normal; Infinity when none was. */
  readonly normalAfterSeconds: number;
  /** Share of the upstream that died: before, and in each second after its return. */
  readonly shareBefore: number;
  readonly sharesAfter: readonly number[];
}

const VICTIM = "victim";
const OTHER = "other";
const SECOND_MS = 1_000;
const WARM_UP = 200;
/** Share of the requests at which the upstream that died counts as back: it had half. */
const ITS_SHARE = 0.4;
const RETURN_MS = 60_000;
/** What p99 may be, against that before the death, and still be normal. */
const NORMAL_FACTOR = 1.5;
const NORMAL_SLACK_MS = 25;

/** Kills one of two upstreams under load and lets it return. Asserts that no client saw an error, and that the ledger is right. */
export async function killUpstream(plan: KillPlan): Promise<KillReport> {
  const fleet = await Fleet.start([cloudKind("bedrock"), cloudKind("anthropic")]);
  const proxy = await fleet.proxyTo("bedrock", VICTIM);
  const weir = await fleet.weir({
    members: [
      { name: VICTIM, kind: "bedrock", proxy, more: { timeouts: { ttfb_ms: SECOND_MS, idle_ms: SECOND_MS } } },
      { name: OTHER, kind: "anthropic", proxy: null },
    ],
    config: plan.config,
  });
  try {
    await warmUp(weir);
    const load = OpenLoad.start({ weir, model: CLOUD_MODEL, ratePerSecond: plan.ratePerSecond });
    await load.goOn(plan.beforeMs);
    const diedAtMs = load.nowMs;
    if (plan.death === "refuses") await proxy.stop();
    else proxy.set({ blackhole: true });
    await load.goOn(plan.deadMs);
    const returnedAtMs = load.nowMs;
    if (plan.death === "refuses") await proxy.start();
    else proxy.set({}).killAll();
    await load.goOn(plan.afterMs);
    await eventually("it has its share again", () => hasItsShare(load), RETURN_MS);
    await load.stop();
    const entries = ownRows(await settledRows(weir, load.shots.length + WARM_UP));
    expect(fleet.problems).toEqual([]);
    return reported(load.shots, entries, { diedAtMs, returnedAtMs });
  } finally {
    await weir.dispose();
    await fleet.stop();
  }
}

/** The first requests of a process are its slowest, and no upstream's doing. */
async function warmUp(weir: WeirProcess): Promise<void> {
  for (let number = 0; number < WARM_UP; number++) {
    const asking = { model: CLOUD_MODEL, text: `Reply with exactly: ${number}`, isStream: number % 2 === 0 };
    await ask(weir.url + MESSAGES.path(asking), { headers: messageHeaders(weir.key), body: MESSAGES.body(asking) });
  }
}

/** Those of the load: the others have no session. */
function ownRows(rows: readonly Entry[]): Entry[] {
  return rows.filter(({ sessionId }) => sessionId !== null);
}

function hasItsShare(load: OpenLoad): boolean {
  return shareOf(dueWithin(load.shots, load.nowMs - 2 * SECOND_MS, load.nowMs), VICTIM) > ITS_SHARE;
}

function reported(
  shots: readonly Shot[],
  entries: readonly Entry[],
  { diedAtMs, returnedAtMs }: { diedAtMs: number; returnedAtMs: number },
): KillReport {
  const wrong = shots.filter(({ end }) => end === "wrong");
  expect(wrong).toEqual([]);
  const cut = shots.filter(({ end }) => end === "cut");
  // Only what was under way at the moment of death can have been cut.
  const unexplained = cut.filter(({ atMs, latencyMs }) => atMs > diedAtMs || atMs + latencyMs < diedAtMs);
  expect(unexplained).toEqual([]);
  expect(entries.length).toBe(shots.length);
  expect(new Set(entries.map(({ sessionId }) => sessionId))).toEqual(new Set(shots.map(({ session }) => session)));
  const before = dueWithin(shots, SECOND_MS, diedAtMs);
  const after = dueWithin(shots, returnedAtMs, Infinity);
  const normalMs = spreadOf(before).p99 * NORMAL_FACTOR + NORMAL_SLACK_MS;
  return {
    requests: shots.length,
    cutAtDeath: cut.length,
    errors: wrong.length,
    failovers: entries.filter(({ attempts }) => attempts > 1).length,
    beforeP50Ms: spreadOf(before).p50,
    beforeP99Ms: spreadOf(before).p99,
    p99sAfterDeathMs: seconds(shots, diedAtMs, diedAtMs + 10 * SECOND_MS).map((second) => spreadOf(second).p99),
    deadP50Ms: spreadOf(dueWithin(shots, diedAtMs, returnedAtMs)).p50,
    deadP99Ms: spreadOf(dueWithin(shots, diedAtMs + 5 * SECOND_MS, returnedAtMs)).p99,
    afterP50Ms: spreadOf(after).p50,
    afterP99Ms: spreadOf(after).p99,
    normalAfterSeconds: normalAfter(seconds(shots, diedAtMs, returnedAtMs), normalMs),
    shareBefore: rounded(shareOf(before, VICTIM)),
    sharesAfter: seconds(shots, returnedAtMs, Infinity).map((second) => rounded(shareOf(second, VICTIM))),
  };
}

function spreadOf(shots: readonly Shot[]): ReturnType<typeof spread> {
  return spread(shots.map(({ latencyMs }) => latencyMs));
}

/** The shots of each whole second of a span. */
function seconds(shots: readonly Shot[], fromMs: number, toMs: number): Shot[][] {
  const last = shots.reduce((latest, { atMs }) => Math.max(latest, atMs), 0);
  const spans: Shot[][] = [];
  for (let at = fromMs; at + SECOND_MS <= Math.min(toMs, last); at += SECOND_MS) {
    spans.push(dueWithin(shots, at, at + SECOND_MS));
  }
  return spans;
}

function normalAfter(spans: readonly (readonly Shot[])[], normalMs: number): number {
  const first = spans.findIndex((span) => spreadOf(span).p99 <= normalMs);
  return first < 0 ? Infinity : first;
}

function rounded(share: number): number {
  return Math.round(share * 100) / 100;
}
