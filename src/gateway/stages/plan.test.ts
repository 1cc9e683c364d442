import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { FakeUpstream } from "../../../test/harness/fake-upstream.ts";
import { startTestGateway, UNCOUNTED_ROUTING, type TestGateway } from "../../../test/harness/gateway.ts";
import { ask } from "../../../test/harness/http-answer.ts";
import { messageBody, messageHeaders } from "../../../test/harness/message-request.ts";
import { DEFAULT_ROUTING } from "../../routing/settings.ts";

let upstreams: FakeUpstream[];
let gateway: TestGateway;

beforeAll(async () => {
  upstreams = [await FakeUpstream.start(), await FakeUpstream.start(), await FakeUpstream.start()];
  gateway = await startTestGateway({
    upstreams: upstreams.map(({ url }) => ({ baseUrl: url })),
    routing: { ...UNCOUNTED_ROUTING, strategy: "round_robin", affinity: DEFAULT_ROUTING.affinity },
  });
});
afterAll(async () => {
  await gateway.stop();
  for (const upstream of upstreams) await upstream.stop();
});

/** Which upstream answers a conversation, turn by turn. */
async function whereItGoes(turns: readonly unknown[][], headers: Record<string, string> = {}): Promise<string[]> {
  const places: string[] = [];
  for (const messages of turns) {
    const body = messageBody({ messages });
    const answer = await ask(`${gateway.url}/v1/messages`, { headers: messageHeaders(gateway.key, headers), body });
    places.push(String(answer.headers["x-weir-upstream"]));
  }
  return places;
}

const turn = (...texts: string[]): unknown[] =>
  texts.map((content, i) => ({ role: i % 2 === 0 ? "user" : "assistant", content }));

describe("a conversation among several upstreams", () => {
  it("stays where its prompt cache is warm, known by its session", async () => {
    const turns = [turn("a"), turn("b"), turn("c"), turn("d")];
    const places = await whereItGoes(turns, { "x-claude-code-session-id": "s-1" });
    expect(new Set(places).size).toBe(1);
  });

  it("without a session is known by its first message, if it is to be cached, however long it grows", async () => {
    const first = "Refactor the payment module.";
    const turns = [turn(first), turn(first, "Done.", "Go on."), turn(first, "Done.", "Go on.", "Yes.", "Test it.")];
    const cached = turns.map((messages) => messages.with(0, { role: "user", content: [marked(first)] }));
    expect(new Set(await whereItGoes(cached)).size).toBe(1);
  });

  it("takes its turns when nothing of it is to be cached, were it the same every time", async () => {
    const places = await whereItGoes([
      turn("same"),
      turn("same"),
      turn("same"),
      turn("same"),
      turn("same"),
      turn("same"),
    ]);
    expect(new Set(places).size).toBe(3);
  });
});

function marked(text: string): unknown {
  return { type: "text", text, cache_control: { type: "ephemeral" } };
}
