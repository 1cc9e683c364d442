/** Units of a span of time as people write it. Months and years are those of the calendar. */
type SpanUnit = "minutes" | "hours" | "days" | "weeks" | "months" | "years";

/** A span of time such as `90d`, not yet laid on the calendar. */
export interface Span {
  readonly count: number;
  readonly unit: SpanUnit;
}

const UNITS: Readonly<Record<string, SpanUnit>> = {
  m: "minutes",
  min: "minutes",
  h: "hours",
  d: "days",
  w: "weeks",
  mo: "months",
  y: "years",
};
const MAX_COUNT = 100_000;

/** Reads `30m`, `24h`, `90d`, `2w`, `6mo`, `1y`. Throws RangeError saying what is allowed. */
export function parseSpan(text: string): Span {
  const [, digits = "", letters = ""] = /^(\d+)\s*([a-z]+)$/i.exec(text.trim()) ?? [];
  const unit = UNITS[letters.toLowerCase()];
  const count = Number(digits);
  if (unit === undefined || count < 1 || count > MAX_COUNT) {
    throw new RangeError(`${JSON.stringify(text)} is no span of time: write for example 30m, 24h, 7d, 2w, 6mo or 1y`);
  }
  return { count, unit };
}

/** The moment one span after `fromMs` on the calendar of `timeZone`, milliseconds since the epoch. */
export function addSpan(fromMs: number, { count, unit }: Span, timeZone: string): number {
  return zoned(fromMs, timeZone).add({ [unit]: count }).epochMilliseconds;
}

/**
 * The start of "the last 7 days", today included: whole days on the calendar of `timeZone` for days and longer units, to
 * the millisecond for hours and minutes.
 */
export function startOfLast({ count, unit }: Span, nowMs: number, timeZone: string): number {
  const now = zoned(nowMs, timeZone);
  if (unit === "minutes" || unit === "hours") return now.subtract({ [unit]: count }).epochMilliseconds;
  return now
    .toPlainDate()
    .subtract({ [unit]: count })
    .add({ days: 1 })
    .toZonedDateTime(timeZone).epochMilliseconds;
}

function zoned(atMs: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(Math.floor(atMs)).toZonedDateTimeISO(timeZone);
}
