/** The admin API of spend limits against a real Weir: shapes, access, tenants, trail, and that limits hold at once. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { ask, type HttpAnswer, jsonOf } from "../harness/http-answer.ts";
import { eventually } from "../harness/waiting.ts";
import { inDirectory, newPerson, type Person } from "../harness/weir-people.ts";
import { WeirProcess } from "../harness/weir-process.ts";

const PATH = "/v1/organizations/spend_limits";
const WRITE_KEY = "wk-0f9d8c7b6a59483726151403f2e1d0c9";
const READ_KEY = "rk-b1c2d3e4f5061728394a5b6c7d8e9fa0";
const OTHER_KEY = "ok-5d6e7f8091a2b3c4d5e6f708192a3b4c";

type Json = Record<string, unknown>;

// Commands are processes of their own.
vi.setConfig({ testTimeout: 120_000 });

let weir: WeirProcess;
let ada: Person;
let bob: Person;

async function call(method: string, path: string, options: { key?: string; body?: unknown } = {}): Promise<HttpAnswer> {
  const { key = WRITE_KEY, body } = options;
  const headers = { "x-api-key": key, "content-type": "application/json" };
  return await ask(`${weir.url}${path}`, { method, headers, body });
}

/** The JSON of an answer, which is always an object here. */
async function json(method: string, path: string, options: { key?: string; body?: unknown } = {}): Promise<Json> {
  return jsonOf(await call(method, path, options)) as Json;
}

async function set(scope: Json, amount: string | null, more: Json = {}): Promise<Json> {
  return await json("POST", PATH, { body: { scope, amount, ...more } });
}

async function message(person: Pick<Person, "secret">, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  return await ask(`${weir.url}/v1/messages`, {
    headers: { "x-api-key": person.secret, "content-type": "application/json", ...headers },
    body: { model: "claude-haiku-4-5", max_tokens: 50, messages: [{ role: "user", content: "Hello" }] },
  });
}

async function rows(query: string): Promise<Json[]> {
  return (await json("GET", `${PATH}/effective?${query}`))["data"] as Json[];
}

beforeAll(async () => {
  weir = await WeirProcess.start({
    config: {
      admin: {
        write_keys: [
          { id: "ci", key: WRITE_KEY, organization: "Default" },
          { id: "umbrella", key: OTHER_KEY, organization: "Umbrella" },
        ],
        read_keys: [{ id: "reporting", key: READ_KEY, organization: "Default" }],
        blocked_message: "ask at https://go.example.com/limits",
      },
      tags: { allowed: ["search", "billing"] },
      budgets: [{ scope: "tag", name: "billing", window: "day", limit_usd: 0.000001 }],
    },
  });
  const { organizationId } = (ada = await newPerson(weir));
  bob = await newPerson(weir);
  await weir.database.query("update weir.organizations set name = 'Default' where id = $1", [organizationId]);
  await inDirectory(weir, (directory) =>
    directory.createOrganization({ id: "org_umbrella", name: "Umbrella", status: "active", timeZone: "UTC" }),
  );
  await eventually("Weir knows both organisations", async () => {
    const answers = await Promise.all([call("GET", PATH), call("GET", PATH, { key: OTHER_KEY })]);
    return answers.every(({ status }) => status === 200);
  });
});

afterAll(async () => {
  await weir.dispose();
});

describe("a spend limit", () => {
  it("is created in the shape of the Admin API, replaced in place, fetched, listed and deleted", async () => {
    const created = await set({ type: "organization" }, "50000");
    expect(created).toEqual({
      type: "spend_limit",
      id: expect.stringMatching(/^spl_[0-9a-z]{26}$/),
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      updated_at: expect.any(String),
      scope: { type: "organization" },
      amount: "50000",
      currency: "USD",
      period: "monthly",
      is_enabled: true,
    });
    const replaced = await set({ type: "organization" }, "60000");
    expect(replaced).toMatchObject({ id: created["id"], amount: "60000", created_at: created["created_at"] });

    const answer = await call("GET", `${PATH}/${String(created["id"])}`, { key: READ_KEY });
    expect(answer.headers["request-id"]).toMatch(/^req_/);
    expect(jsonOf(answer)).toEqual(replaced);
    expect(await json("GET", PATH)).toEqual({
      data: [replaced],
      has_more: false,
      first_id: created["id"],
      last_id: created["id"],
    });
    expect(await json("DELETE", `${PATH}/${String(created["id"])}`)).toEqual({
      type: "spend_limit_deleted",
      id: created["id"],
    });
    expect(await call("DELETE", `${PATH}/${String(created["id"])}`)).toMatchObject({ status: 404 });
  });

  it("is listed in pages, forwards and backwards, and by scope", async () => {
    const made: Json[] = [];
    for (const period of ["daily", "weekly", "monthly"]) {
      made.push(await set({ type: "rbac_group", rbac_group_id: "contractors" }, "100", { period }));
    }
    made.push(await set({ type: "user", user_id: "sub-of-somebody-yet-to-come" }, null));
    const ids = made.map(({ id }) => id);
    const page = async (query: string): Promise<unknown[]> => {
      const { data, has_more, first_id, last_id } = await json("GET", `${PATH}?${query}`);
      const listed = (data as Json[]).map(({ id }) => id);
      expect([first_id, last_id]).toEqual([listed[0] ?? null, listed.at(-1) ?? null]);
      return [listed, has_more];
    };
    expect(await page("limit=2")).toEqual([ids.slice(0, 2), true]);
    expect(await page(`limit=2&after_id=${String(ids[1])}`)).toEqual([ids.slice(2), false]);
    expect(await page(`limit=2&before_id=${String(ids[3])}`)).toEqual([ids.slice(1, 3), true]);
    expect(await page(`limit=9&before_id=${String(ids[1])}`)).toEqual([ids.slice(0, 1), false]);
    expect(await page("scope_type=user")).toEqual([ids.slice(3), false]);
    expect(made[2]).toHaveProperty("pooled_budget", null);
    expect(made[3]).toMatchObject({ amount: null, scope: { type: "user", user_id: "sub-of-somebody-yet-to-come" } });
    for (const id of ids) await call("DELETE", `${PATH}/${String(id)}`);
  });

  it.each([
    ["amount: must be a whole-number decimal string of cents", { scope: { type: "organization" }, amount: "1.5" }],
    ["amount: Required", { scope: { type: "organization" } }],
    ["currency: must be USD", { scope: { type: "organization" }, amount: "1", currency: "EUR" }],
    ["Pooled budget fields can only", { scope: { type: "organization" }, amount: "1", pooled_budget: { amount: "1" } }],
    ["scope.user_id", { scope: { type: "user" }, amount: "1" }],
  ])("is refused where it is not well formed: %s", async (words, body) => {
    const answer = await call("POST", PATH, { body });
    const { type, error, request_id } = jsonOf(answer) as Json;

    expect([answer.status, type]).toEqual([400, "error"]);
    expect(error).toMatchObject({ type: "invalid_request_error", message: expect.stringContaining(words) });
    expect(request_id).toBe(answer.headers["request-id"]);
  });

  it.each([
    ["limit=0", "limit: must be between 1 and 1000"],
    ["after_id=a&before_id=b", "after_id and before_id are mutually exclusive"],
    ["after_id=spl_none", "after_id: no spend limit with this id"],
    ["scope_type=seat", "scope_type: must be one of"],
  ])("list refuses %s", async (query, words) => {
    const answer = await call("GET", `${PATH}?${query}`);

    expect(answer.status).toBe(400);
    expect(jsonOf(answer)).toMatchObject({ error: { message: expect.stringContaining(words) } });
  });

  it("of a team may have a pool beside the limit per seat, and both hold", async () => {
    const scope = { type: "rbac_group", rbac_group_id: ada.teamId };
    const limit = await set(scope, "500", { pooled_budget: { amount: "900" } });
    expect(limit).toMatchObject({
      scope: { type: "rbac_group", rbac_group_id: ada.teamId },
      pooled_budget: { amount: "900", paused: false, currency: "USD", period_to_date_spend: expect.any(String) },
    });
    const budgets = (await weir.command("budget", "list", "--org", "Default", "--json")).stdout;
    expect(JSON.parse(budgets)).toMatchObject({
      limits: expect.arrayContaining([
        expect.objectContaining({ scope: "team", sharing: "seat", limit_usd: "5.00" }),
        expect.objectContaining({ scope: "team", sharing: "shared", limit_usd: "9.00" }),
      ]),
    });
    await call("DELETE", `${PATH}/${String(limit["id"])}`);
    expect(JSON.parse((await weir.command("budget", "list", "--org", "Default", "--json")).stdout)).toMatchObject({
      limits: [expect.objectContaining({ scope: "tag" })],
    });
  });
});

describe("access", () => {
  it.each([
    ["no key", {}],
    ["a wrong key", { "x-api-key": "wk-0f9d8c7b6a59483726151403f2e1d0c8" }],
    ["a prefix of the right one", { "x-api-key": WRITE_KEY.slice(0, -1) }],
    ["the right one as a bearer token", { authorization: `Bearer ${WRITE_KEY}` }],
  ])("is refused with %s, in the same words", async (_, headers: Record<string, string>) => {
    const answer = await ask(`${weir.url}${PATH}`, { headers });

    expect(answer.status).toBe(401);
    expect(jsonOf(answer)).toMatchObject({
      type: "error",
      error: { type: "authentication_error", message: "missing or invalid admin credentials" },
    });
  });

  it("is no matter of keys for inference, and admin keys are none of those", async () => {
    expect((await call("GET", PATH, { key: weir.key })).status).toBe(401);
    expect((await message({ secret: WRITE_KEY })).status).toBe(401);
  });

  it("with a read key shows everything and changes nothing", async () => {
    const refused = await call("POST", PATH, { key: READ_KEY, body: { scope: { type: "organization" }, amount: "0" } });

    expect(refused.status).toBe(403);
    expect(jsonOf(refused)).toMatchObject({
      error: { type: "permission_error", message: "requires write:spend_limits" },
    });
    expect((await call("DELETE", `${PATH}/spl_x`, { key: READ_KEY })).status).toBe(403);
    for (const path of ["", "/effective", "/audit"]) {
      expect((await call("GET", PATH + path, { key: READ_KEY })).status).toBe(200);
    }
  });

  it("ends at the organisation: what is another's does not exist", async () => {
    const limit = await set({ type: "user", user_id: ada.userId }, "100");
    const path = `${PATH}/${String(limit["id"])}`;

    expect((await call("GET", path, { key: OTHER_KEY })).status).toBe(404);
    expect((await call("DELETE", path, { key: OTHER_KEY })).status).toBe(404);
    expect((await json("GET", PATH, { key: OTHER_KEY }))["data"]).toEqual([]);
    expect((await json("GET", `${PATH}/audit`, { key: OTHER_KEY }))["data"]).toEqual([]);
    const query = `user_ids[]=${ada.userId}`;
    expect((await json("GET", `${PATH}/effective?${query}`, { key: OTHER_KEY }))["data"]).toEqual([]);
    for (const scope of [
      { type: "user", user_id: ada.userId },
      { type: "rbac_group", rbac_group_id: ada.teamId },
    ]) {
      expect((await call("POST", PATH, { key: OTHER_KEY, body: { scope, amount: "0" } })).status).toBe(404);
    }
    const page = await call("GET", `${PATH}?after_id=${String(limit["id"])}`, { key: OTHER_KEY });
    expect(page.status).toBe(400);
    expect((await call("DELETE", path)).status).toBe(200);
  });
});

describe("a limit in force", () => {
  it("refuses within a second with 429 billing_error in words that Claude Code knows, and lets go when it is lifted", async () => {
    expect((await message(ada)).status).toBe(200);
    const limit = await set({ type: "user", user_id: ada.userId }, "0", { period: "daily" });
    const refused = await eventually("the limit holds", async () => {
      const answer = await message(ada);
      return answer.status === 429 ? answer : null;
    });
    const { error } = jsonOf(refused) as { error: Json };
    expect(error["type"]).toBe("billing_error");
    expect(error["message"]).toMatch(/^spend limit reached · the daily budget of this user, \$0\.00/);
    expect(error["message"]).toMatch(/ · ask at https:\/\/go\.example\.com\/limits$/);
    expect(refused.headers).toMatchObject({
      "x-should-retry": "false",
      "anthropic-ratelimit-unified-status": "rejected",
      "anthropic-ratelimit-unified-overage-period": "daily",
    });
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect((await message(bob)).status).toBe(200);

    await call("DELETE", `${PATH}/${String(limit["id"])}`);
    await eventually("the limit is lifted", async () => (await message(ada)).status === 200);
  });

  it("of everybody is each one's own: what one spends is not the other's", async () => {
    const limit = await set({ type: "organization" }, "100", { period: "weekly" });
    const headers = await eventually("the limit is shown", async () => {
      const { headers } = await message(ada);
      return headers["anthropic-ratelimit-unified-overage-utilization"] === undefined ? null : headers;
    });
    expect(headers["anthropic-ratelimit-unified-status"]).toBe("allowed");
    const [own, others] = await Promise.all([
      rows(`user_ids[]=${ada.userId}&period[]=weekly`),
      rows(`user_ids[]=${bob.userId}&period[]=weekly`),
    ]);
    expect(own[0]).toMatchObject({
      scope: { type: "user", user_id: ada.userId },
      groups: [ada.teamId],
      actor: { type: "user_actor", user_id: ada.userId, name: ada.userId, email_address: null, deleted: false },
      amount: "100",
      period: "weekly",
      source: { type: "organization" },
      spend_limit_id: limit["id"],
    });
    const spent = (row: Json | undefined): number => Number(row?.["period_to_date_spend"]);
    expect(spent(own[0])).toBeGreaterThan(spent(others[0]));
    expect(spent(others[0])).toBeGreaterThan(0);
    await call("DELETE", `${PATH}/${String(limit["id"])}`);
  });

  it("is shown to its caller at /api/oauth/usage", async () => {
    const limit = await set({ type: "user", user_id: ada.userId }, "250");
    const usage = await eventually("the limit is shown", async () => {
      const answer = jsonOf(await ask(`${weir.url}/api/oauth/usage`, { headers: { "x-api-key": ada.secret } })) as {
        extra_usage: Json;
        limits: Json[];
      };
      return answer.limits.length === 0 ? null : answer;
    });
    expect(usage.extra_usage).toMatchObject({ is_enabled: true, monthly_limit: 250, currency: "USD", utilization: 0 });
    expect(usage.limits).toEqual([
      {
        kind: "spend",
        group: "monthly",
        scope: "user",
        percent: 0,
        resets_at: expect.stringMatching(/-01T00:00:00\.000Z$/),
        severity: "normal",
        is_active: true,
      },
    ]);
    expect((await ask(`${weir.url}/api/oauth/usage`)).status).toBe(401);
    await call("DELETE", `${PATH}/${String(limit["id"])}`);
  });

  it("on a project tag holds for whoever names it, and only for allowed tags", async () => {
    expect((await message(bob, { "x-weir-tag": "search" })).status).toBe(200);
    const full = await message(bob, { "x-weir-tag": "billing" });
    expect(full.status).toBe(429);
    expect(full.body.toString()).toContain("the daily budget of this tag");
    const unknown = await message(bob, { "x-weir-tag": "made-up" });
    expect(unknown.status).toBe(403);
    expect(unknown.body.toString()).toContain("choose one of search, billing");
    await weir.entries((entries) => entries.some(({ tag, userId }) => tag === "search" && userId === bob.userId));
  });
});

describe("the report of effective limits", () => {
  it("pages through everybody who has spent, by id and by spend", async () => {
    await message(ada);
    await weir.entries((entries) => [ada, bob].every(({ userId }) => entries.some((entry) => entry.userId === userId)));
    for (const sort of ["", "&sort=spend_desc"]) {
      const first = await json("GET", `${PATH}/effective?limit=1&period[]=daily${sort}`);
      const second = await json(
        "GET",
        `${PATH}/effective?limit=1&period[]=daily${sort}&page=${String(first["next_page"])}`,
      );
      const found = [...(first["data"] as Json[]), ...(second["data"] as Json[])];
      expect(new Set(found.map((row) => (row["scope"] as Json)["user_id"]))).toEqual(new Set([ada.userId, bob.userId]));
      expect(second["next_page"]).toBeNull();
      const spent = found.map((row) => Number(row["period_to_date_spend"]));
      if (sort !== "") expect(spent).toEqual([...spent].sort((a, b) => b - a));
    }
    expect(await rows(`q=${ada.userId.slice(-12)}`)).toHaveLength(3);
    expect((await call("GET", `${PATH}/effective?page=nonsense`)).status).toBe(400);
    expect((await call("GET", `${PATH}/effective?sort=spend_desc`)).status).toBe(400);
  });
});

describe("every change", () => {
  it("stands in the trail and in the audit, with who made it and what it was before", async () => {
    const limit = await set({ type: "user", user_id: bob.userId }, "700");
    await set({ type: "user", user_id: bob.userId }, "800");
    await call("DELETE", `${PATH}/${String(limit["id"])}`);
    const { data, has_more } = await json("GET", `${PATH}/audit?limit=3`);
    const events = data as Json[];

    expect(has_more).toBe(true);
    expect(events.map(({ type, action, actor, target_id }) => [type, action, actor, target_id])).toEqual([
      ["audit_event", "spend_limit.delete", "admin-key:ci", limit["id"]],
      ["audit_event", "spend_limit.upsert", "admin-key:ci", limit["id"]],
      ["audit_event", "spend_limit.upsert", "admin-key:ci", limit["id"]],
    ]);
    expect(events[0]).toMatchObject({ before: { limitMicroUsd: 8_000_000 }, after: null });
    expect(events[2]).toMatchObject({ before: null, after: { limitMicroUsd: 7_000_000 } });
    const after = String(events[2]?.["id"]);
    const older = await json("GET", `${PATH}/audit?limit=1&after_id=${after}`);
    expect(Number((older["data"] as Json[])[0]?.["id"])).toBeLessThan(Number(after));

    const audited = await weir.database.query<{ actor: string; action: string }>(
      "select actor, action from weir.audit_rows where object = $1 order by seq",
      [`spend_limit:${String(limit["id"])}`],
    );
    expect(audited.map(({ action }) => action)).toEqual([
      "spend_limit.upsert",
      "spend_limit.upsert",
      "spend_limit.delete",
    ]);
    expect(new Set(audited.map(({ actor }) => actor))).toEqual(new Set(["admin-key:ci"]));
  });

  it("is refused, and not made, when the audit cannot be written", async () => {
    await weir.database.query("alter table weir.audit_rows rename to audit_rows_away");
    try {
      const refused = await call("POST", PATH, { body: { scope: { type: "organization" }, amount: "0" } });
      expect(refused.status).toBe(503);
      expect(jsonOf(refused)).toMatchObject({ error: { message: expect.stringContaining("Nothing was changed") } });
    } finally {
      await weir.database.query("alter table weir.audit_rows_away rename to audit_rows");
    }
    const { data } = await json("GET", `${PATH}?scope_type=organization`);
    expect(data).toEqual([]);
  });
});
