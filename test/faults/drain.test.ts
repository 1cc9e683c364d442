/** Promise 11: SIGTERM drains. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { FakeUpstream } from "../harness/fake-upstream.ts";
import { noteFigure } from "../harness/figures.ts";
import { ask, LiveAnswer } from "../harness/http-answer.ts";
import { encodeEvents, messageEvents } from "../harness/message-events.ts";
import { messageBody, messageHeaders } from "../harness/message-request.ts";
import { eventually } from "../harness/waiting.ts";
import { WeirProcess } from "../harness/weir-process.ts";

const STREAMS = 200;
const EVENTS = messageEvents();

let upstream: FakeUpstream;
let weir: WeirProcess;
beforeEach(async () => {
  upstream = await FakeUpstream.start();
  weir = await WeirProcess.start({ upstreamUrl: upstream.url });
});
afterEach(async () => {
  await weir.dispose();
  await upstream.stop();
});

async function open(): Promise<LiveAnswer> {
  const headers = messageHeaders(weir.key);
  const live = await LiveAnswer.open(`${weir.url}/v1/messages`, { headers, body: messageBody({ stream: true }) });
  await live.events(2);
  return live;
}

describe("SIGTERM", () => {
  it(`lets ${STREAMS} live streams end whole, takes nothing new, and exits with 0`, async () => {
    const goOn = Promise.withResolvers<void>();
    upstream.otherwise({ kind: "stream", events: EVENTS, before: (index) => (index === 2 ? goOn.promise : undefined) });
    const streams = await Promise.all(Array.from({ length: STREAMS }, open));

    weir.signal("SIGTERM");
    await eventually("Weir has closed its door", () =>
      ask(`${weir.url}/healthz`).then(
        () => false,
        () => true,
      ),
    );
    goOn.resolve();
    const whole = await Promise.all(streams.map((stream) => stream.ended));
    expect(await weir.ended).toEqual({ code: 0, signal: null });

    const bytes = encodeEvents(EVENTS);
    const cut = streams.filter((stream, index) => whole[index] !== true || !stream.bytes.equals(bytes));
    expect(cut.length).toBe(0);
    await weir.begin();
    const rows = await weir.database.entries();
    expect(rows.filter((row) => row.outcome === "complete").length).toBe(STREAMS);
    noteFigure(11, "SIGTERM", { streams: STREAMS, cut: cut.length, exit: 0 });
  });

  it("ends after drain_ms also when a stream never does; what was cut looks cut and has its row", async () => {
    await weir.end();
    await weir.configure({ upstreamUrl: upstream.url, config: { timeouts: { drain_ms: 200 } } });
    await weir.begin();
    upstream.otherwise({ kind: "stream", events: EVENTS, cut: { afterEvents: 3, how: "hang" } });
    const live = await open();
    expect(await weir.end()).toEqual({ code: 0, signal: null });
    expect(await live.ended).toBe(false);
    await weir.begin();
    expect(await weir.database.entries()).toMatchObject([{ usageSource: "partial", attempts: 1 }]);
  });
});
