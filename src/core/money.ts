/**
 * Money is an integer number of micro-dollars (1 USD = 1,000,000) in a JavaScript number. Every value stays far
 * below 2^53 (9 billion dollars), so addition is exact; products go through `mulDivRound`.
 */
export type MicroUsd = number;

/** One US dollar in micro-dollars. */
export const MICRO_PER_USD = 1_000_000;

/**
 * `numerator / denominator`, rounded half up, for a sum of products already accumulated exactly as a BigInt.
 * Both must be non-negative.
 */
export function divideRoundHalfUp(numerator: bigint, denominator: bigint): MicroUsd {
  return Number((numerator * 2n + denominator) / (denominator * 2n));
}

/** Dollars as written by a person (`12.5`, `"12.50"`) to micro-dollars. Throws RangeError on more than six decimals. */
export function parseUsd(text: string | number): MicroUsd {
  const written = typeof text === "number" ? expand(text) : text.trim();
  const match = /^(-?)(\d+)(?:\.(\d{1,6})0*)?$/.exec(written);
  if (match === null) throw new RangeError(`not an amount in dollars with at most six decimals: ${written}`);
  const [, sign, whole = "0", fraction = ""] = match;
  const micro = Number(whole) * MICRO_PER_USD + Number(fraction.padEnd(6, "0"));
  if (!Number.isSafeInteger(micro)) throw new RangeError(`amount out of range: ${written}`);
  return sign === "-" ? -micro : micro;
}

/** Micro-dollars as a plain decimal in dollars with at least two and at most six decimals: `0.10`, `0.000125`. */
export function formatUsd(micro: MicroUsd): string {
  const absolute = Math.abs(micro);
  const whole = Math.floor(absolute / MICRO_PER_USD);
  const fraction = String(absolute % MICRO_PER_USD)
    .padStart(6, "0")
    .replace(/0{1,4}$/, "");
  return `${micro < 0 ? "-" : ""}${whole}.${fraction}`;
}

/** A number without exponent notation, as `String` would write very small or large ones. */
function expand(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const plain = String(value);
  return plain.includes("e") ? value.toFixed(20).replace(/\.?0+$/, "") : plain;
}
