import { appendFileSync } from "node:fs";

/**
 * Notes a measured figure, for docs/promises.md, in the file that `WEIR_FIGURES` names (one JSON line each); does nothing
 * where it is not set. Tests assert what must hold and note how well it did.
 */
export function noteFigure(promise: number, what: string, figures: Readonly<Record<string, number | string>>): void {
  const file = process.env["WEIR_FIGURES"];
  if (file === undefined || file === "") return;
  appendFileSync(file, `${JSON.stringify({ promise, what, ...figures, at: new Date().toISOString() })}\n`);
}

/** Median, 99th percentile and maximum of some measurements, rounded to tenths. */
export function spread(values: readonly number[]): {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
} {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return Math.round(value * 10) / 10;
  };
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
