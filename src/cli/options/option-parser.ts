import { InvalidArgumentError } from "commander";

import { parseUsd } from "../../core/money.ts";

/** A parser for commander: what `parse` throws as RangeError becomes a usage error that names the option. */
export function optionParser<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof RangeError) throw new InvalidArgumentError(sentence(error.message));
      throw error;
    }
  };
}

/** A whole number from `least` to `most`. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return optionParser((text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new RangeError(`write a whole number from ${least} to ${most}`);
  });
}

/** A positive amount in US dollars, as micro-dollars. */
export const positiveUsd = optionParser((text) => {
  const amount = parseUsd(text.trim().replace(/^\$/, ""));
  if (amount > 0) return amount;
  throw new RangeError("write a positive amount in US dollars, for example 25 or 12.50");
});

/** A list separated by commas, each entry read by `check`, which throws RangeError. May be given several times. */
export function listOf(check: (entry: string) => string): (text: string, before?: readonly string[]) => string[] {
  const parse = optionParser((text: string) => {
    const entries = text.split(",").map((entry) => entry.trim());
    if (entries.includes("")) throw new RangeError("write a list separated by commas, without empty entries");
    return entries.map(check);
  });
  return (text, before = []) => [...new Set([...before, ...parse(text)])];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
