/** Outcomes of a part of the window. */
interface Bucket {
  /** The number of its part since the origin of time. */
  readonly part: number;
  readonly ok: number;
  readonly failed: number;
}

/**
 * Outcomes of the last while, in equal parts. Immutable: adding gives a new window that shares the finished parts, so an
 * outcome costs one small object.
 */
export interface OutcomeWindow {
  readonly current: Bucket;
  /** Finished parts, oldest first. */
  readonly finished: readonly Bucket[];
}

export interface Outcomes {
  readonly ok: number;
  readonly failed: number;
}

const NO_BUCKETS: readonly Bucket[] = [];

export const EMPTY_WINDOW: OutcomeWindow = { current: { part: -1, ok: 0, failed: 0 }, finished: NO_BUCKETS };

export interface WindowShape {
  readonly windowMs: number;
  readonly windowBuckets: number;
}

/** The window with one more outcome. Time that goes back counts as the present part. */
export function withOutcome(window: OutcomeWindow, failed: boolean, nowMs: number, shape: WindowShape): OutcomeWindow {
  const { current } = window;
  const part = Math.max(current.part, partAt(nowMs, shape));
  const ok = failed ? 0 : 1;
  if (part === current.part) {
    const added = { part, ok: current.ok + ok, failed: current.failed + 1 - ok };
    return { current: added, finished: window.finished };
  }
  const oldest = part - shape.windowBuckets;
  const finished = current.part < 0 ? NO_BUCKETS : [...window.finished, current].filter((b) => b.part > oldest);
  return { current: { part, ok, failed: 1 - ok }, finished };
}

/** What the window holds at this moment. */
export function outcomesAt(window: OutcomeWindow, nowMs: number, shape: WindowShape): Outcomes {
  const oldest = Math.max(window.current.part, partAt(nowMs, shape)) - shape.windowBuckets;
  let ok = 0;
  let failed = 0;
  if (window.current.part > oldest) {
    ok += window.current.ok;
    failed += window.current.failed;
  }
  for (const bucket of window.finished) {
    if (bucket.part <= oldest) continue;
    ok += bucket.ok;
    failed += bucket.failed;
  }
  return { ok, failed };
}

/** Failed of all, 0 when there are none. */
export function errorRate({ ok, failed }: Outcomes): number {
  return failed === 0 ? 0 : failed / (ok + failed);
}

function partAt(nowMs: number, shape: WindowShape): number {
  return Math.floor(nowMs / (shape.windowMs / shape.windowBuckets));
}
