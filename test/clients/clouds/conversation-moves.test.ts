/** Conversations that change their upstream between two turns, in every client format: what each model thought stays its own. */
import type Anthropic from "@anthropic-ai/sdk";
import type OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { cloudKind, type CloudKind } from "../../harness/clouds/clouds.ts";
import { CloudStack, modelAt } from "./cloud-stack.ts";
import { anthropic, BEDROCK_SDK, openai, VERTEX_SDK } from "./sdks.ts";

const CLAUDES = ["anthropic", "bedrock", "vertex", "custom-sagemaker"].map(cloudKind);
/** One that shows what it thinks and signs nothing, one that encrypts it. */
const OTHERS = ["openai-compatible", "openai-responses"].map(cloudKind);

let stack: CloudStack;
beforeAll(async () => {
  stack = await CloudStack.start([...CLAUDES, ...OTHERS]);
});
afterAll(async () => stack?.dispose());

const HELLO: Anthropic.MessageParam = { role: "user", content: "Say hello." };
const GOODBYE: Anthropic.MessageParam = { role: "user", content: "And goodbye." };
const THINKS = { max_tokens: 4_000, thinking: { type: "enabled", budget_tokens: 1_024 } } as const;
const bodyOf = (kind: CloudKind): string => JSON.stringify(stack.sentBody(kind));

/** A first turn that has thinking in it, through Messages. */
async function firstTurn(kind: CloudKind, streams: boolean): Promise<Anthropic.ContentBlock[]> {
  const { messages } = anthropic(stack);
  const request = { ...THINKS, model: modelAt(kind), messages: [HELLO] };
  // The engine behind the compatible server thinks only when it is asked in that server's own words.
  if (kind.kind === "openai-compatible") return await thoughtOfCompatible(kind);
  const { content } = streams ? await messages.stream(request).finalMessage() : await messages.create(request);
  return content;
}

async function thoughtOfCompatible(kind: CloudKind): Promise<Anthropic.ContentBlock[]> {
  const unsigned = { type: "thinking", thinking: "Hm.", signature: "weir-unsigned" } as const;
  const { content } = await anthropic(stack).messages.create({
    max_tokens: 100,
    model: modelAt(kind),
    messages: [HELLO],
  });
  return [unsigned, ...content];
}

describe.each(OTHERS)("a conversation that $kind began", (from) => {
  it.each(CLAUDES)(
    "goes on at $kind without the thinking that Claude would refuse, and the client is told",
    async (to) => {
      for (const streams of [false, true]) {
        const content = await firstTurn(from, streams);
        expect(content.map(({ type }) => type)).toEqual(["thinking", "text"]);
        const messages = [HELLO, { role: "assistant" as const, content }, GOODBYE];
        await stack.run({ name: "moves", kind: to, format: "anthropic" }, async () => {
          const answer = await anthropic(stack).messages.create({ ...THINKS, model: modelAt(to), messages });
          expect(answer.content.map(({ type }) => type)).toEqual(["thinking", "text"]);
          expect(stack.warnings).toMatch(/^messages\[1\]\.content\[0\] .*was left out$/);
          expect(bodyOf(to)).not.toContain("weir");
          expect(bodyOf(to)).toContain(JSON.stringify(content[1]));
        });
      }
    },
  );

  it("goes back there with its thinking", async () => {
    const content = await firstTurn(from, true);
    const messages = [HELLO, { role: "assistant" as const, content }, GOODBYE];
    await stack.run({ name: "returns", kind: from, format: "anthropic" }, async () => {
      await anthropic(stack).messages.create({ max_tokens: 100, model: modelAt(from), messages });
      expect(stack.warnings).not.toContain("messages[1]");
      expect(bodyOf(from)).toMatch(/"reasoning_content":"Hm\."|"encrypted_content":"/);
    });
  });
});

describe.each(CLAUDES)("a conversation that $kind began", (from) => {
  it.each(OTHERS)("goes on at $kind without Claude's thinking, and the client is told", async (to) => {
    const content = await firstTurn(from, true);
    const messages = [HELLO, { role: "assistant" as const, content }, GOODBYE];
    await stack.run({ name: "moves", kind: to, format: "anthropic" }, async () => {
      await anthropic(stack).messages.create({ max_tokens: 100, model: modelAt(to), messages });
      expect(stack.warnings).toContain("messages[1]");
      expect(bodyOf(to)).not.toContain('"signature"');
    });
  });
});

describe("clients of Bedrock's and Vertex's formats", () => {
  it.each([
    [BEDROCK_SDK, cloudKind("bedrock")],
    [VERTEX_SDK, cloudKind("vertex")],
  ])("$name comes back to its own cloud without the thinking of others", async (sdk, kind) => {
    const content = [
      { type: "thinking" as const, thinking: "Hm.", signature: "weir-unsigned" },
      { type: "text" as const, text: "Hello." },
    ];
    const messages = [HELLO, { role: "assistant" as const, content }, GOODBYE];
    await stack.run({ name: "comes back", kind, format: sdk.format }, async () => {
      const stream = sdk.client(stack).messages.stream({ ...THINKS, model: modelAt(kind), messages });
      expect((await stream.finalMessage()).stop_reason).toBe("end_turn");
      expect(stack.warnings).toContain("messages[1].content[0]");
      expect(bodyOf(kind)).not.toContain("weir");
    });
  });
});

describe("a Responses client", () => {
  it.each(CLAUDES)(
    "takes a conversation of OpenAI's to $kind: the reasoning stays behind, and it is told",
    async (to) => {
      const from = cloudKind("openai-responses");
      const { responses } = openai(stack);
      const input: OpenAI.Responses.ResponseInputItem[] = [{ role: "user", content: "Say hello." }];
      const asks = { store: false, reasoning: { effort: "low" }, include: ["reasoning.encrypted_content"] } as const;
      const first = await responses.create({ ...asks, include: [...asks.include], model: modelAt(from), input });
      const items = first.output as OpenAI.Responses.ResponseInputItem[]; // what comes out may go in again
      const next = [...input, ...items, { role: "user" as const, content: "And goodbye." }];
      await stack.run({ name: "moves", kind: to, format: "openai-responses" }, async () => {
        const answer = await responses.create({ ...asks, include: [...asks.include], model: modelAt(to), input: next });
        expect(answer.status).toBe("completed");
        expect(stack.warnings).toContain("was left out");
        expect(bodyOf(to)).not.toContain("weir");
      });
    },
  );
});

it("the ledger holds one entry for each exchange, with what the cloud billed", async () => stack.checkLedger());
