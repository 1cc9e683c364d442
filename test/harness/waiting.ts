import { setTimeout as sleep } from "node:timers/promises";

const EVERY_MS = 20;

/** Asks until the answer is neither null nor false, and gives it; rejects with `what` after `timeoutMs`. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | null | false> | T | null | false,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== null && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`);
    await sleep(EVERY_MS);
  }
}

/** The promise's value, or a rejection with `what` when it does not come within `timeoutMs`. */
export async function within<T>(what: string, promise: Promise<T>, timeoutMs = 10_000): Promise<T> {
  const done = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: done.signal }).then(() => {
    throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
  });
  // Aborted once the promise has settled.
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    done.abort();
  }
}
