import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { AnswerBlock } from "./answer.ts";
import { applyStopSequences, applyTokenLimit, outputTokensOf, type Limited } from "./answer-limits.ts";

const text = (content: string): AnswerBlock => ({ type: "text", text: content, citations: [] });
const tool: AnswerBlock = {
  type: "tool_use",
  id: "toolu_1",
  name: "Bash",
  inputJson: '{"command":"echo a long command"}',
};
const whole = (blocks: readonly AnswerBlock[]): Limited => ({ blocks, cut: null, stopSequence: null });

describe("applyStopSequences", () => {
  it("ends before the sequence that comes first and drops what follows", () => {
    expect(applyStopSequences([text("one two three"), tool], ["three", "two"])).toEqual({
      blocks: [text("one ")],
      cut: "stop_sequence",
      stopSequence: "two",
    });
  });

  it("changes nothing when no sequence occurs", () => {
    expect(applyStopSequences([text("one")], ["two"])).toEqual(whole([text("one")]));
  });
});

describe("applyTokenLimit", () => {
  it("leaves an answer alone that fits exactly", () => {
    const blocks = [text("one two three"), tool];
    const tokens = blocks.reduce((sum, block) => sum + outputTokensOf(block), 0);
    expect(applyTokenLimit(whole(blocks), tokens).cut).toBeNull();
    expect(applyTokenLimit(whole(blocks), tokens - 1).cut).toBe("max_tokens");
  });

  it("keeps the start of a tool's input", () => {
    const [block] = applyTokenLimit(whole([tool]), outputTokensOf(tool) - 3).blocks;
    expect(block?.type === "tool_use" && tool.inputJson.startsWith(block.inputJson)).toBe(true);
  });

  it("forgets a stop sequence that lies behind the limit", () => {
    const stopped = applyStopSequences([text("word ".repeat(100))], ["d ".repeat(1)]);
    expect(applyTokenLimit({ ...stopped, blocks: [text("word ".repeat(90))] }, 10)).toMatchObject({
      cut: "max_tokens",
      stopSequence: null,
    });
  });

  it("never lets more through than the limit", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "grapheme", maxLength: 80 }).map(text), { maxLength: 5 }),
        fc.nat(60),
        (blocks, limit) => {
          const kept = applyTokenLimit(whole([...blocks, tool]), limit).blocks;
          expect(kept.reduce((sum, block) => sum + outputTokensOf(block), 0)).toBeLessThanOrEqual(limit);
        },
      ),
    );
  });
});
