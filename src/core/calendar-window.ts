/** The spans over which budgets run. Weeks begin on Monday. */
export type WindowKind = "day" | "week" | "month" | "total";

/** A half-open span of wall-clock time, milliseconds since the epoch. `total` has no end (`Infinity`). */
export interface WindowSpan {
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * The window of `kind` that contains `atMs` in `timeZone` (an IANA name). Safe across daylight saving: a day starts at the
 * zone's first moment of the date and ends where the next one starts, so it may have 23 or 25 hours.
 */
export function windowAt(kind: WindowKind, atMs: number, timeZone: string): WindowSpan {
  if (kind === "total") return { startMs: 0, endMs: Number.POSITIVE_INFINITY };
  const date = Temporal.Instant.fromEpochMilliseconds(Math.floor(atMs)).toZonedDateTimeISO(timeZone).toPlainDate();
  const first = firstDay(kind, date);
  return { startMs: startOfDay(first, timeZone), endMs: startOfDay(first.add(LENGTH[kind]), timeZone) };
}

const LENGTH = { day: { days: 1 }, week: { days: 7 }, month: { months: 1 } } as const;

function firstDay(kind: "day" | "week" | "month", date: Temporal.PlainDate): Temporal.PlainDate {
  if (kind === "week") return date.subtract({ days: date.dayOfWeek - 1 });
  return kind === "month" ? date.with({ day: 1 }) : date;
}

function startOfDay(date: Temporal.PlainDate, timeZone: string): number {
  return date.toZonedDateTime(timeZone).epochMilliseconds;
}
