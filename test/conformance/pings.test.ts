/** contract.md, "Streams": a real ping after silence, between events only, never before the stream has begun. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { FakeUpstream } from "../harness/fake-upstream.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { LiveAnswer } from "../harness/http-answer.ts";
import { encodeEvent, encodeEvents, eventNames, messageEvents } from "../harness/message-events.ts";
import { messageBody, messageHeaders } from "../harness/message-request.ts";
import { eventually } from "../harness/waiting.ts";

const EVENTS = messageEvents().filter((event) => event.name !== "ping");

let upstream: FakeUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await FakeUpstream.start();
  // Every look at the open streams finds them silent for long enough.
  gateway = await startTestGateway({ upstreams: [{ baseUrl: upstream.url }], snapshot: { pingIntervalMs: 0 } });
});
afterEach(() => upstream.reset());
afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

async function open(): Promise<LiveAnswer> {
  const headers = messageHeaders(gateway.key);
  return await LiveAnswer.open(`${gateway.url}/v1/messages`, { headers, body: messageBody({ stream: true }) });
}

describe("a stream whose upstream is silent", () => {
  it("gets a ping event, as the provider sends it, and goes on unharmed", async () => {
    const goOn = Promise.withResolvers<void>();
    upstream.reply({ kind: "stream", events: EVENTS, before: (index) => (index === 2 ? goOn.promise : undefined) });
    const live = await open();
    await live.events(2);
    gateway.services.streams.sweep();
    await eventually("the ping is there", () => eventNames(live.bytes).includes("ping"));
    goOn.resolve();
    expect(await live.ended).toBe(true);

    const names = eventNames(live.bytes);
    expect(names.filter((name) => name !== "ping")).toEqual(EVENTS.map((event) => event.name));
    expect(names.indexOf("ping")).toBe(2);
    const withoutPings = live.bytes.toString("utf8").replaceAll('event: ping\ndata: {"type": "ping"}\n\n', "");
    expect(withoutPings).toBe(encodeEvents(EVENTS).toString("utf8"));
  });

  it("gets none before it has begun", async () => {
    const goOn = Promise.withResolvers<void>();
    upstream.reply({ kind: "stream", events: EVENTS, before: (index) => (index === 0 ? goOn.promise : undefined) });
    const opening = open();
    await upstream.nextRequest();
    gateway.services.streams.sweep();
    goOn.resolve();
    const live = await opening;
    await live.events(1);
    expect(eventNames(live.bytes)[0]).toBe("message_start");
    await live.ended;
  });

  it("gets none inside an event, wherever it stands", async () => {
    const head = encodeEvents(EVENTS.slice(0, 2));
    const delta = encodeEvent(EVENTS[2]!);
    const rest = encodeEvents(EVENTS.slice(3));
    const bytes = Buffer.concat([head, delta, rest]);
    for (let offset = 1; offset < delta.length; offset++) {
      const goOn = Promise.withResolvers<void>();
      const splitAt = [head.length + offset];
      upstream.reply({ kind: "stream", bytes, splitAt, betweenWrites: () => goOn.promise });
      const live = await open();
      await live.byteCount(head.length + offset);
      gateway.services.streams.sweep();
      goOn.resolve();
      expect(await live.ended).toBe(true);
      expect(live.bytes.toString("utf8")).toBe(bytes.toString("utf8"));
    }
  });
});
