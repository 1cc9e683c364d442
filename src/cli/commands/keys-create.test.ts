import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { KeyRing } from "../../identity/key-ring.ts";
import { CliFixture, NOON_MS, ORGANIZATION } from "../testing/cli-fixture.ts";

let weir: CliFixture;
beforeEach(async () => {
  weir = await CliFixture.create();
});
afterEach(async () => weir[Symbol.asyncDispose]());

/** The only secret in a text. */
function secretIn(text: string): string {
  const found = new Set(text.match(/wr-(prod|test|dev|ci)-[\w-]{43}/g));
  expect(found.size).toBe(1);
  return [...found][0] ?? "";
}

describe("weir keys create", () => {
  it("creates a key that the gateway takes, and shows it with the two lines for Claude Code", async () => {
    const run = await weir.run("keys create --name laptop");
    expect(run.exitCode).toBe(0);
    const secret = secretIn(run.out);
    expect(run.out).toContain(
      `  export ANTHROPIC_BASE_URL=http://127.0.0.1:8080\n  export ANTHROPIC_AUTH_TOKEN=${secret}\n`,
    );
    const ring = new KeyRing(weir.hasher);
    ring.replace(await weir.records.load());
    expect(ring.authenticate(secret, NOON_MS).key).toMatchObject({
      name: "laptop",
      keyClass: "dev",
      expiresAtMs: null,
    });
  });

  it("writes down everything that the options say", async () => {
    await weir.records.createTeam({ id: "team_1", organizationId: "org_1", name: "platform", status: "active" });
    const run = await weir.run(
      "keys create --name build --class ci --team platform --models claude-haiku-*,claude-opus-5 --endpoints messages,count_tokens " +
        "--addresses 10.0.0.0/8 --addresses 2001:db8::1 --expires 90d --rpm 60 --tpm 100000 --concurrency 4 " +
        "--budget-day 5 --budget-week $20.50 --budget-month 75 --budget-total 500",
    );
    expect(run).toMatchObject({ exitCode: 0, err: "" });
    const { keys, budgets } = await weir.records.load();
    expect(keys).toEqual([
      expect.objectContaining({
        keyClass: "ci",
        teamId: "team_1",
        userId: null,
        scopes: {
          models: ["claude-haiku-*", "claude-opus-5"],
          endpoints: ["messages", "count_tokens"],
          addresses: ["10.0.0.0/8", "2001:db8::1"],
        },
        limits: { requestsPerMinute: 60, tokensPerMinute: 100_000, maxConcurrent: 4 },
        expiresAtMs: Date.parse("2027-02-18T12:00:00Z"),
      }),
    ]);
    const written = budgets.map(({ scope, subjectId, window, limitMicroUsd, enforcement }) => [
      scope,
      subjectId === keys[0]?.id,
      window,
      limitMicroUsd,
      enforcement,
    ]);
    expect(written).toEqual([
      ["key", true, "day", 5_000_000, "hard"],
      ["key", true, "week", 20_500_000, "hard"],
      ["key", true, "month", 75_000_000, "hard"],
      ["key", true, "total", 500_000_000, "hard"],
    ]);
  });

  it("gives --json everything in one document, the secret once", async () => {
    const run = await weir.run("keys create --name laptop --user ada --email ada@example.com --budget-month 50 --json");
    const document = run.json();
    const secret = String(document["secret"]);
    expect(document).toMatchObject({
      key: {
        name: "laptop",
        class: "dev",
        hint: secret.slice(0, "wr-dev-xxxx".length),
        status: "active",
        user: { name: "ada", email: "ada@example.com" },
        budgets: [{ window: "month", limit_usd: "50.00", enforcement: "hard" }],
      },
      env: { ANTHROPIC_BASE_URL: "http://127.0.0.1:8080", ANTHROPIC_AUTH_TOKEN: secret },
      saved_to: null,
    });
    expect(JSON.stringify(await weir.records.load())).not.toContain(secret);
  });

  it("names the public URL where there is one", async () => {
    await weir.writeConfig("listen:\n  public_url: https://weir.example.com\n  trusted_proxies: [10.0.0.0/8]\n");
    expect((await weir.run("keys create --name x")).out).toContain("ANTHROPIC_BASE_URL=https://weir.example.com\n");
  });

  it("creates a user when an address is given, and finds it by name, address or id afterwards", async () => {
    await weir.run("keys create --name one --user ada --email ada@example.com");
    const [user] = (await weir.records.load()).users;
    expect(user).toMatchObject({ name: "ada", email: "ada@example.com", organizationId: "org_1" });
    for (const wanted of ["ada", "ADA", "ada@example.com", user?.id]) {
      expect((await weir.run(`keys create --name again --user ${wanted}`)).exitCode).toBe(0);
    }
    const { users, keys } = await weir.records.load();
    expect(users).toHaveLength(1);
    expect(keys.map(({ userId }) => userId)).toEqual(Array.from({ length: 5 }, () => user?.id));
  });

  it.each([
    ["--user ada", "there is no user", "Add --email with the address to create the user."],
    ["--team plat", "there is no team", 'Did you mean "platform"? Add --create-team to create it.'],
    ["--email ada@example.com", "--email belongs to a user", "Add --user"],
    ["--create-team", "does not say which team", "Add --team"],
    ["--user grace --email other@example.com", 'user "grace" exists and has the address', "Leave out --email"],
    ["--user new --email GRACE@example.com", 'is the address of user "grace" already', '--user "grace"'],
    ["--user mallory", 'user "mallory" is revoked', "Choose another user."],
    ["--org acne", "there is no organisation", 'Did you mean "acme"? There are: "acme".'],
    ["--expires 2026-11-20", "--expires is in the past", "Give a date in the future"],
  ])("given %s, refuses and writes nothing", async (options, message, remedy) => {
    const team = { id: "team_1", organizationId: "org_1", name: "platform", status: "active" } as const;
    const user = { organizationId: "org_1", teamId: null, email: "grace@example.com", status: "active" } as const;
    await weir.records.createTeam(team);
    await weir.records.createUser({ ...user, id: "usr_1", name: "grace" });
    await weir.records.createUser({ ...user, id: "usr_2", name: "mallory", email: null, status: "revoked" });
    const before = await weir.records.load();
    const run = await weir.run(`keys create --name x ${options}`);
    expect(run.exitCode).toBe(2);
    expect(run.err).toContain(message);
    expect(run.err).toContain(remedy);
    expect(await weir.records.load()).toEqual(before);
  });

  it.each([
    ["--models claude;rm", "is no model name"],
    ["--endpoints mesages", "did you mean messages?"],
    ["--addresses 10.0.0.0/33", "is no IP address or CIDR range"],
    ["--addresses ,", "without empty entries"],
    ["--expires soon", "Write a span (90d, 1y) or a date"],
    ["--budget-day 0", "Write a positive amount in US dollars"],
    ["--budget-day 1.1234567", "six decimals"],
    ["--rpm 0", "Write a whole number from 1"],
    ["--rpm 1e3", "Write a whole number from 1"],
    ["--user x --email nobody", "Write an e-mail address"],
    ["--class production", "Allowed choices are prod, test, dev, ci."],
  ])("given %s, names the option and what it takes", async (options, message) => {
    const run = await weir.run(`keys create --name x ${options}`);
    expect(run.exitCode).toBe(2);
    expect(run.err).toContain(message);
    expect((await weir.records.load()).keys).toEqual([]);
  });

  it("asks which organisation when there are several, and says when there is none", async () => {
    await weir.records.createOrganization({ ...ORGANIZATION, id: "org_2", name: "globex" });
    const run = await weir.run("keys create --name x --json");
    expect(run.exitCode).toBe(2);
    expect(run.json()).toMatchObject({
      error: { code: "ambiguous", candidates: [{ name: "acme" }, { name: "globex" }] },
    });
    expect((await weir.run("keys create --name x --org globex")).exitCode).toBe(0);
    await using empty = await CliFixture.create({ isEmpty: true });
    expect(await empty.run("keys create --name x")).toMatchObject({
      exitCode: 3,
      err: expect.stringContaining("Start Weir once"),
    });
  });

  it("warns of a model pattern that matches nothing known, and knows configured models", async () => {
    await weir.writeConfig("models:\n  - id: house-model\n    upstream_model: { sandbox: x }\n");
    const run = await weir.run("keys create --name x --models claude-hiaku-*,house-*");
    expect(run).toMatchObject({ exitCode: 0, err: "warning: no model that Weir knows matches claude-hiaku-*\n" });
  });

  it("with --save also stores the secret for this user alone, in place of a former one", async () => {
    const file = path.join(weir.directory, ".config", "weir", "key");
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, "old");
    await chmod(file, 0o644);
    const run = await weir.run("keys create --name laptop --save");
    expect(await readFile(file, "utf8")).toBe(`${secretIn(run.out)}\n`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(run.err).toContain(`Stored in ${file}`);
  });

  it("shows the secret even when it cannot be stored", async () => {
    await writeFile(path.join(weir.directory, ".config"), "not a directory");
    const run = await weir.run("keys create --name laptop --save");
    expect(run.exitCode).toBe(3);
    expect(run.err).toContain("cannot be stored");
    secretIn(run.out);
  });
});
