import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Answer, AnswerBlock } from "./answer.ts";
import { SeededRandom } from "./seeded-random.ts";
import { streamFrames } from "./stream-frames.ts";

function answerWith(blocks: readonly AnswerBlock[]): Answer {
  return {
    id: "msg_sandbox_1",
    model: "claude-sonnet-5-5",
    blocks,
    stopReason: "end_turn",
    stopSequence: null,
    hasContextManagement: false,
    usage: {
      inputTokens: 10,
      lateInputTokens: 0,
      cacheReadTokens: 3,
      cacheWrite5mTokens: 2,
      cacheWrite1hTokens: 1,
      outputTokens: 7,
      thinkingTokens: null,
      webSearchRequests: 0,
      serviceTier: "standard",
      inferenceGeo: "global",
      speed: "standard",
    },
  };
}

interface Event {
  readonly name: string;
  readonly data: {
    readonly type: string;
    readonly index?: number;
    readonly delta?: Record<string, string>;
    readonly usage?: object;
  };
}

function eventsOf(answer: Answer, textDeltas: number | null = null): readonly Event[] {
  return [...streamFrames(answer, { random: new SeededRandom("s"), textDeltas })].map(({ text }) => {
    const [, name = "", data = ""] = /^event: (\w+)\ndata: (.*)\n\n$/s.exec(text) ?? [];
    return { name, data: JSON.parse(data) };
  });
}

const text = (content: string): AnswerBlock => ({ type: "text", text: content, citations: [] });

describe("streamFrames", () => {
  it("gives the events of the Messages API in its order", () => {
    const blocks: readonly AnswerBlock[] = [
      { type: "thinking", thinking: "hm", signature: "c2ln", hiddenTokens: 0 },
      text("hi"),
      { type: "tool_use", id: "toolu_1", name: "Bash", inputJson: "{}" },
    ];
    expect(eventsOf(answerWith(blocks)).map((event) => event.data.delta?.["type"] ?? event.name)).toEqual([
      "message_start",
      "content_block_start",
      "ping",
      "thinking_delta",
      "signature_delta",
      "content_block_stop",
      "content_block_start",
      "text_delta",
      "content_block_stop",
      "content_block_start",
      "input_json_delta",
      "input_json_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
  });

  it("names every event as its data does", () => {
    for (const { name, data } of eventsOf(answerWith([text("some words to divide into pieces")])))
      expect(data.type).toBe(name);
  });

  it("reports cumulative usage at the end", () => {
    const last = eventsOf(answerWith([text("hi")])).findLast((event) => event.name === "message_delta");
    expect(last?.data.usage).toMatchObject({
      input_tokens: 10,
      output_tokens: 7,
      cache_read_input_tokens: 3,
      cache_creation_input_tokens: 3,
    });
  });

  it("divides any text into whole characters that join to the same text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", maxLength: 300 }),
        fc.option(fc.integer({ min: 1, max: 60 })),
        (content, count) => {
          const deltas = eventsOf(answerWith([text(content)]), count).flatMap(
            (event) => event.data.delta?.["text"] ?? [],
          );
          expect(deltas.join("")).toBe(content);
          expect(deltas.every((delta) => delta.isWellFormed())).toBe(true);
          if (count !== null) expect(deltas).toHaveLength(count);
        },
      ),
    );
  });
});
