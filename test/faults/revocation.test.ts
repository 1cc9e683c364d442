/** Promise 14: revocation is real. Whoever revokes, in whatever process, a running Weir refuses within a second. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import { IdGenerator } from "../../src/core/id.ts";
import { hintOfSecret, KeyHasher, newKeySecret } from "../../src/identity/key-secret.ts";
import type { DirectoryStore, KeyRecord } from "../../src/store/ports/directory.ts";
import { FakeUpstream } from "../harness/fake-upstream.ts";
import { noteFigure } from "../harness/figures.ts";
import { ask, jsonOf, LiveAnswer, type HttpAnswer } from "../harness/http-answer.ts";
import { messageBody, messageHeaders } from "../harness/message-request.ts";
import { eventually } from "../harness/waiting.ts";
import { WeirProcess } from "../harness/weir-process.ts";

interface Person {
  readonly teamId: string;
  readonly userId: string;
  readonly keyId: string;
  readonly secret: string;
}

const ids = new IdGenerator(systemClock);
let upstream: FakeUpstream;
let weir: WeirProcess;

beforeAll(async () => {
  upstream = await FakeUpstream.start();
  weir = await WeirProcess.start({ upstreamUrl: upstream.url });
});
afterAll(async () => {
  await weir.dispose();
  await upstream.stop();
});

function inDirectory<T>(work: (directory: DirectoryStore) => Promise<T>): Promise<T> {
  return weir.database.withStore((store) => work(store.directory));
}

/** A user in a team of their own, with a key that Weir already knows. */
async function newPerson(): Promise<Person> {
  const pepper = (await readFile(join(weir.dataDir, "key-pepper"), "utf8")).trim();
  const secret = newKeySecret("dev");
  const person = { teamId: ids.next("team"), userId: ids.next("usr"), keyId: ids.next("key"), secret };
  await inDirectory(async (directory) => {
    const { organizations, keys } = await directory.load();
    const organizationId = organizations[0]!.id;
    const { teamId, userId, keyId } = person;
    await directory.createTeam({ id: teamId, organizationId, name: teamId, status: "active" });
    const user = { id: userId, organizationId, teamId, name: userId, email: null, status: "active" } as const;
    await directory.createUser(user);
    const key: KeyRecord = {
      ...keys[0]!,
      id: keyId,
      teamId: null,
      userId,
      name: keyId,
      hmac: new KeyHasher(pepper).hmac(secret),
      hint: hintOfSecret(secret),
    };
    await directory.createKey(key);
  });
  await eventually("Weir knows the key", async () => (await post(secret)).status === 200);
  return person;
}

function post(secret: string): Promise<HttpAnswer> {
  return ask(`${weir.url}/v1/messages`, { headers: messageHeaders(secret), body: messageBody() });
}

const REVOCATIONS: readonly (readonly [string, RegExp, (d: DirectoryStore, p: Person) => Promise<boolean>])[] = [
  ["key", /key has been revoked/, (directory, { keyId }) => directory.revokeKey(keyId, Date.now())],
  ["user", /user of this key has been revoked/, (directory, { userId }) => directory.setStatus("user", userId, "revoked")],
  ["team", /team of this key has been revoked/, (directory, { teamId }) => directory.setStatus("team", teamId, "revoked")],
];

describe.each(REVOCATIONS)("revoking a %s from another process", (what, message, revoke) => {
  it("makes every new request with it a 401, on connections that are open too", async () => {
    const person = await newPerson();
    expect(await inDirectory((directory) => revoke(directory, person))).toBe(true);
    const revokedAtMs = performance.now();
    const refusal = await eventually("the key is refused", async () => {
      const answer = await post(person.secret);
      return answer.status === 200 ? null : answer;
    });
    noteFigure(14, `${what} refused after, ms`, { ms: Math.round(performance.now() - revokedAtMs) });
    expect(refusal.status).toBe(401);
    expect(refusal.headers["x-should-retry"]).toBe("false");
    expect(jsonOf(refusal)).toMatchObject({
      error: { type: "authentication_error", message: expect.stringMatching(message) },
    });
    for (const path of ["/v1/models", "/v1/messages/count_tokens"]) {
      const body = path === "/v1/models" ? undefined : messageBody();
      expect((await ask(weir.url + path, { headers: messageHeaders(person.secret), body })).status).toBe(401);
    }
    // Nobody else is touched.
    expect((await post(weir.key)).status).toBe(200);
  });
});

describe("what a revocation does not touch", () => {
  it("is an answer that is being given: it ends whole, and is charged", async () => {
    const person = await newPerson();
    const goOn = Promise.withResolvers<void>();
    upstream.reply({ kind: "stream", before: (index) => (index === 3 ? goOn.promise : undefined) });
    const headers = messageHeaders(person.secret, { "x-claude-code-session-id": "running" });
    const body = messageBody({ stream: true });
    const live = await LiveAnswer.open(`${weir.url}/v1/messages`, { headers, body });
    await live.events(3);
    await inDirectory((directory) => directory.revokeKey(person.keyId, Date.now()));
    await eventually("the key is refused", async () => (await post(person.secret)).status === 401);
    goOn.resolve();
    expect(await live.ended).toBe(true);
    await weir.entries((rows) => rows.some((row) => row.sessionId === "running" && row.outcome === "complete"));
  });
});

describe("a revocation while Weir cannot hear of it", () => {
  it("counts as soon as it can: the listening connection was lost, and the key is refused after", async () => {
    const person = await newPerson();
    // Cuts every connection that Weir has, and revokes in the gap.
    await weir.database.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'weir' and pid <> pg_backend_pid()");
    await inDirectory((directory) => directory.revokeKey(person.keyId, Date.now()));
    await sleep(0);
    expect((await eventually("the key is refused", async () => {
      const answer = await post(person.secret);
      return answer.status === 200 ? null : answer;
    })).status).toBe(401);
  });
});
