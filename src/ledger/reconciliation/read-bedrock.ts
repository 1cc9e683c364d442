import { z } from "zod";

import { type ProviderUsage, ReconciliationError } from "./provider-usage.ts";

const tokens = z.int().min(0).nullish();
const record = z.object({
  schemaType: z.literal("ModelInvocationLog"),
  timestamp: z.iso.datetime({ offset: true }),
  modelId: z.string(),
  errorCode: z.string().nullish(),
  input: z
    .object({ inputTokenCount: tokens, cacheReadInputTokenCount: tokens, cacheWriteInputTokenCount: tokens })
    .nullish(),
  output: z.object({ outputTokenCount: tokens }).nullish(),
});

/**
 * One line of Amazon Bedrock's model invocation log; null for an invocation that failed, which costs nothing. The log knows
 * tokens, no prices. Throws ReconciliationError when the line is something else.
 */
export function readBedrockLine(line: string): ProviderUsage | null {
  let document: unknown;
  try {
    document = JSON.parse(line);
  } catch {
    throw new ReconciliationError("it is no JSON");
  }
  const read = record.safeParse(document);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new ReconciliationError(`it is no ModelInvocationLog: ${issue?.path.join(".")} ${issue?.message}`);
  }
  const { timestamp, modelId, errorCode, input, output } = read.data;
  if (errorCode !== undefined && errorCode !== null) return null;
  return {
    day: new Date(timestamp).toISOString().slice(0, 10),
    model: modelId,
    requests: 1,
    inputTokens: input?.inputTokenCount ?? 0,
    outputTokens: output?.outputTokenCount ?? 0,
    cacheReadTokens: input?.cacheReadInputTokenCount ?? 0,
    cacheWriteTokens: input?.cacheWriteInputTokenCount ?? 0,
    costMicroUsd: null,
  };
}
