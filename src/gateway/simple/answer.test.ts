import { describe, expect, it } from "vitest";

import { simpleAnswer } from "./answer.ts";

const rewrite = simpleAnswer({ id: "req_1", startedAtMs: performance.now() });

function answerTo(message: unknown): unknown {
  const answer = rewrite(200, Buffer.from(JSON.stringify(message)));
  return answer === null ? null : JSON.parse(answer.body.toString());
}

describe("simpleAnswer", () => {
  it("joins the text and sums up the tokens", () => {
    const message = {
      model: "claude-opus-5",
      content: [
        { type: "thinking", thinking: "hidden" },
        { type: "text", text: "Grüße, " },
        { type: "text", text: "世界" },
      ],
      usage: { input_tokens: 1, output_tokens: 20, cache_read_input_tokens: 300, cache_creation_input_tokens: 4_000 },
    };

    expect(answerTo(message)).toEqual({
      content: "Grüße, 世界",
      model: "claude-opus-5",
      tokens_used: 4_321,
      processing_time: expect.any(Number),
      request_id: "req_1",
    });
  });

  it("takes cache counts that are missing or null for none", () => {
    const usage = { input_tokens: 1, output_tokens: 2, cache_read_input_tokens: null };

    expect(answerTo({ model: "m", content: [], usage })).toMatchObject({ content: "", tokens_used: 3 });
  });

  it("leaves errors as they are", () => {
    expect(rewrite(529, Buffer.from("overloaded"))).toBeNull();
  });
});
