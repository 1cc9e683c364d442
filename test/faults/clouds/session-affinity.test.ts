/** A session stays where its prompt cache is warm; when it must move, the ledger says why and what that cost. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Entry } from "../../../src/message/entry.ts";
import { CLOUD_MODEL, cloudKind } from "../../harness/clouds/clouds.ts";
import { noteFigure } from "../../harness/figures.ts";
import { ask } from "../../harness/http-answer.ts";
import { messageHeaders } from "../../harness/message-request.ts";
import type { WeirProcess } from "../../harness/weir-process.ts";
import { Fleet } from "./fleet.ts";

const KINDS = ["anthropic", "bedrock", "foundry"] as const;
const SESSIONS = 9;
const TURNS = 4;
/** What a token of claude-sonnet-5-5 costs written to the cache for five minutes, and read from it, micro-dollars. */
const [WRITE, READ] = [2.5, 0.1];

let fleet: Fleet;
let weir: WeirProcess;
beforeEach(async () => {
  fleet = await Fleet.start(KINDS.map(cloudKind));
  const members = await Promise.all(
    KINDS.map(async (kind) => ({
      name: kind,
      kind,
      proxy: await fleet.proxyTo(kind, kind),
    })),
  );
  weir = await fleet.weir({
    members,
    config: { routing: { strategy: "round_robin" }, health: { probes: { enabled: false } } },
  });
});
afterEach(async () => {
  await weir.dispose();
  await fleet.stop();
});

/** One turn of a session whose long instructions are to be cached; gives the upstream that answered. */
async function turn(session: string, number: number): Promise<string> {
  const instructions = `You are the helper of ${session}. ${"Be brief, be kind and be right. ".repeat(400)}`;
  const { status, headers, body } = await ask(`${weir.url}/v1/messages`, {
    headers: messageHeaders(weir.key, { "x-claude-code-session-id": session }),
    body: {
      model: CLOUD_MODEL,
      max_tokens: 200,
      stream: number % 2 === 0,
      system: [{ type: "text", text: instructions, cache_control: { type: "ephemeral" } }],
      messages: [{ role: "user", content: `Reply with exactly: turn ${number}` }],
    },
  });
  expect([status, body.toString("utf8")]).toEqual([200, expect.any(String)]);
  return String(headers["x-weir-upstream"]);
}

function rowsOf(rows: readonly Entry[], session: string): Entry[] {
  return rows.filter(({ sessionId }) => sessionId === session);
}

describe("a session with a warm prompt cache", () => {
  it("stays, though the strategy takes turns; a forced move is priced in the ledger", async () => {
    const sessions = Array.from({ length: SESSIONS }, (_, number) => `session-${number}`);
    const homes = new Map<string, string>();
    for (const session of sessions) homes.set(session, await turn(session, 1));
    // They are spread over all.
    expect(new Set(homes.values()).size).toBe(KINDS.length);
    for (let number = 2; number <= TURNS; number++) {
      for (const session of sessions) expect(await turn(session, number)).toBe(homes.get(session));
    }
    const before = await weir.entries(SESSIONS * TURNS);
    for (const row of before) expect(row).toMatchObject({ cacheMove: null, cacheLossMicroUsd: 0 });
    expect(before.filter(({ usage }) => usage.cacheReadTokens > 0).length).toBe(SESSIONS * (TURNS - 1));

    const moving = sessions.filter((session) => homes.get(session) === "bedrock");
    await fleet.proxy("bedrock").stop();
    for (const session of moving) expect(await turn(session, TURNS + 1)).not.toBe("bedrock");
    for (const session of moving) {
      const newHome = await turn(session, TURNS + 2);
      expect(await turn(session, TURNS + 3)).toBe(newHome);
    }
    const after = await weir.entries(SESSIONS * TURNS + moving.length * 3);
    let lostMicroUsd = 0;
    for (const session of moving) {
      const rows = rowsOf(after, session);
      const [last, moved, ...settled] = rows.slice(TURNS - 1);
      const warm = last!.usage.cacheReadTokens + last!.usage.cacheWrite5mTokens;
      expect(warm).toBeGreaterThan(1_000);
      expect(moved!.cacheMove).toMatch(/^moved_/);
      expect(Math.abs(moved!.cacheLossMicroUsd - warm * (WRITE - READ))).toBeLessThanOrEqual(1);
      // What was lost is what was written anew.
      expect(moved!.usage.cacheWrite5mTokens).toBe(warm);
      for (const row of settled) expect(row).toMatchObject({ cacheMove: null, cacheLossMicroUsd: 0 });
      lostMicroUsd += moved!.cacheLossMicroUsd;
    }
    expect(fleet.problems).toEqual([]);
    noteFigure(3, "sessions that had to move", { sessions: moving.length, lost_micro_usd: lostMicroUsd });
  });
});
