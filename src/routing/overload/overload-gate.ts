import type { Urgency } from "../plan.ts";
import type { Random } from "../random.ts";
import type { OverloadSettings } from "../settings.ts";
import { AdaptiveLimit } from "./adaptive-limit.ts";
import { DrainRate } from "./drain-rate.ts";
import { FairQueue } from "./fair-queue.ts";
import { Ticket, type Entrance, type OverloadRequest, type Shed, type ShedReason } from "./overload-request.ts";
import { StandingQueue } from "./standing-queue.ts";

const ADMITTED: Entrance = { kind: "admitted" };

/** What is remembered of how fast requests come out. */
const DRAIN_MEMORY_MS = 10_000;

export interface OverloadDescription {
  readonly limit: number;
  readonly inFlight: number;
  readonly batchInFlight: number;
  readonly queuedInteractive: number;
  readonly queuedBatch: number;
  readonly isOverloaded: boolean;
  readonly shed: Readonly<Record<ShedReason, number>>;
}

/**
 * Decides who may run when not all can: a limit that finds its own level, behind it a fair queue, and refusal before waiting
 * stops making sense. Pure: it is told every time, starts no timer, and calls a request's `admitted` or `shed` from within
 * `leave`, `cancel`, `tick` or another's `enter`.
 */
export class OverloadGate {
  #settings: OverloadSettings;
  readonly #random: Random;
  readonly #limit: AdaptiveLimit;
  readonly #standing: StandingQueue;
  readonly #drain = new DrainRate(DRAIN_MEMORY_MS);
  readonly #queues: Readonly<Record<Urgency, FairQueue>> = { interactive: new FairQueue(), batch: new FairQueue() };
  readonly #shedCounts: Record<ShedReason, number> = {
    organization_queue_full: 0,
    queue_full: 0,
    deadline: 0,
    waited_too_long: 0,
    batch_while_overloaded: 0,
    displaced: 0,
  };
  #inFlight = 0;
  #batchInFlight = 0;
  /** Places that went to interactive requests while batch ones waited. */
  #passedOver = 0;

  constructor(settings: OverloadSettings, random: Random) {
    this.#settings = settings;
    this.#random = random;
    this.#limit = new AdaptiveLimit(settings.limit);
    this.#standing = new StandingQueue(settings.standingQueue);
  }

  /** Changes the settings. Who runs goes on, who waits is judged by the new ones; the limit stays where it has found itself. */
  configure(settings: OverloadSettings, nowMs: number): void {
    this.#settings = settings;
    this.#limit.configure(settings.limit);
    this.#standing.configure(settings.standingQueue);
    this.#admit(nowMs);
  }

  /** Asks to run. Every request that is admitted, now or later, must `leave`, once. */
  enter(request: OverloadRequest, nowMs: number): Entrance {
    const { urgency } = request;
    const { interactive, batch } = this.#queues;
    // Batch requests may wait for want of their own share; an interactive one need not wait behind them.
    const isFirst = interactive.size === 0 && (urgency === "interactive" || batch.size === 0);
    if (isFirst && this.#hasRoom(urgency)) {
      this.#count(urgency, 1);
      return ADMITTED;
    }
    const refusal = this.#whyNotQueue(request, nowMs);
    if (refusal !== null) return this.#refusal(refusal, nowMs);
    const ticket = new Ticket(request, nowMs);
    this.#queues[urgency].push(ticket);
    return { kind: "queued", ticket };
  }

  /** A request that was admitted is over. */
  leave(urgency: Urgency, nowMs: number): void {
    this.#count(urgency, -1);
    this.#drain.observe(nowMs);
    if (this.#queued > 0) this.#admit(nowMs);
  }

  /** A queued request's client has left. Nothing when it no longer waits. */
  cancel(ticket: Ticket, nowMs: number): void {
    if (!ticket.isWaiting) return;
    this.#queues[ticket.request.urgency].drop(ticket);
    this.#noteEmpty();
    this.#admit(nowMs);
  }

  /** To be called often (ten times a second): adapts the limit, sheds who has waited too long, admits who fits now. */
  tick(nowMs: number, loopDelayMs: number): void {
    const hasQueue = this.#queued > 0;
    this.#limit.sample({ nowMs, loopDelayMs, inFlight: this.#inFlight, hasQueue });
    if (!hasQueue) return;
    // Where nobody comes out at all, the oldest one's wait is the shortest that anybody can hope for.
    if (this.#inFlight >= this.#limit.value) this.#standing.waited(this.#longestWaitMs(nowMs), nowMs);
    for (const queue of [this.#queues.interactive, this.#queues.batch]) {
      for (const ticket of queue.all()) if (this.#isTooLate(ticket, nowMs)) this.#shedWaiting(ticket, nowMs);
    }
    this.#admit(nowMs);
  }

  describe(): OverloadDescription {
    return {
      limit: this.#limit.value,
      inFlight: this.#inFlight,
      batchInFlight: this.#batchInFlight,
      queuedInteractive: this.#queues.interactive.size,
      queuedBatch: this.#queues.batch.size,
      isOverloaded: this.#standing.isStanding,
      shed: { ...this.#shedCounts },
    };
  }

  get #queued(): number {
    return this.#queues.interactive.size + this.#queues.batch.size;
  }

  #hasRoom(urgency: Urgency): boolean {
    if (!this.#settings.enabled) return true;
    const limit = this.#limit.value;
    if (this.#inFlight >= limit) return false;
    return (
      urgency === "interactive" || this.#batchInFlight < Math.max(1, Math.floor(limit * this.#settings.batchShare))
    );
  }

  #count(urgency: Urgency, by: number): void {
    this.#inFlight += by;
    if (urgency === "batch") this.#batchInFlight += by;
  }

  /** Gives free places to those whose turn it is. Whoever is told may come back in the same breath: the state is read anew. */
  #admit(nowMs: number): void {
    for (let queue = this.#nextQueue(); queue !== null; queue = this.#nextQueue()) {
      // Under a standing queue the newest still has a client that waits for it; the oldest may have given up.
      const ticket = queue.take(this.#standing.isStanding);
      if (ticket === null) return;
      const waitedMs = nowMs - ticket.enteredAtMs;
      const isTooLate = this.#isTooLate(ticket, nowMs);
      ticket.isWaiting = false;
      // Newest first, short waits say nothing of the queue: it stands as long as its other end does.
      this.#standing.waited(this.#standing.isStanding ? this.#longestWaitMs(nowMs) : waitedMs, nowMs);
      this.#noteEmpty();
      if (isTooLate) this.#tellTooLate(ticket, nowMs);
      else this.#start(ticket.request, waitedMs);
    }
  }

  #start(request: OverloadRequest, waitedMs: number): void {
    this.#count(request.urgency, 1);
    request.admitted(waitedMs);
  }

  #longestWaitMs(nowMs: number): number {
    const oldest = this.#queues.interactive.oldest() ?? this.#queues.batch.oldest();
    return oldest === null ? 0 : nowMs - oldest.enteredAtMs;
  }

  /** The queue that the next free place belongs to; null when nobody who waits can have one. */
  #nextQueue(): FairQueue | null {
    const { interactive, batch } = this.#queues;
    if (!this.#hasRoom("interactive")) return null;
    const batchCan = batch.size > 0 && this.#hasRoom("batch");
    if (interactive.size === 0) return batchCan ? batch : null;
    if (!batchCan) return interactive;
    this.#passedOver = (this.#passedOver + 1) % this.#settings.batchTurnEvery;
    return this.#passedOver === 0 ? batch : interactive;
  }

  #whyNotQueue(request: OverloadRequest, nowMs: number): ShedReason | null {
    const { urgency, organization } = request;
    const { maxQueued, maxQueuedPerOrganization } = this.#settings;
    if (urgency === "batch" && this.#standing.isStanding) return "batch_while_overloaded";
    const own = this.#queues.interactive.waitingOf(organization) + this.#queues.batch.waitingOf(organization);
    if (own >= maxQueuedPerOrganization) return "organization_queue_full";
    const waitMs = this.#expectedWaitMs(request, nowMs);
    if (waitMs !== null && nowMs + waitMs > this.#latestStart(request, nowMs)) return "deadline";
    if (this.#queued < maxQueued) return null;
    return urgency === "interactive" && this.#displaceBatch(nowMs) ? null : "queue_full";
  }

  /** How long a newcomer would wait: its place in the rounds of its queue at the rate at which places fall free; null unknown. */
  #expectedWaitMs({ urgency, organization }: OverloadRequest, nowMs: number): number | null {
    const queue = this.#queues[urgency];
    const own = queue.waitingOf(organization);
    const others = queue.organizations - (own > 0 ? 1 : 0);
    const ahead = Math.min(queue.size, own + (own + 1) * others);
    const before = urgency === "batch" ? this.#queues.interactive.size : 0;
    return this.#drain.timeForMs(ahead + before + 1, nowMs);
  }

  #latestStart({ urgency, deadlineAtMs }: OverloadRequest, enteredAtMs: number): number {
    const { interactiveWaitMs, batchWaitMs } = this.#settings;
    return Math.min(deadlineAtMs, enteredAtMs + (urgency === "interactive" ? interactiveWaitMs : batchWaitMs));
  }

  #isTooLate(ticket: Ticket, nowMs: number): boolean {
    return ticket.isWaiting && nowMs >= this.#latestStart(ticket.request, ticket.enteredAtMs);
  }

  #displaceBatch(nowMs: number): boolean {
    const ticket = this.#queues.batch.takeFromLongest();
    if (ticket === null) return false;
    ticket.isWaiting = false;
    ticket.request.shed(this.#refusal("displaced", nowMs));
    return true;
  }

  #shedWaiting(ticket: Ticket, nowMs: number): void {
    this.#queues[ticket.request.urgency].drop(ticket);
    this.#noteEmpty();
    this.#tellTooLate(ticket, nowMs);
  }

  #tellTooLate({ request }: Ticket, nowMs: number): void {
    request.shed(this.#refusal(nowMs >= request.deadlineAtMs ? "deadline" : "waited_too_long", nowMs));
  }

  #noteEmpty(): void {
    if (this.#queued === 0) this.#standing.emptied();
  }

  #refusal(reason: ShedReason, nowMs: number): Shed {
    this.#shedCounts[reason]++;
    const { minRetryAfterMs, maxRetryAfterMs } = this.#settings;
    const emptyInMs = this.#drain.timeForMs(this.#queued + 1, nowMs) ?? minRetryAfterMs;
    // Spread over a quarter, or all who were refused in one moment would return in one moment.
    const spreadMs = emptyInMs * (1 + this.#random() * 0.25);
    return { kind: "shed", reason, retryAfterMs: Math.min(maxRetryAfterMs, Math.max(minRetryAfterMs, spreadMs)) };
  }
}
