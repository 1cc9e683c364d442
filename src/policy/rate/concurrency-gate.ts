/** Where a subject stands: how many run, how many may, who waits. */
interface Lane {
  active: number;
  max: number;
  readonly waiting: Waiter[];
}

interface Waiter {
  readonly lanes: readonly Lane[];
  readonly admitted: () => void;
  gone: boolean;
}

/** One subject's share of a request: its id and how many of its requests may run at once (null: as many as come). */
export interface ConcurrencyClaim {
  readonly id: string;
  readonly max: number | null;
}

/** What `enter` says: running, waiting (`cancel` leaves the queue), or refused because the queue is full. */
export type EnterResult =
  | { readonly kind: "running" }
  | { readonly kind: "waiting"; readonly cancel: () => void }
  | { readonly kind: "full"; readonly id: string };

/**
 * Bounds how many requests of a subject run at once, over all subjects of a request or none, with a bounded first-in
 * first-out queue for each subject. A request waits in the queue of the subject that has no room.
 */
export class ConcurrencyGate {
  readonly #lanes = new Map<string, Lane>();
  #queued = 0;

  /** Requests that wait now, over all subjects. */
  get queued(): number {
    return this.#queued;
  }

  active(id: string): number {
    return this.#lanes.get(id)?.active ?? 0;
  }

  /** Asks to run. `admitted` is called later, at most once, when the answer was `waiting` and its turn has come. */
  enter(claims: readonly ConcurrencyClaim[], queueSize: number, admitted: () => void): EnterResult {
    const lanes: Lane[] = [];
    for (const claim of claims) if (claim.max !== null) lanes.push(this.#lane(claim.id, claim.max));
    const blocked = lanes.find((lane) => lane.active >= lane.max || lane.waiting.length > 0);
    if (blocked === undefined) {
      for (const lane of lanes) lane.active++;
      return { kind: "running" };
    }
    if (blocked.waiting.length >= queueSize) {
      return { kind: "full", id: claims.find((claim) => this.#lanes.get(claim.id) === blocked)?.id ?? "" };
    }
    const waiter: Waiter = { lanes, admitted, gone: false };
    blocked.waiting.push(waiter);
    this.#queued++;
    return { kind: "waiting", cancel: () => this.#cancel(waiter) };
  }

  /** Ends a request that ran; those that waited for its place run now. */
  leave(claims: readonly ConcurrencyClaim[]): void {
    const lanes: Lane[] = [];
    for (const claim of claims) {
      const lane = claim.max === null ? undefined : this.#lanes.get(claim.id);
      if (lane !== undefined) lanes.push(lane);
    }
    for (const lane of lanes) lane.active--;
    for (const lane of lanes) this.#admitFrom(lane);
    for (const claim of claims) this.#forget(claim.id);
  }

  #admitFrom(lane: Lane): void {
    while (lane.waiting.length > 0 && lane.active < lane.max) {
      const waiter = lane.waiting.shift();
      if (waiter === undefined || waiter.gone) continue;
      const blocked = waiter.lanes.find((other) => other.active >= other.max);
      if (blocked === undefined) {
        this.#queued--;
        waiter.gone = true;
        for (const other of waiter.lanes) other.active++;
        waiter.admitted();
      } else {
        // Its own lane has room now, another has not: it goes on waiting there.
        blocked.waiting.push(waiter);
      }
    }
  }

  #cancel(waiter: Waiter): void {
    if (waiter.gone) return;
    waiter.gone = true;
    this.#queued--;
    for (const lane of waiter.lanes) {
      const at = lane.waiting.indexOf(waiter);
      if (at >= 0) lane.waiting.splice(at, 1);
    }
  }

  #lane(id: string, max: number): Lane {
    const lane = this.#lanes.get(id);
    if (lane !== undefined) {
      lane.max = max;
      return lane;
    }
    const created: Lane = { active: 0, max, waiting: [] };
    this.#lanes.set(id, created);
    return created;
  }

  #forget(id: string): void {
    const lane = this.#lanes.get(id);
    if (lane !== undefined && lane.active <= 0 && lane.waiting.length === 0) this.#lanes.delete(id);
  }
}
