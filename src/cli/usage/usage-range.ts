import { CliError } from "../cli-error.ts";
import { type Moment, momentMs } from "../options/parse-moment.ts";
import { type Span, startOfLast } from "../options/parse-span.ts";

/** A half-open span of time [fromMs, toMs), milliseconds since the epoch. */
export interface UsageRange {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface RangeOptions {
  readonly from?: Moment;
  /** A date alone includes that day. */
  readonly to?: Moment;
  readonly last?: Span;
}

const DEFAULT_LAST: Span = { count: 7, unit: "days" };

/** The span that a report is about: the last 7 days unless the options say otherwise. Throws CliError when it is empty. */
export function usageRange({ from, to, last }: RangeOptions, nowMs: number, timeZone: string): UsageRange {
  // What was admitted in this very millisecond counts.
  const toMs = to === undefined ? nowMs + 1 : momentMs(to, timeZone, "end");
  const fromMs = from === undefined ? startOfLast(last ?? DEFAULT_LAST, toMs - 1, timeZone) : momentMs(from, timeZone);
  if (fromMs < toMs) return { fromMs, toMs };
  throw new CliError("usage", `the report would be empty: it begins at ${iso(fromMs)} and ends at ${iso(toMs)}`, {
    remedy: "Give --from an earlier time, or --to a later one.",
  });
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}
