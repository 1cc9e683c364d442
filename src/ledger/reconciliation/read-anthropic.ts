import { z } from "zod";

import { decimalToInteger, type ProviderUsage, ReconciliationError } from "./provider-usage.ts";

/** Micro-dollars in a cent: the Cost API gives decimals of the currency's lowest unit. */
const MICRO_PER_CENT = 10_000n;

const tokens = z.int().min(0).nullish();
const usageResult = z.object({
  uncached_input_tokens: z.int().min(0),
  output_tokens: z.int().min(0),
  cache_read_input_tokens: tokens,
  cache_creation: z.object({ ephemeral_5m_input_tokens: tokens, ephemeral_1h_input_tokens: tokens }).nullish(),
  model: z.string().nullish(),
});
const costResult = z.object({
  amount: z.union([z.string(), z.number()]),
  currency: z.string().optional(),
  model: z.string().nullish(),
});
const page = z.object({
  data: z.array(
    z.object({
      starting_at: z.iso.datetime({ offset: true }),
      ending_at: z.iso.datetime({ offset: true }).optional(),
      results: z.array(z.union([usageResult, costResult])),
    }),
  ),
  has_more: z.boolean().optional(),
  next_page: z.string().nullish(),
});

export interface AnthropicPage {
  readonly rows: readonly ProviderUsage[];
  /** What to ask for next; null at the last page. */
  readonly nextPage: string | null;
}

/**
 * One page of Anthropic's Usage API (`/v1/organizations/usage_report/messages`, grouped by model) or of its Cost API
 * (`/v1/organizations/cost_report`, grouped by description). Buckets of minutes and hours are taken as well: they fall
 * within their day. Throws ReconciliationError when it is neither.
 */
export function readAnthropicPage(document: unknown): AnthropicPage {
  const read = page.safeParse(document);
  if (!read.success) {
    const [issue] = read.error.issues;
    const where = issue === undefined || issue.path.length === 0 ? "the document" : issue.path.join(".");
    throw new ReconciliationError(`${where} is not as in the Usage & Cost API: ${issue?.message ?? "not valid"}`);
  }
  const rows = read.data.data.flatMap((bucket) => {
    const day = new Date(bucket.starting_at).toISOString().slice(0, 10);
    return bucket.results.map((result) => ("amount" in result ? costRow(day, result) : usageRow(day, result)));
  });
  return { rows, nextPage: read.data.has_more === true ? (read.data.next_page ?? null) : null };
}

function usageRow(day: string, result: z.infer<typeof usageResult>): ProviderUsage {
  const written = result.cache_creation;
  return {
    day,
    model: result.model ?? null,
    requests: null,
    inputTokens: result.uncached_input_tokens,
    outputTokens: result.output_tokens,
    cacheReadTokens: result.cache_read_input_tokens ?? 0,
    cacheWriteTokens: (written?.ephemeral_5m_input_tokens ?? 0) + (written?.ephemeral_1h_input_tokens ?? 0),
    costMicroUsd: null,
  };
}

function costRow(day: string, result: z.infer<typeof costResult>): ProviderUsage {
  if (result.currency !== undefined && result.currency !== "USD") {
    throw new ReconciliationError(`the report is in ${result.currency}; Weir compares US dollars`);
  }
  return {
    day,
    model: result.model ?? null,
    requests: null,
    inputTokens: null,
    outputTokens: null,
    cacheReadTokens: null,
    cacheWriteTokens: null,
    costMicroUsd: decimalToInteger(String(result.amount), MICRO_PER_CENT),
  };
}
