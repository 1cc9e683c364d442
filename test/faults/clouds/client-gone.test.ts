/** Promise 4 for every kind of upstream: a client that leaves has the upstream's connection closed, and has its row. */
import { request as httpRequest } from "node:http";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { CloudFault } from "../../harness/clouds/cloud-fault.ts";
import type { CloudRequest } from "../../harness/clouds/cloud-request.ts";
import { CLOUDS } from "../../harness/clouds/clouds.ts";
import { noteFigure, spread } from "../../harness/figures.ts";
import { LiveAnswer } from "../../harness/http-answer.ts";
import { messageHeaders } from "../../harness/message-request.ts";
import { eventually, within } from "../../harness/waiting.ts";
import type { WeirProcess } from "../../harness/weir-process.ts";
import { MESSAGES } from "./client-format.ts";
import { promptOf } from "./fault-cell.ts";
import { Fleet } from "./fleet.ts";

/** Where the upstream stands still when the client leaves. */
const MOMENTS = {
  "before the answer": { kind: "silent" },
  "after its head": { kind: "silence", afterEvents: 0 },
  "in its middle": { kind: "silence", afterEvents: 4 },
} as const satisfies Readonly<Record<string, CloudFault>>;
type Moment = keyof typeof MOMENTS;

/** Departures of each kind and moment. */
const TIMES = 3;
const AT_ONCE = 6;

let fleet: Fleet;
let weir: WeirProcess;
const delaysMs: Record<Moment, number[]> = { "before the answer": [], "after its head": [], "in its middle": [] };

beforeAll(async () => {
  fleet = await Fleet.start();
  const members = CLOUDS.map(({ kind }) => ({
    name: kind,
    kind,
    proxy: null,
    // The upstream's silence must outlast the test's.
  }));
  weir = await fleet.weir({
    members,
    models: CLOUDS.map(({ kind }) => ({ id: `model-${kind}`, members: [kind] })),
    config: { health: { probes: { enabled: false } } },
  });
});
afterAll(async () => {
  for (const [moment, delays] of Object.entries(delaysMs)) {
    noteFigure(4, `13 kinds of upstream closed after, ms: left ${moment}`, {
      departures: delays.length,
      ...spread(delays),
    });
  }
  await weir.dispose();
  await fleet.stop();
});

interface Departure {
  readonly kind: string;
  readonly moment: Moment;
  readonly isStream: boolean;
  readonly session: string;
}

/** Asks, leaves when the upstream stands still, and gives the time from there until its connection is closed. */
async function depart({ kind, moment, isStream, session }: Departure): Promise<number> {
  const { server } = fleet.cloud(kind);
  const arrived = Promise.withResolvers<CloudRequest>();
  const when = (request: CloudRequest): boolean => {
    if (!request.body.includes(`cell ${session} `)) return false;
    arrived.resolve(request);
    return true;
  };
  server.nextFault(MOMENTS[moment], { when });
  const asking = { model: `model-${kind}`, text: promptOf(session), isStream };
  const options = {
    headers: messageHeaders(weir.key, { "x-claude-code-session-id": session }),
    body: MESSAGES.body(asking),
  };
  const url = weir.url + MESSAGES.path(asking);
  if (isStream && moment === "in its middle") {
    const live = await LiveAnswer.open(url, options);
    await live.events(1);
    const leftAtMs = performance.now();
    live.leave("reset");
    return (await closed(arrived.promise)) - leftAtMs;
  }
  const request = httpRequest(url, { method: "POST", headers: options.headers, agent: false });
  request.on("error", () => {}).end(JSON.stringify(options.body));
  await within("the request to arrive", arrived.promise);
  const leftAtMs = performance.now();
  request.destroy();
  return (await closed(arrived.promise)) - leftAtMs;
}

async function closed(arriving: Promise<CloudRequest>): Promise<number> {
  const request = await within("the request to arrive", arriving);
  return await within("the upstream's connection to be closed", request.closedEarly);
}

describe.each(Object.keys(MOMENTS) as Moment[])("a client that leaves %s", (moment) => {
  // its keys are its moments
  it("closes the upstream's connection, whatever its kind, and pays for what it got", async () => {
    const departures = CLOUDS.flatMap(({ kind }) =>
      [true, false].flatMap((isStream) =>
        Array.from({ length: TIMES }, (_, time) => {
          const session = `${kind}.${moment.replaceAll(" ", "-")}.${isStream ? "s" : "w"}.${time}`;
          return { kind, moment, isStream, session };
        }),
      ),
    );
    // A few at once: what is measured is Weir, not how long this process takes to notice.
    for (let at = 0; at < departures.length; at += AT_ONCE) {
      const group = departures.slice(at, at + AT_ONCE);
      delaysMs[moment].push(...(await Promise.all(group.map(depart))));
    }
    const sessions = new Set(departures.map(({ session }) => session));
    const rows = await eventually("the rows are there", async () => {
      const all = await weir.database.entries();
      const own = all.filter(({ sessionId }) => sessions.has(sessionId ?? ""));
      return own.length >= departures.length && own;
    });
    expect(rows.length).toBe(sessions.size);
    expect(new Set(rows.map(({ sessionId }) => sessionId))).toEqual(sessions);
    for (const { outcome, attempts, costMicroUsd } of rows) {
      expect({ outcome, attempts }).toEqual({ outcome: "client_gone", attempts: 1 });
      expect(costMicroUsd).toBeGreaterThan(0);
    }
    for (const { kind } of CLOUDS) expect(fleet.cloud(kind).server.openStreams, kind).toBe(0);
    expect(fleet.problems).toEqual([]);
  });
});
