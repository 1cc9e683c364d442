/** Promise 15: no secret in any sink. Canaries in every field and on every error path, then a look at all that Weir wrote. */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { answerAsAsked, FakeUpstream } from "../harness/fake-upstream.ts";
import { noteFigure } from "../harness/figures.ts";
import { ask, LiveAnswer, type HttpAnswer } from "../harness/http-answer.ts";
import { messageBody, messageHeaders } from "../harness/message-request.ts";
import { eventually } from "../harness/waiting.ts";
import { UPSTREAM_KEY, WeirProcess } from "../harness/weir-process.ts";

/** Texts that occur nowhere else. */
const secret = (name: string): string => `${name}${randomBytes(12).toString("hex")}`;
const PEPPER = secret("pepper-") + secret("");
const BODY = secret("prompt-");
const HEADER = secret("header-");
const COOKIE = secret("cookie-");
const QUERY = secret("query-");
const UNKNOWN_KEY = `wr-prod-${randomBytes(32).toString("base64url")}`;
const FOREIGN_TOKEN = `sk-ant-oat01-${randomBytes(24).toString("base64url")}`;
const UPSTREAM_TEXT = secret("upstream-error-");

/** Extra headers of every request: some go upstream, none into a record. */
const HEADERS = {
  "anthropic-beta": `beta-${HEADER}`,
  "anthropic-custom": HEADER,
  "x-custom": HEADER,
  cookie: `session=${COOKIE}`,
  "proxy-authorization": `Basic ${COOKIE}`,
  "user-agent": `agent/${HEADER}`,
};

let upstream: FakeUpstream;
let weir: WeirProcess;
let secrets: Readonly<Record<string, string>>;
const answers: HttpAnswer[] = [];

beforeAll(async () => {
  upstream = await FakeUpstream.start();
  weir = await WeirProcess.start({
    upstreamUrl: upstream.url,
    config: { security: { key_pepper: PEPPER }, timeouts: { upstream_ttfb_ms: 400, upstream_idle_ms: 400 } },
  });
  secrets = {
    "the caller's key": weir.key,
    "an unknown key": UNKNOWN_KEY,
    "a foreign token": FOREIGN_TOKEN,
    "the upstream's key": UPSTREAM_KEY,
    "the pepper": PEPPER,
    "the database's password": readFileSync(join(weir.dataDir, "postgres.password"), "utf8").trim(),
    "a prompt": BODY,
    "a header's value": HEADER,
    "a cookie": COOKIE,
    "a query": QUERY,
  };
  await walkEveryPath();
});
afterAll(async () => {
  await weir.dispose();
  await upstream.stop();
});

const canaryBody = (changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> =>
  messageBody({ messages: [{ role: "user", content: BODY }], system: BODY, metadata: { user_id: BODY }, ...changes });

async function post(
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  path = "/v1/messages",
): Promise<void> {
  const all = { ...messageHeaders(weir.key), ...HEADERS, ...headers };
  answers.push(await ask(`${weir.url}${path}?beta=${QUERY}`, { headers: all, body }));
}

/** Goes wrong in every way that a request can. */
async function walkEveryPath(): Promise<void> {
  await post(canaryBody());
  await post(canaryBody({ stream: true }));
  await post(canaryBody(), {}, "/v1/messages/count_tokens");
  await post(canaryBody(), {}, `/nothing/${QUERY.slice(0, 3)}`);
  await post(`{"model":"${BODY}`);
  await post(canaryBody({ max_tokens: BODY }));
  await post(canaryBody({ stream: BODY }));
  await post(canaryBody({ messages: BODY }));
  await post({ prompt: BODY, unheard_of: BODY }, {}, "/api/claude/chat");
  await post(canaryBody(), { "content-type": `text/plain; x=${HEADER}` });
  await post(canaryBody(), { "content-encoding": "gzip" });
  await post(canaryBody(), { "x-api-key": UNKNOWN_KEY });
  await post(canaryBody(), { "x-api-key": "", authorization: `Bearer ${FOREIGN_TOKEN}` });
  await post(canaryBody(), { "x-api-key": "", authorization: `Basic ${FOREIGN_TOKEN}` });
  for (const status of [400, 401, 403, 404, 429, 500, 529]) {
    // Weir asks again after some of them: every answer is the same.
    upstream.otherwise({ kind: "whole", status, body: { error: { message: `${UPSTREAM_TEXT} ${UPSTREAM_KEY}` } } });
    await post(canaryBody());
  }
  upstream.otherwise(answerAsAsked);
  upstream.reply({ kind: "reset" }, { kind: "silent" });
  await post(canaryBody());
  await post(canaryBody());
  for (const how of ["destroy", "end", "error", "hang"] as const) {
    upstream.reply({ kind: "stream", cut: { afterEvents: 4, how } });
    await post(canaryBody({ stream: true }));
  }
  upstream.reply({ kind: "stream", cut: { afterEvents: 3, how: "hang" } });
  const headers = { ...messageHeaders(weir.key), ...HEADERS };
  const leaving = await LiveAnswer.open(`${weir.url}/v1/messages`, { headers, body: canaryBody({ stream: true }) });
  await leaving.events(2);
  leaving.leave("reset");
  const { port } = new URL(weir.url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.write(`POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: ${weir.key}\r\nx-bad\0: ${HEADER}\r\n\r\n${BODY}`);
  await readText(socket);
  // PostgreSQL goes away, and comes back; the configuration breaks, with a secret in it, and is mended.
  await weir.database.kill();
  await eventually("another PostgreSQL runs", async () => (await weir.database.pid()) !== null);
  await weir.configure({ config: { upstreams: [{ provider: "anthropic", auth: { api_keyy: UPSTREAM_KEY } }] } });
  await eventually("the broken configuration was noticed", () => weir.log.includes("api_keyy"));
}

/** Every place where a secret could have been written, with all that is in it. */
async function sinks(): Promise<Record<string, string>> {
  const pages = ["/metrics", "/status", "/readyz", "/healthz"].map(async (path) => {
    const answer = await ask(weir.adminUrl + path);
    return [`admin ${path}`, answer.body.toString("utf8")] as const;
  });
  const open = ["/", "/health", "/readyz", "/api/claude/health"].map(async (path) => {
    const answer = await ask(weir.url + path);
    return [path, answer.body.toString("utf8")] as const;
  });
  const journal = join(weir.dataDir, "journal");
  const files = readdirSync(journal, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
  return {
    "the log": weir.log,
    "the journal": files.join("\n"),
    "the database": await weir.database.dump(),
    "PostgreSQL's log": readFileSync(postgresLog(), "latin1"),
    "the command line": readFileSync(`/proc/${weir.pid}/cmdline`, "latin1"),
    ...Object.fromEntries(await Promise.all([...pages, ...open])),
  };
}

function postgresLog(): string {
  const found = readdirSync(weir.dataDir, { recursive: true, encoding: "utf8" }).find((name) =>
    /postgres.*\.log$/.test(name),
  );
  if (found === undefined) throw new Error("PostgreSQL has no log file");
  return join(weir.dataDir, found);
}

/** Which secrets a text holds, also in part: beyond the beginning, by which people may recognise a key. */
function leaks(text: string): string[] {
  return Object.entries(secrets)
    .filter(([, value]) => [value.slice(12, 28), value.slice(-16)].some((part) => text.includes(part)))
    .map(([name]) => name);
}

describe("after every field and every error path has carried secrets", () => {
  it("the paths were really walked", () => {
    const statuses = answers.map((answer) => answer.status);
    expect(new Set(statuses)).toEqual(new Set([200, 400, 401, 403, 404, 415, 429, 500, 502, 504, 529]));
    // The instrument works: what must reach the upstream did, secrets and all.
    const seen = upstream.requests
      .map(({ body, rawHeaders }) => body.toString("utf8") + rawHeaders.join("\n"))
      .join("\n");
    expect(leaks(seen).sort()).toEqual(["a header's value", "a prompt", "the upstream's key"]);
  });

  it("none stands in the log, journal, database, metrics, status and health pages, or command line", async () => {
    await weir.entries((rows) => rows.some((row) => row.outcome === "client_gone"));
    await eventually("the log has the last exchange", () => weir.log.includes('"outcome":"client_gone"'));
    const found = Object.entries(await sinks()).flatMap(([sink, text]) =>
      leaks(text).map((name) => `${name} in ${sink}`),
    );
    expect(found).toEqual([]);
    noteFigure(15, "sinks", {
      secrets: Object.keys(secrets).length,
      sinks: Object.keys(await sinks()).length,
      hits: 0,
    });
  });

  it("none of Weir's stands in an error that a caller got", () => {
    const errors = answers.filter((answer) => answer.status >= 400);
    // What an upstream says of itself is passed on verbatim: that is its own to keep.
    const own = errors.filter((answer) => !answer.body.includes(UPSTREAM_TEXT));
    expect(own.length).toBeGreaterThan(12);
    const found = own.flatMap((answer) =>
      leaks(`${answer.body.toString("utf8")}\n${JSON.stringify(answer.headers)}`).map(
        (name) => `${name}: ${answer.status}`,
      ),
    );
    expect(found).toEqual([]);
  });

  it("an upstream's error text is in no record either", async () => {
    for (const [sink, text] of Object.entries(await sinks())) expect(text.includes(UPSTREAM_TEXT), sink).toBe(false);
  });

  it("the key is shown once, at the start that made it, and never again", async () => {
    expect(weir.stdout.split(weir.key).length - 1).toBe(1);
    await weir.end();
    await weir.configure({ upstreamUrl: upstream.url, config: { security: { key_pepper: PEPPER } } });
    await weir.begin();
    expect(weir.stdout).not.toContain(weir.key);
  });
});
