const HINT = "write for example 2026-11-20, 2026-11-20T14:30 or 2026-11-20T14:30:00Z";

/** A moment as people write it: a date, a date and time, or an instant with its offset. */
export type Moment =
  | { readonly kind: "date"; readonly date: Temporal.PlainDate }
  | { readonly kind: "local"; readonly dateTime: Temporal.PlainDateTime }
  | { readonly kind: "instant"; readonly instant: Temporal.Instant };

/** Reads an ISO 8601 date, local date and time, or instant. Throws RangeError saying what is allowed. */
export function parseMoment(text: string): Moment {
  const written = text.trim();
  try {
    if (/^\d{4}-\d{2}-\d{2}$/.test(written)) return { kind: "date", date: Temporal.PlainDate.from(written) };
    if (/^\d{4}-\d{2}-\d{2}[T ][\d:.]+$/.test(written)) {
      return { kind: "local", dateTime: Temporal.PlainDateTime.from(written) };
    }
    if (/^\d{4}-\d{2}-\d{2}[T ]/.test(written)) return { kind: "instant", instant: Temporal.Instant.from(written) };
  } catch {
    // Temporal says "invalid" in its own words; ours tell what to write.
    throw new RangeError(`${JSON.stringify(text)} is no date that exists: ${HINT}`);
  }
  throw new RangeError(`${JSON.stringify(text)} is no date: ${HINT}`);
}

/** The moment in milliseconds since the epoch; a date alone means its start, or with `end` the start of the next day. */
export function momentMs(moment: Moment, timeZone: string, edge: "start" | "end" = "start"): number {
  if (moment.kind === "instant") return moment.instant.epochMilliseconds;
  if (moment.kind === "local") return moment.dateTime.toZonedDateTime(timeZone).epochMilliseconds;
  return moment.date.add({ days: edge === "end" ? 1 : 0 }).toZonedDateTime(timeZone).epochMilliseconds;
}
