/** Pairs of [value, count], ascending. */
export type Histogram = readonly (readonly [value: number, count: number])[];

/** The middle of several rounds and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Throws on an empty list: a missing measurement must not become a number. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)];
  const high = sorted[Math.floor(sorted.length / 2)];
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (low === undefined || high === undefined || min === undefined || max === undefined)
    throw new Error("no values to take the median of");
  return { median: (low + high) / 2, min, max };
}

/** The smallest value that at least `share` (0..1) of the observations do not exceed; undefined when there are none. */
export function quantile(histogram: Histogram, share: number): number | undefined {
  const total = histogram.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  for (const [value, count] of histogram) {
    seen += count;
    if (seen >= share * total) return value;
  }
  return undefined;
}
