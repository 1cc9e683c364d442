import { type JsonObject, type JsonRecord, isObject } from "./json-reader.ts";

/** Tokens of one answer. `inputTokens` has neither cache reads nor cache writes in it, as Messages counts. */
export interface TokenCounts {
  inputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  outputTokens: number;
  /** Part of `outputTokens`; null when the upstream does not tell. */
  reasoningTokens: number | null;
}

export function noTokens(): TokenCounts {
  return { inputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 0, reasoningTokens: null };
}

/** Takes what a Messages `usage` object says; what it does not say stays as it was (counts are cumulative). */
export function readMessagesUsage(usage: unknown, counts: TokenCounts): void {
  if (!isObject(usage)) return;
  counts.inputTokens = count(usage["input_tokens"], counts.inputTokens);
  counts.cacheReadTokens = count(usage["cache_read_input_tokens"], counts.cacheReadTokens);
  counts.cacheWriteTokens = count(usage["cache_creation_input_tokens"], counts.cacheWriteTokens);
  counts.outputTokens = count(usage["output_tokens"], counts.outputTokens);
  const details = usage["output_tokens_details"];
  if (isObject(details) && typeof details["thinking_tokens"] === "number") {
    counts.reasoningTokens = count(details["thinking_tokens"], 0);
  }
}

/** A Chat Completions `usage` object. `prompt_tokens` counts every token of the prompt, from the cache or not. */
export function chatUsage(counts: TokenCounts): JsonRecord {
  const prompt = counts.inputTokens + counts.cacheReadTokens + counts.cacheWriteTokens;
  return {
    prompt_tokens: prompt,
    completion_tokens: counts.outputTokens,
    total_tokens: prompt + counts.outputTokens,
    prompt_tokens_details: promptDetails(counts),
    ...(counts.reasoningTokens === null
      ? {}
      : { completion_tokens_details: { reasoning_tokens: counts.reasoningTokens } }),
  };
}

/** A Responses `usage` object. */
export function responsesUsage(counts: TokenCounts): JsonRecord {
  const input = counts.inputTokens + counts.cacheReadTokens + counts.cacheWriteTokens;
  return {
    input_tokens: input,
    input_tokens_details: promptDetails(counts),
    output_tokens: counts.outputTokens,
    output_tokens_details: { reasoning_tokens: counts.reasoningTokens ?? 0 },
    total_tokens: input + counts.outputTokens,
  };
}

function promptDetails(counts: TokenCounts): JsonRecord {
  return { cached_tokens: counts.cacheReadTokens, cache_write_tokens: counts.cacheWriteTokens };
}

/** Counts of a Chat Completions `usage` object; null when it is none. */
export function readChatUsage(usage: unknown): TokenCounts | null {
  if (!isObject(usage)) return null;
  return split({
    input: count(usage["prompt_tokens"], 0),
    output: count(usage["completion_tokens"], 0),
    inputDetails: usage["prompt_tokens_details"],
    outputDetails: usage["completion_tokens_details"],
  });
}

/** Counts of a Responses `usage` object; null when it is none. */
export function readResponsesUsage(usage: unknown): TokenCounts | null {
  if (!isObject(usage)) return null;
  return split({
    input: count(usage["input_tokens"], 0),
    output: count(usage["output_tokens"], 0),
    inputDetails: usage["input_tokens_details"],
    outputDetails: usage["output_tokens_details"],
  });
}

interface Reported {
  readonly input: number;
  readonly output: number;
  readonly inputDetails: unknown;
  readonly outputDetails: unknown;
}

/** Takes the cache's part out of the prompt. Parts that exceed the whole, which some servers report, are cut to it. */
function split({ input, output, inputDetails, outputDetails }: Reported): TokenCounts {
  const details: JsonObject = isObject(inputDetails) ? inputDetails : {};
  const cacheReadTokens = Math.min(count(details["cached_tokens"], 0), input);
  const cacheWriteTokens = Math.min(count(details["cache_write_tokens"], 0), input - cacheReadTokens);
  const reasoning = isObject(outputDetails) ? outputDetails["reasoning_tokens"] : undefined;
  return {
    inputTokens: input - cacheReadTokens - cacheWriteTokens,
    cacheReadTokens,
    cacheWriteTokens,
    outputTokens: output,
    reasoningTokens: typeof reasoning === "number" ? count(reasoning, 0) : null,
  };
}

/** A Messages `usage` object. */
export function messagesUsage(counts: TokenCounts): JsonRecord {
  return {
    input_tokens: counts.inputTokens,
    cache_creation_input_tokens: counts.cacheWriteTokens,
    cache_read_input_tokens: counts.cacheReadTokens,
    output_tokens: counts.outputTokens,
    ...(counts.reasoningTokens === null ? {} : { output_tokens_details: { thinking_tokens: counts.reasoningTokens } }),
  };
}

function count(value: unknown, otherwise: number): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : otherwise;
}
