import type { Clock } from "../../../core/clock.ts";
import type { ClosedLoad } from "../plan/load-plan.ts";
import { hash32, seededRandom, type Random } from "../random.ts";
import type { Pacer } from "./pacer.ts";
import type { RateCap } from "./rate-cap.ts";

/** What a user needs to send a request; resolves when it has ended. */
type SendAsUser = (order: {
  readonly user: number;
  readonly sequence: number;
  readonly dueMs: number;
  readonly random: Random;
}) => Promise<void>;

export interface ClosedLoadOptions {
  /** The users to run, out of all of the plan's: those of this thread. */
  readonly users: readonly number[];
  readonly seed: number;
  readonly clock: Clock;
  readonly pacer: Pacer;
  readonly cap: RateCap;
  readonly startMs: number;
  readonly measureFromMs: number;
  /** No request is sent any more once it aborts. */
  readonly signal: AbortSignal;
  readonly send: SendAsUser;
  readonly onCapped: () => void;
}

/** Lets the users send their requests; resolves when the last of them is done and has its last answer. */
export async function runClosedLoad(load: ClosedLoad, options: ClosedLoadOptions): Promise<void> {
  await Promise.all(options.users.map((user) => runUser(load, user, options)));
}

async function runUser(load: ClosedLoad, user: number, options: ClosedLoadOptions): Promise<void> {
  const { clock, pacer, signal, measureFromMs } = options;
  const random = seededRandom(options.seed, hash32(`user ${user}`));
  const endMs = load.durationMs === null ? Infinity : measureFromMs + load.durationMs;
  await pacer.until(options.startMs + (load.rampMs * user) / load.users, signal);
  let measured = 0;
  for (let sequence = 0; ; sequence++) {
    await waitForCap(options);
    const dueMs = clock.monotonicMs();
    if (signal.aborted || dueMs >= endMs) return;
    if (dueMs >= measureFromMs) measured += 1;
    await options.send({ user, sequence, dueMs, random });
    if (load.requestsPerUser !== null && measured >= load.requestsPerUser) return;
    const thinkMs = load.thinkMinMs + (load.thinkMaxMs - load.thinkMinMs) * random.next();
    if (thinkMs > 0) await pacer.until(Math.min(endMs, clock.monotonicMs() + thinkMs), signal);
  }
}

async function waitForCap({ clock, cap, pacer, signal, onCapped }: ClosedLoadOptions): Promise<void> {
  const nowMs = clock.monotonicMs();
  const placeMs = cap.reserve(nowMs);
  if (placeMs <= nowMs) return;
  onCapped();
  await pacer.until(placeMs, signal);
}
