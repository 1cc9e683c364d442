import { z } from "zod";

import { parseUsd } from "../../core/money.ts";
import { checked } from "./checked.ts";

type Usd = z.ZodUnion<readonly [z.ZodNumber, z.ZodString]>;

/**
 * A positive amount in US dollars as a number or as text, with at most six decimals, so that it is a whole number of
 * micro-dollars. Read it with `parseUsd`.
 */
export function positiveUsd(): Usd {
  return usd("a positive ", (micro) => micro > 0);
}

/** The same, and nothing is an amount too. */
export function nonNegativeUsd(): Usd {
  return usd("an ", (micro) => micro >= 0);
}

function usd(kind: string, fits: (micro: number) => boolean): Usd {
  const amount = z.union([z.number(), z.string()], { error: "must be an amount in US dollars" });
  return checked(amount, (value) => {
    const micro = microOf(value);
    if (micro !== null && fits(micro)) return null;
    return {
      message: `must be ${kind}amount in US dollars with at most six decimals`,
      fix: "Write a plain decimal without currency sign, for example 3.75.",
    };
  });
}

/** Micro-dollars; null when it is no such amount. */
function microOf(value: number | string): number | null {
  try {
    return parseUsd(value);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
