import type { JournalPosition } from "./journal.ts";

/** Negative when `a` comes before `b`, zero when they are the same place. */
export function comparePositions(a: JournalPosition, b: JournalPosition): number {
  return a.segment - b.segment || a.offset - b.offset;
}
