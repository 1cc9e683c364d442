import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { MeteredRow } from "../../store/ports/reports.ts";
import { decimalToInteger, type ProviderUsage, ProviderUsageSums, ReconciliationError } from "./provider-usage.ts";
import { readAnthropicPage } from "./read-anthropic.ts";
import { readBedrockLine } from "./read-bedrock.ts";
import { UsageCsvReader } from "./read-csv.ts";
import { reconcile } from "./reconcile.ts";

const METERED: MeteredRow = {
  day: "2026-11-19",
  model: "claude-opus-5",
  requests: 2,
  inputTokens: 1_000,
  outputTokens: 500,
  cacheReadTokens: 8_000,
  cacheWrite5mTokens: 300,
  cacheWrite1hTokens: 200,
  costMicroUsd: 2_000_000,
  estimated: 0,
  priceVersions: ["2026-11"],
};
const PROVIDER: ProviderUsage = {
  day: "2026-11-19",
  model: "claude-opus-5",
  requests: null,
  inputTokens: 1_000,
  outputTokens: 500,
  cacheReadTokens: 8_000,
  cacheWriteTokens: 500,
  costMicroUsd: 2_000_000,
};

describe("reconciliation", () => {
  it("finds nothing where both agree", () => {
    const result = reconcile([METERED], [PROVIDER], 0);
    expect(result).toMatchObject({ alert: false, tokens: { weir: 10_000, provider: 10_000, drift: 0 } });
    expect(result.rows).toMatchObject([{ cause: null, cost: { drift: 0 } }]);
  });

  it("blames tokens where they differ by more than the threshold, and not at it", () => {
    const more = { ...PROVIDER, inputTokens: 1_200 };
    expect(reconcile([METERED], [more], 0.01).rows).toMatchObject([{ cause: "tokens", tokens: { provider: 10_200 } }]);
    expect(reconcile([METERED], [more], 200 / 10_200).alert).toBe(false);
  });

  it("blames the price where the tokens agree and the dollars do not", () => {
    const dearer = { ...PROVIDER, costMicroUsd: 2_200_000 };
    const changed = { ...METERED, priceVersions: ["2026-11", "2026-12"] };
    expect(reconcile([changed], [dearer], 0.02).rows).toMatchObject([
      { cause: "price", priceVersions: ["2026-11", "2026-12"] },
    ]);
  });

  it("lists what only one side has", () => {
    const other = { ...PROVIDER, model: "claude-haiku-4-5" };
    const { rows, alert } = reconcile([METERED], [other], 0.5);
    expect(alert).toBe(true);
    expect(rows.map(({ model, cause }) => [model, cause])).toEqual([
      ["claude-haiku-4-5", "only_provider"],
      ["claude-opus-5", "only_weir"],
    ]);
  });

  it("does not mind rows of Weir that cost nothing, and that the provider does not know", () => {
    const nothing = {
      inputTokens: 0,
      outputTokens: 0,
      cacheReadTokens: 0,
      cacheWrite5mTokens: 0,
      cacheWrite1hTokens: 0,
    };
    expect(reconcile([{ ...METERED, ...nothing, costMicroUsd: 0 }], [], 0).alert).toBe(false);
  });

  it("compares only what the provider counts", () => {
    const noCost = { ...PROVIDER, cacheReadTokens: null, cacheWriteTokens: null, costMicroUsd: null };
    expect(reconcile([METERED], [noCost], 0).rows).toMatchObject([
      { cause: null, cost: null, tokens: { weir: 1_500 } },
    ]);
    const costAlone = { ...noCost, inputTokens: null, outputTokens: null, costMicroUsd: 1_000_000 };
    expect(reconcile([METERED], [costAlone], 0).rows).toMatchObject([{ cause: "price", tokens: null }]);
  });

  it("keeps charges without a model apart", () => {
    const search = { ...PROVIDER, model: null, costMicroUsd: 10_000 };
    const result = reconcile([METERED], [PROVIDER, search], 0);
    expect(result).toMatchObject({ alert: false, unattributed: [{ day: "2026-11-19", costMicroUsd: 10_000 }] });
  });

  it("given any figures, sums both sides in full", () => {
    const day = fc.constantFrom("2026-11-01", "2026-11-02");
    const model = fc.constantFrom("a", "b", "c");
    const row = fc.tuple(day, model, fc.nat(1_000_000));
    const unique = fc.uniqueArray(row, { selector: ([d, m]) => d + m });
    fc.assert(
      fc.property(unique, unique, (ours, theirs) => {
        const result = reconcile(
          ours.map(([d, m, cost]) => ({ ...METERED, day: d, model: m, costMicroUsd: cost })),
          theirs.map(([d, m, cost]) => ({ ...PROVIDER, day: d, model: m, costMicroUsd: cost })),
          0.02,
        );
        const sum = (rows: readonly (readonly [string, string, number])[]): number =>
          rows.reduce((total, [, , cost]) => total + cost, 0);
        expect(result.cost?.weir ?? 0).toBe(sum(ours));
        expect(result.cost?.provider ?? 0).toBe(sum(theirs));
      }),
    );
  });
});

describe("figures of providers", () => {
  it("are read from the Usage API, and joined with those of the Cost API", () => {
    const sums = new ProviderUsageSums();
    const usage = readAnthropicPage({
      data: [
        {
          starting_at: "2026-11-19T00:00:00Z",
          ending_at: "2026-11-20T00:00:00Z",
          results: [
            {
              uncached_input_tokens: 1_000,
              cache_creation: { ephemeral_1h_input_tokens: 200, ephemeral_5m_input_tokens: 300 },
              cache_read_input_tokens: 8_000,
              output_tokens: 500,
              server_tool_use: { web_search_requests: 1 },
              api_key_id: null,
              workspace_id: null,
              model: "claude-opus-5-20260301",
              service_tier: null,
              context_window: null,
            },
          ],
        },
      ],
      has_more: true,
      next_page: "page_2",
    });
    expect(usage.nextPage).toBe("page_2");
    const cost = readAnthropicPage({
      data: [
        {
          starting_at: "2026-11-19T00:00:00Z",
          ending_at: "2026-11-20T00:00:00Z",
          results: [
            { amount: "150.5", currency: "USD", model: "claude-opus-5-20260301", cost_type: "tokens" },
            { amount: "49.50000049", currency: "USD", model: "claude-opus-5-20260301", cost_type: "tokens" },
            { amount: "1", currency: "USD", model: null, cost_type: "web_search" },
          ],
        },
      ],
      has_more: false,
      next_page: null,
    });
    expect(cost.nextPage).toBeNull();
    for (const row of [...usage.rows, ...cost.rows]) sums.add(row);
    expect(sums.rows()).toMatchObject([PROVIDER, { model: null, costMicroUsd: 10_000 }]);
  });

  it.each([
    [{}, "data is not as in the Usage & Cost API"],
    [{ type: "error", error: { type: "authentication_error", message: "no" } }, "data is not as in"],
    [{ data: [{ starting_at: "yesterday", results: [] }] }, "data.0.starting_at"],
    [{ data: [{ starting_at: "2026-11-19T00:00:00Z", results: [{ amount: "1", currency: "EUR" }] }] }, "EUR"],
  ])("are refused where they are something else: %j", (document, message) => {
    expect(() => readAnthropicPage(document)).toThrow(message);
  });

  it("are read from Bedrock's invocation log", () => {
    const line = {
      schemaType: "ModelInvocationLog",
      schemaVersion: "1.0",
      timestamp: "2026-11-19T23:59:59Z",
      accountId: "123456789012",
      region: "eu-central-1",
      requestId: "915a6a04",
      operation: "InvokeModelWithResponseStream",
      modelId: "eu.anthropic.claude-opus-5-20260301-v1:0",
      input: { inputContentType: "application/json", inputTokenCount: 10, cacheReadInputTokenCount: 4 },
      output: { outputContentType: "application/json", outputTokenCount: 20 },
    };
    expect(readBedrockLine(JSON.stringify(line))).toMatchObject({
      day: "2026-11-19",
      requests: 1,
      inputTokens: 10,
      outputTokens: 20,
      cacheReadTokens: 4,
      costMicroUsd: null,
    });
    expect(readBedrockLine(JSON.stringify({ ...line, errorCode: "ThrottlingException" }))).toBeNull();
    expect(() => readBedrockLine("{}")).toThrow(ReconciliationError);
    expect(() => readBedrockLine("nonsense")).toThrow("no JSON");
  });

  it("are read from a CSV with columns in any order", () => {
    const reader = new UsageCsvReader();
    expect(reader.read("model,day,note,cost_usd,input_tokens\r")).toBeNull();
    expect(reader.read('claude-opus-5,2026-11-19,"a ""note"", quoted",$1.2345678,42')).toMatchObject({
      day: "2026-11-19",
      model: "claude-opus-5",
      inputTokens: 42,
      outputTokens: null,
      costMicroUsd: 1_234_568,
    });
    expect(reader.read("")).toBeNull();
    expect(() => reader.read("m,yesterday,,1,1")).toThrow("is no day");
    expect(() => reader.read("m,2026-11-19,,1,many")).toThrow("is no number");
    expect(() => new UsageCsvReader().read("date,model")).toThrow("there is no column day");
  });

  it("have amounts exact to the micro-dollar, however many decimals", () => {
    fc.assert(
      fc.property(fc.nat(1_000_000_000), (micro) => {
        const cents = `${Math.floor(micro / 10_000)}.${String(micro % 10_000).padStart(4, "0")}`;
        expect(decimalToInteger(cents, 10_000n)).toBe(micro);
        expect(decimalToInteger(`${cents}4999999`, 10_000n)).toBe(micro);
        expect(decimalToInteger(`${cents}5`, 10_000n)).toBe(micro + 1);
      }),
    );
    expect(() => decimalToInteger("12,5", 1n)).toThrow("no amount");
  });
});
