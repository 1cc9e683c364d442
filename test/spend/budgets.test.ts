/** Budgets set on the command line against a real Weir: seen at once, raised for a while, told of once, and kept over a restart. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { ask, type HttpAnswer, jsonOf } from "../harness/http-answer.ts";
import { systemClock } from "../../src/core/clock.ts";
import { IdGenerator } from "../../src/core/id.ts";
import type { SpendLimitRecord, SpendLimitStore } from "../../src/store/ports/spend-limits.ts";
import { eventually } from "../harness/waiting.ts";
import { newPerson, type Person } from "../harness/weir-people.ts";
import { WeirProcess } from "../harness/weir-process.ts";

type Json = Record<string, unknown>;

// Several commands, each a process of its own.
vi.setConfig({ testTimeout: 120_000 });

let weir: WeirProcess;
let ada: Person;

async function message(headers: Record<string, string> = {}): Promise<HttpAnswer> {
  return await ask(`${weir.url}/v1/messages`, {
    headers: { "x-api-key": ada.secret, "content-type": "application/json", ...headers },
    body: { model: "claude-haiku-4-5", max_tokens: 50, messages: [{ role: "user", content: "Hello" }] },
  });
}

/** Runs a budget command as a person would. */
async function budget(...args: readonly string[]): Promise<Json> {
  // `--json` prints one object.
  return JSON.parse((await weir.command("budget", ...args, "--json")).stdout) as Json;
}

/** Changes limits from this process, as a command would, but at once. */
function inStore<T>(work: (store: SpendLimitStore) => Promise<T>): Promise<T> {
  return weir.database.withStore((store) => work(store.spendLimits));
}

const ids = new IdGenerator(systemClock);
const ACT = { actor: "test", atMs: Date.now(), reason: null };

async function set(
  limit: Pick<SpendLimitRecord, "scope" | "subjectId" | "window" | "limitMicroUsd">,
  soft = false,
): Promise<void> {
  const { organizationId } = ada;
  const [createdAtMs, updatedAtMs] = [Date.now(), Date.now()];
  const common = {
    id: ids.next("spl"),
    organizationId,
    sharing: "shared",
    paused: false,
    createdAtMs,
    updatedAtMs,
  } as const;
  await inStore((store) => store.put({ ...limit, ...common, enforcement: soft ? "soft" : "hard" }, ACT));
}

async function becomes(status: number, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  return await eventually(`messages are answered with ${status}`, async () => {
    const answer = await message(headers);
    return answer.status === status ? answer : null;
  });
}

/** The thresholds that the log tells of a payer's day, in all runs. */
function alertsOf(subject: string): number[] {
  return weir.log.split("\n").flatMap((line) => {
    if (!line.includes('"budget alert"')) return [];
    const alert = JSON.parse(line) as Json;
    return alert["subject"] === subject && alert["window"] === "day" ? [Number(alert["threshold_percent"])] : [];
  });
}

beforeAll(async () => {
  weir = await WeirProcess.start({ config: { tags: { allowed: ["search"] } } });
  ada = await newPerson(weir);
});

afterAll(async () => {
  await weir.dispose();
});

describe("a budget set on the command line", () => {
  it("holds in the running Weir, for every user of the team, until it is raised; the increase ends with its removal", async () => {
    await budget("set", "--team", ada.teamId, "--each-user", "--day", "0.000001");
    const refused = await becomes(429);
    expect(refused.body.toString()).toContain("the daily budget of this user, $0.000001, has no room");

    const words = ["--user", ada.userId, "--window", "day", "--by", "5", "--until", "3d", "--reason", "release week"];
    const { raise } = await budget("raise", ...words);
    await becomes(200);
    const { budgets } = await budget("effective", "--user", ada.userId);
    expect(budgets).toMatchObject([{ limit_usd: "5.000001", raised_by_usd: "5.00", scope: "user", window: "day" }]);

    await budget("remove", String((raise as Json)["id"]));
    await becomes(429);
    const { limits } = await budget("list");
    await budget("remove", String((limits as Json[])[0]?.["id"]));
    await becomes(200);
  });

  it("is ended by the clock when an increase runs out, with nobody doing anything", async () => {
    const week = { scope: "user", subjectId: ada.userId, window: "week" } as const;
    await set({ ...week, limitMicroUsd: 1 });
    await becomes(429);
    const fromMs = Date.now();
    const raise = { ...week, id: ids.next("rse"), organizationId: ada.organizationId, addMicroUsd: 5_000_000 };
    const until = { fromMs, untilMs: fromMs + 4_000, reason: "release", createdBy: "test" };
    await inStore((store) => store.addRaise({ ...raise, ...until }, ACT));
    await becomes(200);
    await becomes(429);
    expect(Date.now()).toBeGreaterThanOrEqual(until.untilMs);
    await set({ ...week, limitMicroUsd: null });
    await becomes(200);
  });

  it("on a key's project is spent from by whatever the key asks", async () => {
    const key = { organizationId: ada.organizationId, keyId: ada.keyId };
    await inStore((store) => store.setKeyTag(key, "payments", ACT));
    await set({ scope: "tag", subjectId: "payments", window: "month", limitMicroUsd: 1 });
    const refused = await becomes(429);
    expect(refused.body.toString()).toContain("the monthly budget of this tag");
    const other = await message({ "x-weir-tag": "search" });
    expect(other.status).toBe(403);
    expect(other.body.toString()).toContain("can name no other");
    await inStore((store) => store.setKeyTag(key, null, ACT));
    await becomes(200);
  });
});

describe("alerts and counters over a restart", () => {
  /** What was spent today of each kind of payer, as the running Weir's ledger has it. */
  async function spentToday(): Promise<Record<string, number>> {
    const { organizationId, teamId, userId } = ada;
    const dayMs = 86_400_000;
    const fromMs = Math.floor(Date.now() / dayMs) * dayMs;
    return await weir.database.withStore(async ({ usage }) => {
      const of = async (scope: "team" | "user" | "tag", id: string): Promise<number> =>
        (await usage.totals(scope, fromMs, fromMs + dayMs)).get(id) ?? 0;
      return {
        team: await of("team", teamId),
        user: await of("user", userId),
        tag: await of("tag", `${organizationId}/search`),
      };
    });
  }
  const today = { window: "day" } as const;
  const tag = { scope: "tag", subjectId: "search", ...today } as const;
  const user = () => ({ scope: "user", subjectId: ada.userId, ...today }) as const;

  it("tells of each threshold once, and knows afterwards what a user, a team and a tag had spent", async () => {
    expect((await becomes(200, { "x-weir-tag": "search" })).status).toBe(200);
    await weir.entries((entries) => entries.some((entry) => entry.tag === "search"));
    const before = await spentToday();
    expect(before["tag"]).toBeGreaterThan(0);
    expect(before["user"]).toBeGreaterThan(before["tag"] ?? 0);

    await set({ ...tag, limitMicroUsd: before["tag"] ?? 0 }, true);
    const search = `${ada.organizationId}/search`;
    await eventually("the tag's alerts are told", () => alertsOf(search).length >= 4);
    await weir.end("SIGTERM");
    await weir.begin();
    // Were the tag's alerts told again, they would come with or before those of the team.
    await set({ scope: "team", subjectId: ada.teamId, window: "day", limitMicroUsd: before["team"] ?? 0 }, true);
    await set({ ...user(), limitMicroUsd: before["user"] ?? 0 }, true);
    await eventually("the team's alerts are told", () => alertsOf(ada.teamId).includes(100));
    expect(alertsOf(search)).toEqual([50, 80, 95, 100]);
    expect(alertsOf(ada.teamId)).toEqual([50, 80, 95, 100]);
    expect(await weir.metrics()).toContain('weir_budget_alerts_total{threshold="100",scope="team"} 1');
    const answer = await ask(`${weir.url}/api/oauth/usage`, { headers: { "x-api-key": ada.secret } });
    expect(jsonOf(answer)).toMatchObject({
      extra_usage: { utilization: 100 },
      limits: expect.arrayContaining([
        expect.objectContaining({ scope: "user", group: "daily", percent: 100, severity: "critical" }),
      ]),
    });
  });

  it("a hard budget on a tag is full after a crash too, and nobody else's is", async () => {
    await set({ ...tag, limitMicroUsd: (await spentToday())["tag"] ?? 0 });
    await weir.end("SIGKILL");
    await weir.begin();

    expect((await message({ "x-weir-tag": "search" })).status).toBe(429);
    expect((await message()).status).toBe(200);
  });
});
