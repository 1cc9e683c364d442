import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { KeyRecord } from "../../store/ports/directory.ts";
import { CliFixture, NOON_MS } from "../testing/cli-fixture.ts";

const DAY_MS = 86_400_000;
const SECRET = `wr-prod-${"a".repeat(43)}`;

let weir: CliFixture;
beforeEach(async () => {
  weir = await CliFixture.create();
});
afterEach(async () => weir[Symbol.asyncDispose]());

async function addKey(id: string, facts: Partial<KeyRecord> = {}): Promise<KeyRecord> {
  const key: KeyRecord = {
    id,
    organizationId: "org_1",
    teamId: null,
    userId: null,
    name: id,
    keyClass: "prod",
    hmac: `hmac of ${id}`,
    hint: `wr-prod-${id.slice(-4)}`,
    scopes: { models: ["claude-haiku-*"], endpoints: [], addresses: [] },
    limits: { requestsPerMinute: 60, tokensPerMinute: null, maxConcurrent: null },
    createdAtMs: NOON_MS - 10 * DAY_MS,
    expiresAtMs: null,
    revokedAtMs: null,
    replacesKeyId: null,
    ...facts,
  };
  await weir.records.createKey(key);
  return key;
}

async function keyNow(id: string): Promise<KeyRecord | undefined> {
  return (await weir.records.load()).keys.find((key) => key.id === id);
}

describe("weir keys list", () => {
  beforeEach(async () => {
    await weir.records.createTeam({ id: "team_1", organizationId: "org_1", name: "platform", status: "active" });
    const user = { organizationId: "org_1", email: null, status: "active" } as const;
    await weir.records.createUser({ ...user, id: "usr_1", teamId: "team_1", name: "ada" });
    await weir.records.createUser({ ...user, id: "usr_2", teamId: null, name: "bob", status: "revoked" });
    await addKey("key_aaaa", { name: "laptop", userId: "usr_1", keyClass: "dev", createdAtMs: NOON_MS - DAY_MS });
    await addKey("key_bbbb", { name: "build", keyClass: "ci", expiresAtMs: NOON_MS + 12.5 * DAY_MS });
    await addKey("key_cccc", { name: "old", expiresAtMs: NOON_MS - 3 * DAY_MS });
    await addKey("key_dddd", { name: "leaked", revokedAtMs: NOON_MS - 3_600_000 });
    await addKey("key_eeee", { name: "bobs", userId: "usr_2" });
  });

  it("shows active keys, newest first, and says how many it does not show", async () => {
    const run = await weir.run("keys list");
    expect(run.exitCode).toBe(0);
    expect(run.out.split("\n")).toEqual([
      "KEY            NAME    CLASS  USER  TEAM      STATUS           CREATED     ID",
      "wr-prod-aaaa…  laptop  dev    ada   platform  active           2026-11-19  key_aaaa",
      "wr-prod-bbbb…  build   ci     –     –         expires in 12 d  2026-11-10  key_bbbb",
      "3 expired or revoked not shown; --all shows them",
      "",
    ]);
  });

  it("shows all with their states on request", async () => {
    const { out } = await weir.run("keys list --all");
    expect(out).toMatch(/old .* expired 3 d ago/);
    expect(out).toMatch(/leaked .* revoked 1 h ago/);
    expect(out).toMatch(/bobs .* revoked \(user\)/);
  });

  it.each([
    ["--class ci", ["build"]],
    ["--user ADA", ["laptop"]],
    ["--team platform", ["laptop"]],
    ["--status expired", ["old"]],
    ["--status revoked", ["bobs", "leaked"]],
    ["--all --class prod", ["bobs", "leaked", "old"]],
    ["--user ada --class ci", []],
  ])("given %s, shows %j", async (options, names) => {
    const { keys } = (await weir.run(`keys list ${options} --json`)).json();
    // The document's shape is asserted below.
    expect((keys as { name: string }[]).map(({ name }) => name).sort()).toEqual(names);
  });

  it("given a user that does not exist, says whom there is", async () => {
    const run = await weir.run("keys list --user adda");
    expect(run).toMatchObject({ exitCode: 2, err: expect.stringContaining('Did you mean "ada"?') });
  });

  it("gives --json the facts in fields, and neither secret nor hash", async () => {
    const run = await weir.run("keys list --status revoked --json");
    expect(run.json()).toEqual({
      keys: [
        expect.objectContaining({ name: "bobs", status: "revoked", revoked_by: "user", revoked_at: null }),
        expect.objectContaining({
          id: "key_dddd",
          status: "revoked",
          revoked_by: "key",
          revoked_at: "2026-11-20T11:00:00.000Z",
          limits: { requests_per_minute: 60, tokens_per_minute: null, max_concurrent_requests: null },
        }),
      ],
      hidden: 3,
    });
    expect(run.out).not.toContain("hmac");
  });

  it("colours states on a terminal only, and fits the table to it", async () => {
    const { out } = await weir.run("keys list --all", { isTty: true, hasColors: true, columns: 200 });
    expect(out).toContain("\u001b[32mactive");
    expect((await weir.run("keys list --all")).out).not.toContain("\u001b");
  });

  it("says so when there is nothing", async () => {
    expect((await weir.run("keys list --user ada --class ci")).out).toContain("No such keys.");
    await using fresh = await CliFixture.create();
    expect((await fresh.run("keys list")).out).toBe("No keys yet. `weir keys create` makes one.\n");
  });
});

describe("weir keys revoke", () => {
  beforeEach(async () => {
    await addKey("key_aaaa", { name: "laptop", hmac: weir.hasher.hmac(SECRET) });
    await addKey("key_bbbb", { name: "build" });
  });

  it.each([["key_aaaa"], ["wr-prod-aaaa"], ["wr-prod-aaaa…"], ["laptop"], [SECRET]])(
    "finds the key by %s and revokes it now",
    async (wanted) => {
      const run = await weir.run(["keys", "revoke", wanted]);
      expect(run).toMatchObject({ exitCode: 0, err: "" });
      expect(run.out).toContain("Revoked key laptop (wr-prod-aaaa…, key_aaaa)");
      expect(run.out).not.toContain(SECRET);
      expect((await keyNow("key_aaaa"))?.revokedAtMs).toBe(NOON_MS);
      expect((await keyNow("key_bbbb"))?.revokedAtMs).toBeNull();
    },
  );

  it("tells whoever listens to the directory, so that running gateways refuse the key at once", async () => {
    const told = new Promise<void>((resolve) => void weir.records.subscribe(resolve));
    await weir.run("keys revoke laptop");
    await told;
  });

  it("given a name that several keys have, lists them and revokes none", async () => {
    await addKey("key_cccc", { name: "laptop", expiresAtMs: NOON_MS + DAY_MS });
    const run = await weir.run("keys revoke laptop");
    expect(run.exitCode).toBe(2);
    expect(run.err).toMatch(/may be any of 2 keys:\n {2}key_aaaa .*active\)\n {2}key_cccc .*expires in 1 d\)/);
    expect((await weir.run("keys revoke laptop --json")).json()).toMatchObject({
      error: { code: "ambiguous", candidates: [{ id: "key_aaaa" }, { id: "key_cccc" }] },
    });
    expect((await weir.records.load()).keys.every(({ revokedAtMs }) => revokedAtMs === null)).toBe(true);
  });

  it("given a name of a revoked and of a valid key, means the valid one", async () => {
    await addKey("key_cccc", { name: "laptop", revokedAtMs: NOON_MS - DAY_MS });
    expect((await weir.run("keys revoke laptop")).exitCode).toBe(0);
    expect((await keyNow("key_aaaa"))?.revokedAtMs).toBe(NOON_MS);
  });

  it("given a key that is revoked already, says since when and changes nothing", async () => {
    await weir.run("keys revoke laptop");
    weir.clock.advance(DAY_MS);
    const run = await weir.run("keys revoke laptop --json");
    expect(run.exitCode).toBe(0);
    expect(run.json()).toMatchObject({ changed: false, key: { revoked_at: "2026-11-20T12:00:00.000Z" } });
    expect((await weir.run("keys revoke key_aaaa")).out).toContain("was revoked at 2026-11-20T12:00:00.000Z already");
  });

  it("given a name or secret that is unknown, says what was meant and repeats no secret", async () => {
    const named = await weir.run("keys revoke laptpo");
    expect(named).toMatchObject({ exitCode: 2, err: expect.stringContaining('Did you mean "laptop"?') });
    const unknown = `wr-dev-${"b".repeat(43)}`;
    const secret = await weir.run(["keys", "revoke", unknown]);
    expect(secret).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining("no key of this installation has that secret"),
    });
    expect(secret.err).not.toContain(unknown);
  });

  it("asks on a terminal, and does as it is told", async () => {
    const no = await weir.run("keys revoke laptop", { answers: [false] });
    expect(no).toMatchObject({ exitCode: 1, out: "" });
    expect(no.terminal.questions).toEqual([expect.stringContaining("Revoke key laptop (wr-prod-aaaa…, key_aaaa)?")]);
    expect((await weir.run("keys revoke laptop", { answers: [null] })).exitCode).toBe(130);
    expect((await keyNow("key_aaaa"))?.revokedAtMs).toBeNull();
    expect((await weir.run("keys revoke laptop", { answers: [true] })).exitCode).toBe(0);
    expect((await keyNow("key_aaaa"))?.revokedAtMs).toBe(NOON_MS);
  });

  it.each(["--yes", "-y", "--json"])("does not ask given %s", async (option) => {
    const run = await weir.run(`keys revoke laptop ${option}`, { answers: [] });
    expect(run.exitCode).toBe(0);
    expect(run.terminal.questions).toEqual([]);
  });
});

describe("weir keys rotate", () => {
  const budget = { organizationId: "org_1", scope: "key", window: "month", enforcement: "soft" } as const;

  beforeEach(async () => {
    await addKey("key_aaaa", { name: "laptop" });
    await weir.records.putBudget({ ...budget, id: "bud_1", subjectId: "key_aaaa", limitMicroUsd: 7_000_000 });
  });

  it("creates the same key anew, and lets the old one work for 24 hours", async () => {
    const document = (await weir.run("keys rotate laptop --json")).json();
    const { keys, budgets } = await weir.records.load();
    const fresh = keys.find(({ id }) => id !== "key_aaaa");
    const { id, hmac, hint, createdAtMs, replacesKeyId, ...same } = fresh ?? (await addKey("key_none"));
    expect(await keyNow("key_aaaa")).toMatchObject({ ...same, expiresAtMs: NOON_MS + DAY_MS });
    expect({ createdAtMs, replacesKeyId }).toEqual({ createdAtMs: NOON_MS, replacesKeyId: "key_aaaa" });
    expect(hmac).toBe(weir.hasher.hmac(String(document["secret"])));
    expect(document).toMatchObject({
      key: { id, hint, replaces: "key_aaaa" },
      env: { ANTHROPIC_AUTH_TOKEN: document["secret"] },
      replaced: { id: "key_aaaa", expires_at: "2026-11-21T12:00:00.000Z" },
    });
    expect(budgets.find(({ subjectId }) => subjectId === id)).toMatchObject({ ...budget, limitMicroUsd: 7_000_000 });
  });

  it("shows the secret and the two lines, and until when the old key works", async () => {
    const { out } = await weir.run("keys rotate laptop --overlap 7d");
    expect(out).toContain("which works until 2026-11-27T12:00:00.000Z.");
    expect(out).toMatch(/ {2}export ANTHROPIC_AUTH_TOKEN=wr-prod-[\w-]{43}\n/);
    expect(out).toContain("with spend starting at zero");
  });

  it("ends the old key at once given --overlap 0", async () => {
    expect((await weir.run("keys rotate laptop --overlap 0")).out).toContain("which has ended.");
    expect((await keyNow("key_aaaa"))?.expiresAtMs).toBe(NOON_MS);
  });

  it("never makes the old key live longer, and gives the new one the old one's lifetime", async () => {
    await addKey("key_bbbb", { name: "short", createdAtMs: NOON_MS - 29 * DAY_MS, expiresAtMs: NOON_MS + 3_600_000 });
    const document = (await weir.run("keys rotate short --json")).json();
    expect((await keyNow("key_bbbb"))?.expiresAtMs).toBe(NOON_MS + 3_600_000);
    expect(document).toMatchObject({
      key: { expires_at: new Date(NOON_MS + 29 * DAY_MS + 3_600_000).toISOString() },
      replaced: { expires_at: new Date(NOON_MS + 3_600_000).toISOString() },
    });
  });

  it("takes another expiry", async () => {
    const document = (await weir.run("keys rotate laptop --expires 2027-01-01 --json")).json();
    expect(document).toMatchObject({ key: { expires_at: "2027-01-01T00:00:00.000Z" } });
  });

  it.each([
    ["revoked", { revokedAtMs: NOON_MS - 1 }, "is not active: revoked"],
    ["expired", { expiresAtMs: NOON_MS - 1 }, "is not active: expired"],
  ])("refuses a key that is %s", async (_, facts, message) => {
    await addKey("key_bbbb", { name: "gone", ...facts });
    const run = await weir.run("keys rotate gone");
    expect(run).toMatchObject({ exitCode: 2, err: expect.stringContaining(message) });
    expect(run.err).toContain("weir keys create");
  });

  it("refuses a key that has been replaced already, and names the one to rotate", async () => {
    await weir.run("keys rotate laptop");
    const successor = (await weir.records.load()).keys.find(({ replacesKeyId }) => replacesKeyId === "key_aaaa");
    const run = await weir.run("keys rotate key_aaaa");
    expect(run).toMatchObject({ exitCode: 2, err: expect.stringContaining(`Rotate ${successor?.id} instead.`) });
  });
});
