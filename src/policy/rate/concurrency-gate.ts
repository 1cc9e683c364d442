/** Where a subject stands: how many run, how many may, who waits for it to have room. */
interface Lane {
  readonly id: string;
  active: number;
  max: number;
  /** Requests that run or wait, in this lane's queue or in another's: while there are any, the lane must be remembered. */
  requests: number;
  /** By arrival. Nobody waits in a lane that has room. */
  readonly waiting: Waiter[];
}

interface Waiter {
  readonly lanes: readonly Lane[];
  readonly arrival: number;
  readonly admitted: () => void;
  /** The lane without room in whose queue it stands; null once it was admitted or has left. */
  queue: Lane | null;
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
 * Bounds how many requests of a subject run at once, over all subjects of a request or none, with a bounded queue for each
 * subject. A request waits in the queue of the subject that has no room and holds no place meanwhile; a place that falls
 * free goes to the one that came first among all who can run now.
 */
export class ConcurrencyGate {
  readonly #lanes = new Map<string, Lane>();
  #queued = 0;
  #arrivals = 0;

  /** Requests that wait now, over all subjects. */
  get queued(): number {
    return this.#queued;
  }

  /** Subjects that are remembered: those with requests that run or wait. */
  get subjects(): number {
    return this.#lanes.size;
  }

  active(id: string): number {
    return this.#lanes.get(id)?.active ?? 0;
  }

  /** Asks to run. `admitted` is called later, at most once, when the answer was `waiting` and its turn has come. */
  enter(claims: readonly ConcurrencyClaim[], queueSize: number, admitted: () => void): EnterResult {
    const lanes: Lane[] = [];
    for (const claim of claims) if (claim.max !== null) lanes.push(this.#lane(claim.id, claim.max));
    // Only where a limit has been raised since: then those who wait come first.
    this.#admitFrom(lanes);
    const blocked = lanes.find(isFull);
    if (blocked !== undefined && blocked.waiting.length >= queueSize) {
      this.#forgetUnused(lanes);
      return { kind: "full", id: blocked.id };
    }
    for (const lane of lanes) lane.requests++;
    if (blocked === undefined) {
      for (const lane of lanes) lane.active++;
      return { kind: "running" };
    }
    const waiter: Waiter = { lanes, arrival: this.#arrivals++, admitted, queue: null };
    enqueue(waiter, blocked);
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
    for (const lane of lanes) {
      lane.active--;
      lane.requests--;
    }
    this.#admitFrom(lanes);
    this.#forgetUnused(lanes);
  }

  /** Lets in whoever waits for these lanes and can run, in the order in which they came, whichever lane they stand in. */
  #admitFrom(lanes: readonly Lane[]): void {
    for (let waiter = takeFirst(lanes); waiter !== null; waiter = takeFirst(lanes)) {
      const blocked = waiter.lanes.find(isFull);
      if (blocked !== undefined) {
        // The lane that it stood in has room now, another has not: it goes on waiting there.
        enqueue(waiter, blocked);
        continue;
      }
      this.#queued--;
      for (const lane of waiter.lanes) lane.active++;
      waiter.admitted();
    }
  }

  #cancel(waiter: Waiter): void {
    if (waiter.queue === null) return;
    waiter.queue.waiting.splice(waiter.queue.waiting.indexOf(waiter), 1);
    waiter.queue = null;
    this.#queued--;
    for (const lane of waiter.lanes) lane.requests--;
    this.#forgetUnused(waiter.lanes);
  }

  #lane(id: string, max: number): Lane {
    const lane = this.#lanes.get(id);
    if (lane !== undefined) {
      lane.max = max;
      return lane;
    }
    const created: Lane = { id, active: 0, max, requests: 0, waiting: [] };
    this.#lanes.set(id, created);
    return created;
  }

  #forgetUnused(lanes: readonly Lane[]): void {
    for (const lane of lanes) if (lane.requests === 0) this.#lanes.delete(lane.id);
  }
}

function isFull(lane: Lane): boolean {
  return lane.active >= lane.max;
}

/** Takes the one that came first from the queues of those lanes that have room; null when nobody waits there. */
function takeFirst(lanes: readonly Lane[]): Waiter | null {
  let first: Waiter | undefined;
  for (const lane of lanes) {
    const head = isFull(lane) ? undefined : lane.waiting[0];
    if (head !== undefined && (first === undefined || head.arrival < first.arrival)) first = head;
  }
  if (first === undefined) return null;
  first.queue?.waiting.shift();
  first.queue = null;
  return first;
}

/** Puts a waiter into a lane's queue where its arrival belongs: at the end, unless it comes from another queue. */
function enqueue(waiter: Waiter, lane: Lane): void {
  let at = lane.waiting.length;
  while (at > 0 && (lane.waiting[at - 1]?.arrival ?? 0) > waiter.arrival) at--;
  lane.waiting.splice(at, 0, waiter);
  waiter.queue = lane;
}
