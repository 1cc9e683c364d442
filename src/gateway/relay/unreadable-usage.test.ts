import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { FakeUpstream, type Reply } from "../../../test/harness/fake-upstream.ts";
import { startTestGateway, type TestGateway } from "../../../test/harness/gateway.ts";
import { ask, type HttpAnswer } from "../../../test/harness/http-answer.ts";
import { messageBody, messageHeaders } from "../../../test/harness/message-request.ts";
import { eventually } from "../../../test/harness/waiting.ts";
import { CostForecaster } from "../../ledger/budgets/cost-forecaster.ts";
import type { Entry } from "../../message/entry.ts";

let upstream: FakeUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await FakeUpstream.start();
  gateway = await startTestGateway({ upstreams: [{ baseUrl: upstream.url }] });
});
afterEach(() => {
  upstream.reset();
  gateway.journal.entries.length = 0;
});
afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

interface Given {
  readonly stream: boolean;
  readonly maxTokens: number;
}

async function askFor(reply: Reply, { stream, maxTokens }: Given): Promise<{ answer: HttpAnswer; entry: Entry }> {
  upstream.otherwise(reply);
  const body = messageBody({ stream, max_tokens: maxTokens });
  const answer = await ask(`${gateway.url}/v1/messages`, { headers: messageHeaders(gateway.key), body });
  await eventually("it is settled", () => gateway.journal.entries.length === 1);
  return { answer, entry: gateway.journal.entries[0]! };
}

/** Estimated input of the request that the upstream got. */
function inputTokens(): number {
  return CostForecaster.estimateInputTokens(upstream.requests.at(-1)!.body.length);
}

const GARBAGE = `event: message_start\ndata: ${"x".repeat(370)}\n\n`;
const EVENTS = { "content-type": "text/event-stream" };

describe("an answer that said 200 and cannot be read, with no other upstream", () => {
  const cases: [string, Reply, boolean][] = [
    ["whole", { kind: "whole", body: GARBAGE }, false],
    ["streamed", { kind: "stream", bytes: Buffer.from(GARBAGE) }, true],
    ["streamed, and ends within its first event", { kind: "stream", bytes: Buffer.from(GARBAGE.trimEnd()) }, true],
    ["announced as a stream and damaged", { kind: "whole", body: GARBAGE, headers: EVENTS }, true],
  ];

  it.each(cases)("costs its input and the output that came, as an estimate (%s)", async (_name, reply, stream) => {
    const { answer, entry } = await askFor(reply, { stream, maxTokens: 1_000 });

    expect(answer.status).toBe(502);
    expect(entry).toMatchObject({ status: 502, usageSource: "estimated", usage: { inputTokens: inputTokens() } });
    expect(entry.usage.outputTokens).toBeGreaterThanOrEqual(98);
    expect(entry.usage.outputTokens).toBeLessThanOrEqual(101);
    expect(entry.costMicroUsd).toBe(entry.usage.inputTokens * 2 + entry.usage.outputTokens * 10);
  });

  it.each(cases)("never costs more output than was asked for (%s)", async (_name, reply, stream) => {
    const { entry } = await askFor(reply, { stream, maxTokens: 7 });

    expect(entry.usage.outputTokens).toBe(7);
  });
});

describe("an upstream that says that it failed before it had begun", () => {
  const ERROR = '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}';

  it.each<[string, Reply, boolean]>([
    ["by its status", { kind: "whole", status: 529, body: ERROR }, false],
    ["in its stream", { kind: "stream", bytes: Buffer.from(`event: error\ndata: ${ERROR}\n\n`) }, true],
  ])("charges nothing (%s)", async (_name, reply, stream) => {
    const { entry } = await askFor(reply, { stream, maxTokens: 1_000 });

    expect(entry).toMatchObject({ outcome: "upstream_error", costMicroUsd: 0 });
  });
});
