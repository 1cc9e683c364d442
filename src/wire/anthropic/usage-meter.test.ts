import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { emptyUsage, type Usage } from "../../message/usage.ts";
import { UsageMeter } from "./usage-meter.ts";

function metered(...sources: unknown[]): Usage {
  const meter = new UsageMeter();
  for (const source of sources) meter.read(source);
  return meter.result();
}

const tokens = fc.nat(1_000_000);
const reported = fc.record(
  {
    input_tokens: tokens,
    output_tokens: tokens,
    cache_read_input_tokens: tokens,
    server_tool_use: fc.record({ web_search_requests: fc.nat(20) }),
    service_tier: fc.constantFrom("standard", "priority", "batch"),
    speed: fc.constantFrom("fast", "standard"),
    inference_geo: fc.constantFrom("us", "global"),
    cache_creation: fc.record({ ephemeral_5m_input_tokens: tokens, ephemeral_1h_input_tokens: tokens }),
  },
  { requiredKeys: [] },
);

describe("UsageMeter", () => {
  it("reads a whole usage object", () => {
    const usage = metered({
      input_tokens: 10,
      output_tokens: 20,
      cache_read_input_tokens: 30,
      cache_creation_input_tokens: 70,
      cache_creation: { ephemeral_5m_input_tokens: 40, ephemeral_1h_input_tokens: 30 },
      server_tool_use: { web_search_requests: 2 },
      service_tier: "priority",
      speed: "fast",
      inference_geo: "us",
    });

    expect(usage).toEqual({
      inputTokens: 10,
      outputTokens: 20,
      cacheReadTokens: 30,
      cacheWrite5mTokens: 40,
      cacheWrite1hTokens: 30,
      webSearchRequests: 2,
      serviceTier: "priority",
      speed: "fast",
      inferenceGeo: "us",
    });
  });

  it("replaces what is reported again and keeps what is not: fields are cumulative", () => {
    const usage = metered({ input_tokens: 10, output_tokens: 1 }, { output_tokens: 50 }, { output_tokens: 90 });

    expect(usage).toMatchObject({ inputTokens: 10, outputTokens: 90 });
  });

  it("ends with the last value of every field, whatever came before it", () => {
    fc.assert(
      fc.property(fc.array(reported, { minLength: 1, maxLength: 6 }), (sources) => {
        const last = Object.assign({}, ...sources);

        expect(metered(...sources)).toEqual(metered(last));
      }),
    );
  });

  it("changes nothing when the same report comes again", () => {
    const withSum = reported.chain((usage) =>
      fc.option(tokens, { nil: undefined }).map((sum) => ({ ...usage, cache_creation_input_tokens: sum })),
    );
    fc.assert(
      fc.property(withSum, (usage) => {
        expect(metered(usage, usage, usage)).toEqual(metered(usage));
      }),
    );
  });

  describe("cache writes", () => {
    it("count as five-minute ones when only their sum is known", () => {
      expect(metered({ cache_creation_input_tokens: 500 })).toMatchObject({
        cacheWrite5mTokens: 500,
        cacheWrite1hTokens: 0,
      });
    });

    it("are not counted twice when a later report has the sum without the split", () => {
      const split = { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 400 };
      const usage = metered(
        { cache_creation_input_tokens: 500, cache_creation: split },
        { cache_creation_input_tokens: 500 },
      );

      expect(usage).toMatchObject({ cacheWrite5mTokens: 100, cacheWrite1hTokens: 400 });
    });

    it("move to the one-hour price when a later report says so", () => {
      const usage = metered(
        { cache_creation_input_tokens: 500 },
        { cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 500 } },
      );

      expect(usage).toMatchObject({ cacheWrite5mTokens: 0, cacheWrite1hTokens: 500 });
    });

    it("never sum to less than the sum that is reported with them", () => {
      fc.assert(
        fc.property(tokens, tokens, tokens, (short, long, sum) => {
          const usage = metered({
            cache_creation_input_tokens: sum,
            cache_creation: { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long },
          });

          expect(usage.cacheWrite5mTokens + usage.cacheWrite1hTokens).toBe(Math.max(sum, short + long));
          expect(usage.cacheWrite1hTokens).toBe(long);
        }),
      );
    });
  });

  describe("compaction", () => {
    const pass = {
      type: "compaction",
      input_tokens: 1_000,
      output_tokens: 200,
      cache_read_input_tokens: 30,
      cache_creation: { ephemeral_5m_input_tokens: 4, ephemeral_1h_input_tokens: 5 },
    };

    it("is billed on top of the totals, other iterations are part of them", () => {
      const message = { type: "message", input_tokens: 10, output_tokens: 20 };
      const usage = metered({ input_tokens: 10, output_tokens: 20, iterations: [pass, message, pass] });

      expect(usage).toEqual({
        ...emptyUsage(),
        inputTokens: 2_010,
        outputTokens: 420,
        cacheReadTokens: 60,
        cacheWrite5mTokens: 8,
        cacheWrite1hTokens: 10,
      });
    });

    it("is cumulative too: a longer list replaces the shorter one", () => {
      const usage = metered({ input_tokens: 1, iterations: [pass] }, { output_tokens: 5, iterations: [pass, pass] });

      expect(usage).toMatchObject({ inputTokens: 2_001, outputTokens: 405 });
    });

    it("stays when a later report has no list", () => {
      expect(metered({ iterations: [pass] }, { output_tokens: 5 })).toMatchObject({ outputTokens: 205 });
    });
  });

  it("ignores what no count can be", () => {
    const wrong = [-1, 1.5, Number.NaN, Infinity, "7", null, {}, 2 ** 53];
    for (const value of wrong) {
      expect(metered({ input_tokens: 3 }, { input_tokens: value })).toMatchObject({ inputTokens: 3 });
    }
  });

  it("takes any JSON at all without failing", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const usage = metered(value, { iterations: value, cache_creation: value, server_tool_use: value });
        for (const amount of Object.values(usage)) {
          if (typeof amount === "number") expect(amount).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  it("knows whether anything was reported", () => {
    const meter = new UsageMeter();
    for (const nothing of [undefined, null, "usage", 5, []]) meter.read(nothing);
    expect(meter.seen).toBe(false);

    meter.read({});
    expect(meter.seen).toBe(true);
  });
});
