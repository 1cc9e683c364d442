/** Beyond what it can serve: 529 with retry-after, people before batch, and each organisation its turn. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { hintOfSecret, KeyHasher, newKeySecret } from "../../../src/identity/key-secret.ts";
import { CLOUD_MODEL, cloudKind } from "../../harness/clouds/clouds.ts";
import { noteFigure } from "../../harness/figures.ts";
import { ask, jsonOf, type HttpAnswer } from "../../harness/http-answer.ts";
import { messageHeaders } from "../../harness/message-request.ts";
import { eventually } from "../../harness/waiting.ts";
import { inDirectory } from "../../harness/weir-people.ts";
import type { WeirProcess } from "../../harness/weir-process.ts";
import { MESSAGES } from "./client-format.ts";
import { Fleet } from "./fleet.ts";

const PLACES = 4;
const BATCH_PLACES = 3;
const MAX_QUEUED_PER_ORGANIZATION = 30;
const OVERLOAD = {
  limit: { initial: PLACES, min: PLACES, max: PLACES },
  max_queued_per_organization: MAX_QUEUED_PER_ORGANIZATION,
  max_queued: 100,
  interactive_wait_ms: 600_000,
  batch_wait_ms: 600_000,
  batch_share: BATCH_PLACES / PLACES,
  batch_turn_every: 5,
  // The queue stands for as long as the test holds it: not what is tested here.
  standing_queue: { target_ms: 600_000 },
};

let fleet: Fleet;
let weir: WeirProcess;
/** Lets the answers go, in the order in which their requests arrived. */
let gates: PromiseWithResolvers<void>[];

beforeAll(async () => {
  fleet = await Fleet.start([cloudKind("bedrock")]);
  weir = await fleet.weir({
    members: [{ name: "bedrock", kind: "bedrock", proxy: null, more: { timeouts: { ttfb_ms: 600_000 } } }],
    config: { overload: OVERLOAD, health: { probes: { enabled: false } } },
  });
});
beforeEach(() => {
  server().reset();
  gates = Array.from({ length: 100 }, () => Promise.withResolvers<void>());
  for (const { promise } of gates) server().nextFault({ kind: "late", by: promise });
});
afterEach(async () => {
  for (const { resolve } of gates) resolve();
  await eventually("all is over", async () => (await overload()).in_flight === 0);
});
afterAll(async () => {
  await weir.dispose();
  await fleet.stop();
});

function server() {
  return fleet.cloud("bedrock").server;
}

interface Asking {
  readonly name: string;
  readonly isBatch?: boolean;
  readonly key?: string;
}

function send({ name, isBatch = false, key = weir.key }: Asking): Promise<HttpAnswer> {
  const asking = { model: CLOUD_MODEL, text: `Reply with exactly: <${name}>`, isStream: false };
  const headers = messageHeaders(key, isBatch ? { "x-weir-urgency": "batch" } : {});
  const answer = ask(`${weir.url}/v1/messages`, { headers, body: MESSAGES.body(asking) });
  // Awaited later; a test that fails before has its own reason.
  answer.catch(() => {});
  return answer;
}

/** The names of what has arrived at the upstream, in order. */
function arrivals(): string[] {
  return server().requests.map(({ body }) => /<([^>]+)>/.exec(body.toString("utf8"))?.[1] ?? "");
}

interface OverloadPage {
  readonly overload: {
    readonly in_flight: number;
    readonly queued_interactive: number;
    readonly queued_batch: number;
    readonly shed: Readonly<Record<string, number>>;
  };
}

/** What Weir says of itself. */
async function overload(): Promise<OverloadPage["overload"]> {
  const answer = await ask(`${weir.adminUrl}/v1/routing`);
  return (jsonOf(answer) as OverloadPage).overload; // the page's own form
}

/** Sends one after the other, each once the one before has its place in the queue. */
async function queue(askings: readonly Asking[]): Promise<Promise<HttpAnswer>[]> {
  const { queued_interactive, queued_batch } = await overload();
  const answers: Promise<HttpAnswer>[] = [];
  for (const asking of askings) {
    answers.push(send(asking));
    const wanted = queued_interactive + queued_batch + answers.length;
    await eventually(`${asking.name} waits`, async () => {
      const now = await overload();
      return now.queued_interactive + now.queued_batch === wanted;
    });
  }
  return answers;
}

/** Takes all places. */
async function fill(): Promise<Promise<HttpAnswer>[]> {
  const holders = Array.from({ length: PLACES }, (_, number) => send({ name: `holder-${number}` }));
  await eventually("all places are taken", () => arrivals().length === PLACES);
  return holders;
}

/** Ends one exchange after the other, waiting each time for whoever gets its place; batch may not have the last one. */
async function drain(count: number): Promise<void> {
  for (let number = 0; number < count; number++) {
    gates[number]?.resolve();
    await eventually("the next has its place", async () => {
      const { in_flight, queued_interactive, queued_batch } = await overload();
      const places = queued_interactive > 0 || queued_batch === 0 ? PLACES : BATCH_PLACES;
      return arrivals().length === number + 1 + in_flight && in_flight >= Math.min(places, count - number - 1);
    });
  }
}

function named(name: string, count: number, more: Omit<Asking, "name"> = {}): Asking[] {
  return Array.from({ length: count }, (_, number) => ({ name: `${name}-${number}`, ...more }));
}

/** A key of its own; with `organization`, of a new organisation. */
async function newKey(id: string, organization: string | null = null): Promise<string> {
  const secret = newKeySecret("dev");
  const pepper = (await readFile(join(weir.dataDir, "key-pepper"), "utf8")).trim();
  await inDirectory(weir, async (directory) => {
    const { organizations, keys } = await directory.load();
    const own = { id, name: id, hmac: new KeyHasher(pepper).hmac(secret), hint: hintOfSecret(secret) };
    if (organization === null) {
      await directory.createKey({ ...keys[0]!, ...own });
      return;
    }
    await directory.createOrganization({ ...organizations[0]!, id: organization, name: organization });
    await directory.createKey({ ...keys[0]!, ...own, organizationId: organization, teamId: null, userId: null });
  });
  await eventually("Weir knows the key", async () => {
    const { status } = await ask(`${weir.url}/v1/models`, { headers: { "x-api-key": secret } });
    return status !== 401;
  });
  return secret;
}

describe(`a Weir that serves ${PLACES} requests at once and has more to do`, () => {
  it("lets people go before batch, which has its turn now and then", async () => {
    const held = await fill();
    const batch = await queue(named("batch", 6, { isBatch: true }));
    const people = await queue(named("person", 8));
    const answers = [...held, ...batch, ...people];
    await drain(answers.length);
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(answers.map(() => 200));

    const order = arrivals()
      .slice(PLACES)
      .map((name) => name.replace(/-\d+$/, ""));
    // Every fifth place goes to a batch request while people wait.
    expect(order.slice(0, 9)).toEqual([...Array(4).fill("person"), "batch", ...Array(4).fill("person")]);
    expect(order.slice(9)).toEqual(Array(5).fill("batch"));
    const inOrder = arrivals().filter((name) => name.startsWith("person"));
    expect(inOrder).toEqual(named("person", 8).map(({ name }) => name));
  });

  it("keeps a place free of batch", async () => {
    const batch = named("batch", 5, { isBatch: true }).map(send);
    await eventually("batch waits", async () => (await overload()).queued_batch === batch.length - BATCH_PLACES);
    const person = send({ name: "person" });
    await eventually("the person has a place", () => arrivals().includes("person"));
    expect(arrivals().length).toBe(PLACES);
    await drain(batch.length + 1);
    expect((await Promise.all([...batch, person])).map(({ status }) => status)).toEqual(Array(6).fill(200));
  });

  it("gives each organisation its turn: one's flood does not delay the other's few", async () => {
    const key = await newKey("key_other", "org_other");
    const held = await fill();
    const flood = await queue(named("flood", 12));
    const few = await queue(named("few", 3, { key }));
    const answers = [...held, ...flood, ...few];
    await drain(answers.length);
    await Promise.all(answers);
    const order = arrivals().slice(PLACES);
    const places = order.flatMap((name, place) => (name.startsWith("few") ? [place] : []));
    // Turn by turn, though the flood came first.
    expect(places).toEqual([1, 3, 5]);
    noteFigure(5, "overload: places of the second organisation's three among 15", { places: places.join(" ") });
  });

  it("refuses what cannot wait with 529 and retry-after, reaching no upstream and leaving no row", async () => {
    const [waitingKey, refusedKey] = [await newKey("key_waiting"), await newKey("key_refused")];
    const held = await fill();
    const waiting = await queue(named("waiting", MAX_QUEUED_PER_ORGANIZATION, { key: waitingKey }));
    const refused = await Promise.all(named("refused", 10, { key: refusedKey }).map(send));
    for (const { status, headers, body } of refused) {
      expect(status).toBe(529);
      expect(Number(headers["retry-after"])).toBeGreaterThan(0);
      expect(jsonOf({ body })).toMatchObject({ type: "error", error: { type: "overloaded_error" } });
    }
    const page = await overload();
    expect(page.shed["organization_queue_full"]).toBe(refused.length);
    expect(page).toMatchObject({ in_flight: PLACES, queued_interactive: MAX_QUEUED_PER_ORGANIZATION });
    const answers = [...held, ...waiting];
    await drain(answers.length);
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(answers.map(() => 200));
    const rows = await weir.entries(
      (all) => all.filter(({ keyId }) => keyId === "key_waiting").length === waiting.length,
    );
    expect(rows.filter(({ keyId }) => keyId === "key_refused")).toEqual([]);
    expect(arrivals().filter((name) => name.startsWith("refused"))).toEqual([]);
    const retryAfter = refused.map(({ headers }) => Number(headers["retry-after"]));
    noteFigure(5, "overload: refused with 529", { refused: refused.length, retry_after_s: Math.max(...retryAfter) });
  });

  it("forgets a waiting client that leaves", async () => {
    const held = await fill();
    const waiting = await queue(named("waiting", 2));
    const leaving = new AbortController();
    const left = fetch(`${weir.url}/v1/messages`, {
      method: "POST",
      headers: messageHeaders(weir.key),
      body: JSON.stringify(MESSAGES.body({ model: CLOUD_MODEL, text: "<leaving>", isStream: false })),
      signal: leaving.signal,
    }).catch(() => null);
    await eventually("it waits", async () => (await overload()).queued_interactive === 3);
    leaving.abort();
    await left;
    await eventually("it waits no more", async () => (await overload()).queued_interactive === 2);
    const answers = [...held, ...waiting];
    await drain(answers.length);
    await Promise.all(answers);
    expect(arrivals()).not.toContain("leaving");
  });
});
