import { z } from "zod";

import { parseUsd } from "../../core/money.ts";
import { checked } from "./checked.ts";

/**
 * A positive amount in US dollars as a number or as text, with at most six decimals, so that it is a whole number of
 * micro-dollars. Read it with `parseUsd`.
 */
export function positiveUsd(): z.ZodUnion<readonly [z.ZodNumber, z.ZodString]> {
  const amount = z.union([z.number(), z.string()], { error: "must be an amount in US dollars" });
  return checked(amount, (value) => {
    if (isPositiveUsd(value)) return null;
    return {
      message: "must be a positive amount in US dollars with at most six decimals",
      fix: "Write a plain decimal without currency sign, for example 3.75.",
    };
  });
}

function isPositiveUsd(value: number | string): boolean {
  try {
    return parseUsd(value) > 0;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
