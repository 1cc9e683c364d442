import type { ProbeSettings } from "../settings.ts";
import type { Health } from "./health-state.ts";

/** What the schedule knows of one upstream. Times are monotonic milliseconds, -Infinity for never. */
export interface ProbeSubject {
  readonly upstream: string;
  readonly health: Health;
  /** When the last probe began. */
  readonly probedAtMs: number;
  readonly isProbing: boolean;
  /** When a request of a client was last answered there: better evidence than any probe. */
  readonly answeredAtMs: number;
}

/**
 * The upstreams to probe now, the most urgent first. Pure: the same book gives the same answer. Every upstream has its own
 * phase (from `seed`, different in each replica) and its own jitter for each probe, a process has at most `maxConcurrent` under
 * way, and all replicas together stay under `maxPerMinute` for each upstream.
 */
export function dueProbes(
  book: readonly ProbeSubject[],
  nowMs: number,
  settings: ProbeSettings,
  seed: number,
): readonly string[] {
  if (!settings.enabled) return [];
  const room = settings.maxConcurrent - book.filter(({ isProbing }) => isProbing).length;
  if (room <= 0) return [];
  const due = book
    .map((subject) => ({ subject, lateMs: nowMs - dueAtMs(subject, settings, seed) }))
    .filter(({ subject, lateMs }) => !subject.isProbing && lateMs >= 0 && !isKnownWell(subject, nowMs, settings))
    .sort((a, b) => urgency(b.subject) - urgency(a.subject) || b.lateMs - a.lateMs);
  return due.slice(0, room).map(({ subject }) => subject.upstream);
}

/** When the next probe of an upstream is due. */
export function dueAtMs(subject: ProbeSubject, settings: ProbeSettings, seed: number): number {
  const wanted = subject.health === "healthy" ? settings.intervalMs : settings.unhealthyIntervalMs;
  const intervalMs = Math.max(wanted, (60_000 * settings.replicas) / settings.maxPerMinute);
  if (subject.probedAtMs === -Infinity) return intervalMs * unitHash(subject.upstream, seed);
  // The time of the last probe makes each draw a new one, and the same however often it is asked for. Only ever later: the cap
  // on probes a minute holds in every draw.
  const draw = unitHash(`${subject.upstream} ${subject.probedAtMs}`, seed);
  return subject.probedAtMs + intervalMs * (1 + settings.jitter * draw);
}

/** Clients' requests are being answered: a probe would tell nothing new. */
function isKnownWell(subject: ProbeSubject, nowMs: number, settings: ProbeSettings): boolean {
  return subject.health === "healthy" && nowMs - subject.answeredAtMs < settings.intervalMs;
}

function urgency({ health }: ProbeSubject): number {
  return health === "unhealthy" ? 2 : health === "degraded" ? 1 : 0;
}

/** A number in [0, 1) from a text and a seed (FNV-1a with a final mix). */
function unitHash(text: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000;
}
