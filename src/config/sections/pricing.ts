import { z } from "zod";

import { parseUsd } from "../../core/money.ts";
import { checked } from "../fields/checked.ts";
import { positiveUsd } from "../fields/usd.ts";

/** A factor below this is a discount, above 1 a mark-up; beyond it is a slip such as 85 for 0.85. */
const MAX_MULTIPLIER = 10;

const multiplier = checked(z.number().positive().max(MAX_MULTIPLIER), (value) => {
  try {
    parseUsd(value);
    return null;
  } catch {
    // parseUsd refuses what has more than six decimals; a factor is held to the same precision as money.
    return { message: "must have at most six decimals", fix: "Round it, for example 0.85." };
  }
});

const override = z.strictObject({
  upstream: z.string().min(1).describe("Name of the upstream that the rates are for."),
  model: z.string().min(1).describe("Model id, as clients send it or as the upstream knows it; case does not matter."),
  input: positiveUsd().describe("US dollars per million input tokens."),
  output: positiveUsd().describe("US dollars per million output tokens."),
  cache_read: positiveUsd().describe("US dollars per million tokens read from the prompt cache."),
  cache_write: positiveUsd().describe("US dollars per million tokens written to the 5-minute prompt cache."),
  cache_write_1h: positiveUsd()
    .optional()
    .describe("US dollars per million tokens written to the 1-hour prompt cache; `cache_write` unless set."),
});

/** What is charged instead of list price. */
export const pricing = z
  .strictObject({
    multiplier: multiplier
      .default(1)
      .describe(
        "Factor on every metered amount: 0.85 for a 15 % discount. Above 0, at most 10; above 1 is a mark-up for internal charging. Web searches keep their list price times this factor.",
      ),
    overrides: z.array(override).default([]).describe("Contracted rates of single models on single upstreams."),
  })
  .prefault({})
  .describe("Contracted prices. Amounts are US dollars with at most six decimals. No `admin` section is needed.");
