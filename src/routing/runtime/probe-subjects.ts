import type { ProbeSubject } from "../health/probe-schedule.ts";
import type { HealthSettings } from "../settings.ts";
import type { RuntimeBook } from "./runtime-book.ts";

/** The book of upstreams as the probe schedule reads it. */
export function probeSubjects(book: RuntimeBook, nowMs: number, settings: HealthSettings): readonly ProbeSubject[] {
  return Array.from(book.upstreams, (upstream) => ({
    upstream: upstream.name,
    health: upstream.record.at(nowMs, settings).health,
    probedAtMs: upstream.probedAtMs,
    isProbing: upstream.isProbing,
    answeredAtMs: upstream.answeredAtMs,
  }));
}
