/** Promise 13: hostile HTTP is contained. Nothing crashes, and nothing that hides in a malformed request goes further. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";

import { FakeUpstream } from "../harness/fake-upstream.ts";
import { noteFigure } from "../harness/figures.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { ask } from "../harness/http-answer.ts";
import { messageBody, messageHeaders } from "../harness/message-request.ts";
import { inParallel, sendRaw, type RawAnswer } from "../harness/raw-http.ts";
import { CANARY, hostileVectors, plainRequest, type HostileVector } from "./hostile-http-vectors.ts";

const MODES = ["whole", "bytes"] as const;
const LANES = 64;

let upstream: FakeUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await FakeUpstream.start();
  gateway = await startTestGateway({ upstreams: [{ baseUrl: upstream.url }] });
});
afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

function canariesUpstream(): number {
  return upstream.requests.filter(({ body, rawHeaders, url }) =>
    [body.toString("latin1"), rawHeaders.join("\n"), url].some((text) => text.includes(CANARY)),
  ).length;
}

async function expectServing(): Promise<void> {
  const answer = await ask(`${gateway.url}/v1/messages`, { headers: messageHeaders(gateway.key), body: messageBody() });
  expect(answer.status).toBe(200);
}

function context(): { host: string; key: string } {
  return { host: `127.0.0.1:${gateway.port}`, key: gateway.key };
}

/** What is wrong with the answer to a vector; null when nothing is. */
function complaint({ name, expected }: HostileVector, answer: RawAnswer): string | null {
  const first = answer.statuses[0];
  const succeeded = answer.statuses.filter((status) => status < 400);
  if (expected === "harmless") return first === undefined ? `${name}: no answer` : null;
  if (succeeded.length > 0) return `${name}: answered ${answer.statuses.join(", ")}`;
  return first !== undefined || answer.isClosed ? null : `${name}: the server waits`;
}

describe("the canary", () => {
  it.each(MODES)("does reach the upstream in a request of its own, also behind another (%s)", async (mode) => {
    upstream.reset();
    const body = `{"model":"claude-sonnet-5-5","max_tokens":1,"messages":[],"x":"${CANARY}"}`;
    const request = plainRequest(context(), body);
    const answer = await sendRaw(Buffer.from(request + request, "latin1"), { port: gateway.port, mode });
    expect(answer.statuses).toEqual([200, 200]);
    expect(canariesUpstream()).toBe(2);
    upstream.reset();
  });
});

describe.each(MODES)("a malformed request, sent %s", (mode) => {
  it("is refused, crashes nothing, and hides nothing that reaches the upstream", async () => {
    upstream.reset();
    const vectors = hostileVectors(context());
    const complaints: string[] = [];
    for (const vector of vectors) {
      const answer = await sendRaw(Buffer.from(vector.raw, "latin1"), { port: gateway.port, mode });
      const wrong =
        canariesUpstream() > complaints.length ? `${vector.name}: reached the upstream` : complaint(vector, answer);
      if (wrong !== null) complaints.push(wrong);
    }
    expect(complaints).toEqual([]);
    expect(canariesUpstream()).toBe(0);
    expect(upstream.requests.length).toBe(0);
    await expectServing();
    noteFigure(13, `own vectors, ${mode}`, { vectors: vectors.length, crashes: 0, canaries_upstream: 0 });
  });
});

/** Vectors of others that may lie beside the checkout: not part of it. */
const PROBE_FILE = resolve(import.meta.dirname, "../../../shared/vectors/http11probe.json");
const hasProbe = existsSync(PROBE_FILE);

const probeVector = z.object({
  id: z.string(),
  raw: z.string(),
  /** Expected status: how to compare, and with what. */
  status: z.tuple([z.string()]).rest(z.unknown()).nullish(),
  /** Whether closing the connection without an answer will do as well. */
  close: z.boolean(),
});
type ProbeVector = z.infer<typeof probeVector>;

/** Whether a vector got what it asks for; null for one without an expectation. */
function verdict({ status, close }: ProbeVector, { statuses, isClosed }: RawAnswer): boolean | null {
  if (status === undefined || status === null) return null;
  const [how, wanted] = status;
  const first = statuses[0] ?? 0;
  if (how === "Exact") return first === Number(wanted) || (close && first === 0 && isClosed);
  return how === "Range2xx" ? first >= 200 && first < 300 : first >= 400;
}

const skipped = hasProbe ? "" : " (skipped: ../shared/vectors/http11probe.json is not there)";

describe.skipIf(!hasProbe).each(MODES)(`the 170 requests of http11probe, sent %s${skipped}`, (mode) => {
  it("meet every expectation that they state, and nothing crashes", async () => {
    const vectors = z.array(probeVector).parse(JSON.parse(readFileSync(PROBE_FILE, "utf8")));
    const { host } = context();
    const results = await inParallel(vectors, LANES, async (vector) => {
      const bytes = Buffer.from(vector.raw.replaceAll("@@HOST@@", host), "latin1");
      const answer = await sendRaw(bytes, { port: gateway.port, mode });
      const isMet = verdict(vector, answer);
      return { isMet, text: `${vector.id}: ${answer.statuses.join(", ")}` };
    });
    const scored = results.filter(({ isMet }) => isMet !== null);
    expect(scored.filter(({ isMet }) => isMet === false).map(({ text }) => text)).toEqual([]);
    expect(scored.length).toBe(55);
    await expectServing();
    noteFigure(13, `http11probe, ${mode}`, { vectors: vectors.length, scored: scored.length, missed: 0 });
  });
});
