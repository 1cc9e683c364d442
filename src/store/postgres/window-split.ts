const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A half-open span of time, milliseconds since the epoch; `toMs` may be `Infinity`. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Where the entries of a window are summed most cheaply: whole days and hours (UTC) from the rollups, the rest from rows. */
export interface WindowParts {
  readonly days: readonly Span[];
  readonly hours: readonly Span[];
  readonly rows: readonly Span[];
}

/** The coarsest rollup that may be used. */
export type Coarsest = "day" | "hour" | "row";

/** Splits [fromMs, toMs) into parts that neither overlap nor leave anything out. */
export function splitWindow(window: Span, coarsest: Coarsest = "day"): WindowParts {
  if (coarsest === "row") return { days: [], hours: [], rows: nonEmpty([window]) };
  const [hours, rows] = carve(window, HOUR_MS);
  if (coarsest === "hour" || hours === null) return { days: [], hours: nonEmpty([hours]), rows };
  const [days, hoursLeft] = carve(hours, DAY_MS);
  return { days: nonEmpty([days]), hours: hoursLeft, rows };
}

/** The largest run of whole units inside a span, or null, and what is left of the span before and after it. */
function carve(span: Span, unitMs: number): [Span | null, readonly Span[]] {
  const fromMs = Math.ceil(span.fromMs / unitMs) * unitMs;
  const toMs = Math.floor(span.toMs / unitMs) * unitMs;
  if (fromMs >= toMs) return [null, nonEmpty([span])];
  return [
    { fromMs, toMs },
    nonEmpty([
      { fromMs: span.fromMs, toMs: fromMs },
      { fromMs: toMs, toMs: span.toMs },
    ]),
  ];
}

function nonEmpty(spans: readonly (Span | null)[]): Span[] {
  return spans.filter((span): span is Span => span !== null && span.fromMs < span.toMs);
}
