/** Pings to clients of every format while the upstream is silent, whether it sends any itself (Bedrock does not). */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { CLOUDS } from "../../harness/clouds/clouds.ts";
import { LiveAnswer } from "../../harness/http-answer.ts";
import { messageHeaders } from "../../harness/message-request.ts";
import { eventually } from "../../harness/waiting.ts";
import type { WeirProcess } from "../../harness/weir-process.ts";
import { BEDROCK, CHAT, MESSAGES, RESPONSES, VERTEX, type ClientFormat } from "./client-format.ts";
import { promptOf, replyOf } from "./fault-cell.ts";
import { Fleet } from "./fleet.ts";

/** How each format says that nothing has happened. */
const PINGS: readonly (readonly [ClientFormat, string])[] = [
  [MESSAGES, "event: ping\n"],
  [VERTEX, "event: ping\n"],
  [BEDROCK, Buffer.from('{"type":"ping"}').toString("base64")],
  [CHAT, ": ping\n\n"],
  [RESPONSES, ": ping\n\n"],
];
const KINDS = CLOUDS.map(({ kind }) => kind);
const WANTED = 2;

let fleet: Fleet;
let weir: WeirProcess;

beforeAll(async () => {
  fleet = await Fleet.start();
  weir = await fleet.weir({
    members: KINDS.map((kind) => ({
      name: kind,
      kind,
      proxy: null,
      more: kind === "azure-openai-deployments" ? { apis: ["chat_completions", "embeddings"] } : {},
    })),
    models: KINDS.map((kind) => ({ id: `model-${kind}`, members: [kind] })),
    // Every look at the open streams, once a second, finds them silent for long enough.
    config: { timeouts: { ping_interval_ms: 1 }, health: { probes: { enabled: false } } },
  });
});
afterAll(async () => {
  await weir.dispose();
  await fleet.stop();
});

/** Lets the upstream fall silent in the middle of a stream until enough pings have come; gives what is missing. */
async function silence([client, ping]: (typeof PINGS)[number], kind: string): Promise<string | null> {
  const id = `${client.name}.${kind}`;
  const goOn = Promise.withResolvers<void>();
  const when = (request: { readonly body: Buffer }): boolean => request.body.includes(`cell ${id} `);
  fleet.cloud(kind).server.nextFault({ kind: "silence", afterEvents: 4, resumes: goOn.promise }, { when });
  const asking = { model: `model-${kind}`, text: promptOf(id), isStream: true };
  const live = await LiveAnswer.open(weir.url + client.path(asking), {
    headers: messageHeaders(weir.key),
    body: client.body(asking),
  });
  try {
    await eventually(`${id} gets pings`, () => live.bytes.toString("latin1").split(ping).length > WANTED, 20_000);
  } catch {
    return `${client.name} ← ${kind}: no pings`;
  } finally {
    goOn.resolve();
  }
  const isWhole = await live.ended;
  const view = client.viewStream(live.bytes);
  const isRight = isWhole && view.end === "proper" && view.unreadable === 0 && view.text === replyOf(id);
  return isRight ? null : `${client.name} ← ${kind}: spoilt by the pings`;
}

describe("a client whose upstream falls silent", () => {
  it("gets pings in its own format between two events, and the whole answer afterwards, from every kind of upstream", async () => {
    const pairs = PINGS.flatMap((format) => KINDS.map((kind) => silence(format, kind)));
    const missing = await Promise.all(pairs);
    expect(missing.filter((text) => text !== null)).toEqual([]);
    expect(fleet.problems).toEqual([]);
  });
});
