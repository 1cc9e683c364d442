/** Promises 1 and 3 under load: kills Weir and its PostgreSQL, and compares what clients got with what the ledger says. */
import { expect } from "vitest";

import { FakeUpstream } from "../harness/fake-upstream.ts";
import { LiveAnswer } from "../harness/http-answer.ts";
import { Load } from "../harness/load.ts";
import { messageEvents } from "../harness/message-events.ts";
import { messageBody, messageHeaders } from "../harness/message-request.ts";
import { eventually } from "../harness/waiting.ts";
import { WeirProcess } from "../harness/weir-process.ts";

export interface KillPlan {
  readonly weirKills: number;
  readonly postgresKills: number;
  /** Responses to be released in all, at least. */
  readonly responses: number;
}

export interface KillReport {
  readonly released: number;
  /** Released responses without exactly one row. */
  readonly lost: number;
  readonly duplicates: number;
  readonly interrupted: number;
}

const LANES = 24;
/** Streams that stand still in the middle whenever Weir is killed. */
const HELD = 3;
/** What `messageEvents` reports, at the list price of its model. */
const COST_MICRO_USD = 470;

/** Runs the plan; asserts what must hold at its end, and gives the figures. */
export async function killUnderLoad(plan: KillPlan): Promise<KillReport> {
  const seenUpstream = new Set<string>();
  const upstream = await FakeUpstream.start((request) => {
    const session = String(request.headers["x-claude-code-session-id"]);
    seenUpstream.add(session);
    if (session.startsWith("held")) return { kind: "stream", cut: { afterEvents: 4, how: "hang" } };
    return request.body.includes('"stream":true') ? { kind: "stream" } : { kind: "whole" };
  });
  upstream.forgetRequests();
  const weir = await WeirProcess.start({ upstreamUrl: upstream.url });
  const load = Load.start(weir, { lanes: LANES });
  try {
    const held = await killAll(plan, weir, load);
    await load.stop();
    return await compare(weir, { load, held, seenUpstream });
  } finally {
    await load.stop();
    await weir.dispose();
    await upstream.stop();
  }
}

/** Kills in turn, with load between; resolves with the sessions of the streams that stood still at a kill. */
async function killAll(plan: KillPlan, weir: WeirProcess, load: Load): Promise<string[]> {
  const kills = [...shuffledKills(plan)];
  const between = Math.ceil(plan.responses / (kills.length + 1));
  const held: string[] = [];
  for (const kill of kills) {
    await load.more(between, 300_000);
    if (kill === "postgres") {
      const before = await weir.database.pid();
      await weir.database.kill();
      await eventually("another PostgreSQL runs", async () => {
        const pid = await weir.database.pid();
        return pid !== null && pid !== before;
      });
    } else {
      held.push(...(await hold(weir, held.length)));
      await weir.end("SIGKILL");
      await weir.begin();
    }
  }
  await load.more(between, 300_000);
  return held;
}

/** The kills of both kinds, spread evenly. */
function shuffledKills({ weirKills, postgresKills }: KillPlan): ("weir" | "postgres")[] {
  const kills: { at: number; kind: "weir" | "postgres" }[] = [];
  for (let i = 0; i < weirKills; i++) kills.push({ at: (i + 1) / (weirKills + 1), kind: "weir" });
  for (let i = 0; i < postgresKills; i++) kills.push({ at: (i + 0.5) / postgresKills, kind: "postgres" });
  return kills.sort((a, b) => a.at - b.at).map(({ kind }) => kind);
}

/** Opens streams that stop in the middle; resolves with their sessions when all have. */
async function hold(weir: WeirProcess, from: number): Promise<string[]> {
  const sessions = Array.from({ length: HELD }, (_, index) => `held-${from + index}`);
  await Promise.all(
    sessions.map(async (session) => {
      const live = await LiveAnswer.open(`${weir.url}/v1/messages`, {
        headers: messageHeaders(weir.key, { "x-claude-code-session-id": session }),
        body: messageBody({ stream: true }),
      });
      await live.events(Math.min(4, messageEvents().length));
    }),
  );
  return sessions;
}

interface Row {
  readonly exchange_id: string;
  readonly session_id: string;
  readonly outcome: string;
  readonly cost_micro_usd: number;
}

/** Compares client, upstream and ledger once everything has been shipped. */
async function compare(
  weir: WeirProcess,
  { load, held, seenUpstream }: { load: Load; held: readonly string[]; seenUpstream: ReadonlySet<string> },
): Promise<KillReport> {
  // In good order: what is in the journal has then been shipped.
  expect(await weir.end()).toEqual({ code: 0, signal: null });
  await weir.begin();
  const rows = await weir.database.query<Row>(
    "select exchange_id, session_id, outcome, cost_micro_usd from weir.usage_entries",
  );
  const byExchange = Map.groupBy(rows, (row) => row.exchange_id);
  const bySession = Map.groupBy(rows, (row) => row.session_id);
  const lost = [...load.released.keys()].filter((id) => byExchange.get(id)?.length !== 1);
  const duplicates = [...bySession.values()].filter((sameSession) => sameSession.length > 1);
  expect(lost).toEqual([]);
  expect(duplicates).toEqual([]);

  const released = [...load.released.keys()].map((id) => byExchange.get(id)?.[0]);
  const wrong = released.filter((row) => row?.outcome !== "complete" || row.cost_micro_usd !== COST_MICRO_USD);
  expect(wrong).toEqual([]);
  // Also what the client never got but the provider was asked for: it may have to be paid.
  expect([...seenUpstream].filter((session) => !bySession.has(session))).toEqual([]);
  const outcomes = held.map((session) => bySession.get(session)?.map((row) => row.outcome));
  expect(outcomes).toEqual(held.map(() => ["interrupted"]));
  await expectSumsAgree(weir);
  await expectReplayChangesNothing(weir);
  return {
    released: load.released.size,
    lost: lost.length,
    duplicates: duplicates.length,
    interrupted: rows.filter((row) => row.outcome === "interrupted").length,
  };
}

const SUMS = `
  select (select row(count(*), sum(cost_micro_usd), sum(input_tokens))::text from weir.usage_entries) as entries,
    (select row(sum(requests), sum(cost_micro_usd), sum(input_tokens))::text from weir.usage_hourly) as hourly,
    (select row(sum(requests), sum(cost_micro_usd), sum(input_tokens))::text from weir.usage_daily) as daily`;

interface Sums {
  readonly entries: string;
  readonly hourly: string;
  readonly daily: string;
}

async function sums(weir: WeirProcess): Promise<Sums> {
  const [row] = await weir.database.query<Sums>(SUMS);
  if (row === undefined) throw new Error("no sums");
  return row;
}

async function expectSumsAgree(weir: WeirProcess): Promise<void> {
  const { entries, hourly, daily } = await sums(weir);
  expect([hourly, daily]).toEqual([entries, entries]);
}

/** Takes the shipper's memory away, so that it ships again all that the journal still holds. */
async function expectReplayChangesNothing(weir: WeirProcess): Promise<void> {
  const before = await sums(weir);
  await weir.end("SIGKILL");
  await weir.begin();
  await weir.database.query("delete from weir.ship_cursors");
  await weir.end("SIGKILL");
  await weir.begin();
  expect(await sums(weir)).toEqual(before);
}
