import type { ErrorCode } from "../../core/error-codes.ts";
import { WeirError } from "../../core/weir-error.ts";
import { ConcurrencyGate, type ConcurrencyClaim } from "./concurrency-gate.ts";
import type { LimitedSubject } from "./limit-table.ts";
import { TokenBucket } from "./token-bucket.ts";

export interface QueueSettings {
  /** How many requests of one subject may wait. */
  readonly size: number;
  readonly timeoutMs: number;
}

/** What an admitted request holds; given back by `RatePolicy.leave`. */
export interface RateTicket {
  readonly subjects: readonly LimitedSubject[];
  readonly claims: readonly ConcurrencyClaim[];
  /** Input tokens taken so far; corrected when it leaves. */
  estimatedTokens: number;
}

/** What is asked of the rate policy for one request. */
export interface RateRequest {
  readonly subjects: readonly LimitedSubject[];
  /** Input tokens as estimated, 0 while they are not known (see `takeTokens`); corrected by `leave`. */
  readonly estimatedTokens: number;
  readonly queue: QueueSettings;
}

/** A request that waits for a place: `ticket` resolves when it has one or rejects with the refusal; `cancel` leaves the queue. */
export interface RateWait {
  readonly ticket: Promise<RateTicket>;
  cancel(reason: Error): void;
}

/** Requests and tokens a minute and concurrency, for every subject on the path or for none. Monotonic time throughout. */
export class RatePolicy {
  readonly gate = new ConcurrencyGate();
  readonly #requests = new Map<string, TokenBucket>();
  readonly #tokens = new Map<string, TokenBucket>();

  /** Admits a request at once, or says that it waits, or throws WeirError `weir:limit:*` with the seconds to wait. */
  enter(request: RateRequest, nowMs: number): RateTicket | RateWait {
    const { subjects, estimatedTokens } = request;
    this.#check(subjects, estimatedTokens, nowMs);
    this.#take(subjects, 1, estimatedTokens, nowMs);
    const claims = subjects.map(({ id, limits }) => ({ id, max: limits.maxConcurrent }));
    const ticket: RateTicket = { subjects, claims, estimatedTokens };
    let admitted: () => void = () => {};
    const entered = this.gate.enter(claims, request.queue.size, () => admitted());
    if (entered.kind === "running") return ticket;
    const giveBack = (): void => this.#take(subjects, -1, -estimatedTokens, nowMs);
    if (entered.kind === "full") {
      giveBack();
      throw concurrencyRefusal(subjects, entered.id, `${request.queue.size} more are waiting already`);
    }
    const { promise, resolve, reject } = Promise.withResolvers<RateTicket>();
    let waiting = true;
    const cancel = (reason: Error): void => {
      if (!waiting) return;
      waiting = false;
      clearTimeout(timer);
      entered.cancel();
      giveBack();
      reject(reason);
    };
    const { timeoutMs } = request.queue;
    const timer = setTimeout(
      () => cancel(concurrencyRefusal(subjects, "", `no place came free within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    admitted = () => {
      waiting = false;
      clearTimeout(timer);
      resolve(ticket);
    };
    return { ticket: promise, cancel };
  }

  /**
   * Takes the tokens of a request that was admitted before its size was known. Throws WeirError `weir:limit:tokens`; the
   * ticket stays valid and must still be given back.
   */
  takeTokens(ticket: RateTicket, estimatedTokens: number, nowMs: number): void {
    this.#checkTokens(ticket.subjects, estimatedTokens, nowMs);
    this.#take(ticket.subjects, 0, estimatedTokens, nowMs);
    ticket.estimatedTokens += estimatedTokens;
  }

  /** Ends a request that came to nothing: its place, its tokens and the request itself are given back. */
  withdraw(ticket: RateTicket, nowMs: number): void {
    this.leave(ticket, 0, nowMs);
    this.#take(ticket.subjects, -1, 0, nowMs);
  }

  /**
   * Ends a request: its place goes to the next, and token buckets are corrected to what was used. What was used beyond the
   * estimate counts from `nowMs` on; it may be left out where tokens are only given back.
   */
  leave(ticket: RateTicket, usedTokens: number, nowMs = -Infinity): void {
    this.gate.leave(ticket.claims);
    const correction = usedTokens - ticket.estimatedTokens;
    for (const { id } of ticket.subjects) this.#tokens.get(id)?.take(correction, nowMs);
  }

  #check(subjects: readonly LimitedSubject[], estimatedTokens: number, nowMs: number): void {
    for (const { id, scope, limits } of subjects) {
      const { requestsPerMinute } = limits;
      if (requestsPerMinute === null) continue;
      const waitMs = bucket(this.#requests, id, requestsPerMinute, nowMs).waitMs(1, nowMs);
      if (waitMs > 0)
        throw rateRefusal("weir:limit:requests", `${scope}: ${requestsPerMinute} requests a minute`, waitMs);
    }
    this.#checkTokens(subjects, estimatedTokens, nowMs);
  }

  #checkTokens(subjects: readonly LimitedSubject[], estimatedTokens: number, nowMs: number): void {
    for (const { id, scope, limits } of subjects) {
      const { tokensPerMinute } = limits;
      if (tokensPerMinute === null) continue;
      const waitMs = bucket(this.#tokens, id, tokensPerMinute, nowMs).waitMs(estimatedTokens, nowMs);
      if (waitMs > 0) throw rateRefusal("weir:limit:tokens", `${scope}: ${tokensPerMinute} tokens a minute`, waitMs);
    }
  }

  #take(subjects: readonly LimitedSubject[], requests: number, tokens: number, nowMs: number): void {
    for (const { id, limits } of subjects) {
      if (limits.requestsPerMinute !== null)
        bucket(this.#requests, id, limits.requestsPerMinute, nowMs).take(requests, nowMs);
      if (limits.tokensPerMinute !== null) bucket(this.#tokens, id, limits.tokensPerMinute, nowMs).take(tokens, nowMs);
    }
  }
}

function bucket(buckets: Map<string, TokenBucket>, id: string, perMinute: number, nowMs: number): TokenBucket {
  const known = buckets.get(id);
  if (known !== undefined) {
    known.resize(perMinute, nowMs);
    return known;
  }
  const created = new TokenBucket(perMinute, nowMs);
  buckets.set(id, created);
  return created;
}

function rateRefusal(code: ErrorCode, limit: string, waitMs: number): WeirError {
  const retryAfterSeconds = Math.ceil(waitMs / 1000);
  return new WeirError(code, `Rate limit of this ${limit}. Try again in ${retryAfterSeconds} s.`, {
    retryAfterSeconds,
  });
}

function concurrencyRefusal(subjects: readonly LimitedSubject[], id: string, why: string): WeirError {
  const subject =
    subjects.find((candidate) => candidate.id === id) ?? subjects.find(({ limits }) => limits.maxConcurrent !== null);
  const limit =
    subject === undefined ? "" : ` of this ${subject.scope}: ${subject.limits.maxConcurrent} requests at once`;
  return new WeirError("weir:limit:concurrency", `Concurrency limit${limit}, and ${why}.`, { retryAfterSeconds: 1 });
}
