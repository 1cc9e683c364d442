/** Promise 7: pass-through is byte-exact, however the upstream's bytes are divided. Also: nothing is held back. */
import { Agent } from "node:http";

import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { FakeUpstream } from "../harness/fake-upstream.ts";
import { noteFigure } from "../harness/figures.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { ask, LiveAnswer } from "../harness/http-answer.ts";
import { encodeEvent, encodeEvents, messageDocument, messageEvents } from "../harness/message-events.ts";
import { messageBody, messageHeaders } from "../harness/message-request.ts";

let upstream: FakeUpstream;
let gateway: TestGateway;
const agent = new Agent({ keepAlive: true });

beforeAll(async () => {
  upstream = await FakeUpstream.start();
  gateway = await startTestGateway({ upstreams: [{ baseUrl: upstream.url }] });
});
afterEach(() => upstream.reset());
afterAll(async () => {
  agent.destroy();
  await gateway.stop();
  await upstream.stop();
});

/** What the client gets of `bytes` that the upstream sends in pieces. */
async function relayed(bytes: Buffer, splitAt: readonly number[], contentType = "text/event-stream"): Promise<Buffer> {
  upstream.reply({ kind: "stream", bytes, splitAt, headers: { "content-type": contentType } });
  const headers = messageHeaders(gateway.key);
  const answer = await ask(`${gateway.url}/v1/messages`, { headers, body: messageBody({ stream: true }), agent });
  expect(answer.isWhole).toBe(true);
  return answer.body;
}

describe("a stream", () => {
  const plain = encodeEvents(messageEvents());

  it("comes through byte for byte when it is cut at any one offset, also inside a character", async () => {
    let differences = 0;
    for (let offset = 1; offset < plain.length; offset++) {
      if (!(await relayed(plain, [offset])).equals(plain)) differences++;
    }
    noteFigure(7, "offsets", { offsets: plain.length - 1, differences });
    expect(differences).toBe(0);
    expect(gateway.journal.entries.length).toBe(plain.length - 1);
    const sources = new Set(gateway.journal.entries.map((entry) => `${entry.usageSource} ${entry.costMicroUsd}`));
    expect([...sources]).toEqual(["reported 470"]);
  });

  it("comes through byte for byte when every byte comes alone", async () => {
    const every = Array.from({ length: plain.length }, (_, index) => index);
    expect((await relayed(plain, every)).equals(plain)).toBe(true);
  });

  it("comes through byte for byte in whatever pieces, with whatever text, line ends and comments", async () => {
    const shapes = fc.record({
      texts: fc.array(fc.string({ unit: "binary", maxLength: 40 }), { maxLength: 6 }),
      crlf: fc.boolean(),
      comment: fc.boolean(),
      cuts: fc.array(fc.nat(4_000), { maxLength: 12 }),
    });
    await fc.assert(
      fc.asyncProperty(shapes, async ({ texts, crlf, comment, cuts }) => {
        let text = encodeEvents(messageEvents({ texts })).toString("utf8");
        if (comment) text = `: a comment\n\n${text}`;
        const bytes = Buffer.from(crlf ? text.replaceAll("\n", "\r\n") : text);
        const splitAt = cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b);
        expect((await relayed(bytes, splitAt)).equals(bytes)).toBe(true);
      }),
      { numRuns: 120 },
    );
  });

  it("may have events of megabytes, bytes that are no UTF-8, and events that nobody has heard of", async () => {
    const large = messageEvents({ texts: ["x".repeat(3_000_000), "🌊".repeat(100_000)] });
    const odd = Buffer.from("event: unheard_of\ndata: {\xff\xfe broken\n\n", "latin1");
    const events = large.map(encodeEvent);
    const bytes = Buffer.concat([...events.slice(0, 2), odd, ...events.slice(2)]);
    expect((await relayed(bytes, [70_000, 1_000_001])).equals(bytes)).toBe(true);
  });

  it("is never held back: the client has each event before the upstream sends the next", async () => {
    const events = messageEvents();
    const received = events.map(() => Promise.withResolvers<void>());
    upstream.reply({
      kind: "stream",
      events,
      before: (index) => (index === 0 ? undefined : received[index - 1]?.promise),
    });
    const live = await LiveAnswer.open(`${gateway.url}/v1/messages`, {
      headers: messageHeaders(gateway.key),
      body: messageBody({ stream: true }),
    });
    for (let index = 0; index < events.length; index++) {
      await live.events(index + 1);
      received[index]?.resolve();
    }
    expect(await live.ended).toBe(true);
    expect(live.bytes.equals(encodeEvents(events))).toBe(true);
  });

  it("reaches a client that reads slowly whole, and the upstream is made to wait for it", async () => {
    const events = messageEvents({ texts: Array.from({ length: 400 }, () => "y".repeat(50_000)) });
    upstream.reply({ kind: "stream", events });
    const live = await LiveAnswer.open(`${gateway.url}/v1/messages`, {
      headers: messageHeaders(gateway.key),
      body: messageBody({ stream: true }),
    });
    expect(await live.ended).toBe(true);
    expect(live.bytes.equals(encodeEvents(events))).toBe(true);
  });
});

describe("an answer that is no stream", () => {
  const whole = Buffer.from(JSON.stringify(messageDocument(), null, 1));

  it("comes through byte for byte when it is cut at any one offset", async () => {
    for (let offset = 1; offset < whole.length; offset += 3) {
      expect((await relayed(whole, [offset], "application/json")).equals(whole)).toBe(true);
    }
  });
});
