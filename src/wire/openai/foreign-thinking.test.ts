import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { scanRequest } from "../anthropic/request-scan.ts";
import { carryReasoning } from "../openai-responses/block-carrier.ts";
import { withoutForeignThinking } from "./foreign-thinking.ts";

const UNSIGNED = { type: "thinking", thinking: "Größe 🙂", signature: "weir-unsigned" };
const OPENAI = { type: "thinking", thinking: "", signature: carryReasoning("gAAAAABo") };
const EMPTY = { type: "thinking", thinking: "Hm.", signature: "" };
const SIGNED = { type: "thinking", thinking: "Hm.", signature: "EqQBCkgIARABGAIiQL2UoU0b1OHY" };
const TEXT = { type: "text", text: 'says "thinking" and "weir-unsigned"' };
const USER = { role: "user", content: "Hi" };

function stripped(messages: readonly unknown[], indent?: number) {
  const body = Buffer.from(JSON.stringify({ model: "m", max_tokens: 1, messages, system: "Ü" }, null, indent));
  const { members } = scanRequest(body, { maxDepth: 64, requireMaxTokens: true });
  return withoutForeignThinking(body, members);
}

function left(messages: readonly unknown[]): unknown {
  const { body } = stripped(messages) ?? { body: Buffer.from("null") };
  return JSON.parse(body.toString())?.messages ?? null;
}

const assistant = (...content: unknown[]) => ({ role: "assistant", content });

describe("thinking of other models in a request to Claude", () => {
  it.each([
    ["of a model that signs nothing", UNSIGNED],
    ["with the reasoning of OpenAI's", OPENAI],
    ["without any signature", EMPTY],
  ])("%s is taken out, and only it", (_, foreign) => {
    expect(left([USER, assistant(foreign, SIGNED, TEXT), USER])).toEqual([USER, assistant(SIGNED, TEXT), USER]);
    expect(left([USER, assistant(SIGNED, foreign, foreign, TEXT)])).toEqual([USER, assistant(SIGNED, TEXT)]);
    expect(left([USER, assistant(TEXT, foreign)])).toEqual([USER, assistant(TEXT)]);
  });

  it("takes the turn with it that holds nothing else", () => {
    expect(left([USER, assistant(UNSIGNED), USER])).toEqual([USER, USER]);
    expect(left([assistant(OPENAI), assistant(UNSIGNED, EMPTY), USER])).toEqual([USER]);
  });

  it("is told of once, by the path of the first", () => {
    const { warning } = stripped([USER, assistant(TEXT, UNSIGNED), USER, assistant(OPENAI, TEXT)]) ?? {};
    expect(warning).toEqual({ field: "messages[1].content[1]", message: expect.stringContaining("left out") });
  });

  it("is not seen where there is none", () => {
    expect(stripped([USER, assistant(SIGNED, TEXT), { role: "user", content: [TEXT] }])).toBeNull();
    expect(stripped([])).toBeNull();
  });

  it("goes from any conversation, whose other bytes stay", () => {
    const block = fc.constantFrom(UNSIGNED, OPENAI, SIGNED, TEXT);
    const turn = fc.array(block).map((content) => assistant(...content));
    fc.assert(
      fc.property(fc.array(turn), fc.constantFrom(undefined, 2), (turns, indent) => {
        const foreign: unknown[] = [UNSIGNED, OPENAI];
        const kept = turns.map(({ content }) => content.filter((each) => !foreign.includes(each)));
        const expected = kept.flatMap((content, at) =>
          content.length === 0 && turns[at]?.content.length !== 0 ? [] : [assistant(...content)],
        );
        const result = stripped(turns, indent);
        const isTouched = turns.some(({ content }) => content.some((each) => foreign.includes(each)));
        expect(result !== null).toBe(isTouched);
        if (result === null) return;
        const rest = { model: "m", max_tokens: 1, messages: expected, system: "Ü" };
        expect(JSON.parse(result.body.toString())).toEqual(rest);
      }),
    );
  });
});
