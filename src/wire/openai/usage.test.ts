import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  chatUsage,
  messagesUsage,
  noTokens,
  readChatUsage,
  readMessagesUsage,
  readResponsesUsage,
  responsesUsage,
} from "./usage.ts";

const count = fc.nat({ max: 10_000_000 });
const counts = fc.record({
  inputTokens: count,
  cacheReadTokens: count,
  cacheWriteTokens: count,
  outputTokens: count,
  reasoningTokens: count,
});

describe("usage in every format", () => {
  it("comes back the same from each", () => {
    fc.assert(
      fc.property(counts, (tokens) => {
        expect(readChatUsage(chatUsage(tokens))).toEqual(tokens);
        expect(readResponsesUsage(responsesUsage(tokens))).toEqual(tokens);
        const read = noTokens();
        readMessagesUsage(messagesUsage(tokens), read);
        expect(read).toEqual(tokens);
      }),
    );
  });

  it("counts no token twice: OpenAI's prompt has the cache in it, Messages' input has not", () => {
    const usage = { prompt_tokens: 100, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 60 } };
    expect(readChatUsage(usage)).toMatchObject({ inputTokens: 40, cacheReadTokens: 60 });
  });

  it("is never negative, whatever a server reports", () => {
    const usage = { prompt_tokens: 10, prompt_tokens_details: { cached_tokens: 99, cache_write_tokens: 5 } };
    expect(readChatUsage(usage)).toMatchObject({ inputTokens: 0, cacheReadTokens: 10, cacheWriteTokens: 0 });
    expect(readChatUsage({ prompt_tokens: -1, completion_tokens: "x" })).toEqual(noTokens());
    expect(readChatUsage(null)).toBeNull();
  });

  it("keeps what a later report does not repeat", () => {
    const read = noTokens();
    readMessagesUsage({ input_tokens: 7, cache_read_input_tokens: 8, output_tokens: 1 }, read);
    readMessagesUsage({ output_tokens: 9 }, read);
    expect(read).toMatchObject({ inputTokens: 7, cacheReadTokens: 8, outputTokens: 9 });
  });
});
