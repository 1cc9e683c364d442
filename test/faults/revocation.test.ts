/** Promise 14: revocation is real. Whoever revokes, in whatever process, a running Weir refuses within a second. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { DirectoryStore } from "../../src/store/ports/directory.ts";
import { FakeUpstream } from "../harness/fake-upstream.ts";
import { noteFigure } from "../harness/figures.ts";
import { ask, jsonOf, LiveAnswer, type HttpAnswer } from "../harness/http-answer.ts";
import { messageBody, messageHeaders } from "../harness/message-request.ts";
import { eventually } from "../harness/waiting.ts";
import { inDirectory, newPerson, type Person } from "../harness/weir-people.ts";
import { WeirProcess } from "../harness/weir-process.ts";

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

function post(secret: string): Promise<HttpAnswer> {
  return ask(`${weir.url}/v1/messages`, { headers: messageHeaders(secret), body: messageBody() });
}

const REVOCATIONS: readonly (readonly [string, RegExp, (d: DirectoryStore, p: Person) => Promise<boolean>])[] = [
  ["key", /key has been revoked/, (directory, { keyId }) => directory.revokeKey(keyId, Date.now())],
  [
    "user",
    /user of this key has been revoked/,
    (directory, { userId }) => directory.setStatus("user", userId, "revoked"),
  ],
  [
    "team",
    /team of this key has been revoked/,
    (directory, { teamId }) => directory.setStatus("team", teamId, "revoked"),
  ],
];

describe.each(REVOCATIONS)("revoking a %s from another process", (what, message, revoke) => {
  it("makes every new request with it a 401, on connections that are open too", async () => {
    const person = await newPerson(weir);
    const revokedAtMs = performance.now();
    expect(await inDirectory(weir, (directory) => revoke(directory, person))).toBe(true);
    const refusal = await eventually("the key is refused", async () => {
      const answer = await post(person.secret);
      return answer.status === 200 ? null : answer;
    });
    noteFigure(14, `${what} refused, ms from before the call`, { ms: Math.round(performance.now() - revokedAtMs) });
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

describe("`weir keys revoke`, a process of its own", () => {
  it("makes the key a 401 in the running Weir", async () => {
    const person = await newPerson(weir);
    const { stdout } = await weir.command("keys", "revoke", person.keyId, "--yes", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ changed: true });
    const revokedAtMs = performance.now();
    await eventually("the key is refused", async () => (await post(person.secret)).status === 401);
    noteFigure(14, "refused after the command's end, ms", { ms: Math.round(performance.now() - revokedAtMs) });
  });
});

describe("what a revocation does not touch", () => {
  it("is an answer that is being given: it ends whole, and is charged", async () => {
    const person = await newPerson(weir);
    const goOn = Promise.withResolvers<void>();
    upstream.reply({ kind: "stream", before: (index) => (index === 3 ? goOn.promise : undefined) });
    const headers = messageHeaders(person.secret, { "x-claude-code-session-id": "running" });
    const body = messageBody({ stream: true });
    const live = await LiveAnswer.open(`${weir.url}/v1/messages`, { headers, body });
    await live.events(3);
    await inDirectory(weir, (directory) => directory.revokeKey(person.keyId, Date.now()));
    await eventually("the key is refused", async () => (await post(person.secret)).status === 401);
    goOn.resolve();
    expect(await live.ended).toBe(true);
    await weir.entries((rows) => rows.some((row) => row.sessionId === "running" && row.outcome === "complete"));
  });
});

describe("a revocation while Weir cannot hear of it", () => {
  it("counts as soon as it can: the listening connection was lost, and the key is refused after", async () => {
    const person = await newPerson(weir);
    // Cuts every connection that Weir has, and revokes in the gap.
    await weir.database.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'weir' and pid <> pg_backend_pid()",
    );
    await inDirectory(weir, (directory) => directory.revokeKey(person.keyId, Date.now()));
    expect(
      (
        await eventually("the key is refused", async () => {
          const answer = await post(person.secret);
          return answer.status === 200 ? null : answer;
        })
      ).status,
    ).toBe(401);
  });
});
