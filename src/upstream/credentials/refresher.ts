import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import { WeirError } from "../../core/weir-error.ts";
import type { CredentialStatus } from "./credential.ts";
import { describeFailure, type FailureText } from "./failure.ts";
import { type Issued, type Issuer, IssueError } from "./issuer.ts";
import type { Scheduler } from "./scheduler.ts";
import { renewDelayMs, retryDelayMs } from "./renewal-times.ts";

/** How long the start of the process waits for the first value. */
const START_PATIENCE_MS = 3_000;
/** How long one attempt may take. */
const ATTEMPT_TIMEOUT_MS = 30_000;
/** Least time between two renewals that an upstream's refusal asks for. */
const INVALIDATE_INTERVAL_MS = 60_000;
/** A timer that is this late has slept (a suspended machine); then a request wakes the renewal. */
const OVERDUE_MS = 30_000;

export interface RefresherOptions<T> {
  /** Name of the upstream whose credential it is. */
  readonly upstream: string;
  readonly issuer: Issuer<T>;
  /** The secrets in a value, so that no message shows them. */
  readonly secretsOf: (value: T) => readonly string[];
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Gives numbers in [0, 1) that spread renewals. */
  readonly random: () => number;
}

interface Failure {
  readonly text: FailureText;
  readonly sinceMs: number;
  readonly attempts: number;
}

/**
 * Keeps a value that ends fresh: one attempt at a time, ahead of its end, never while a request waits. While renewing fails
 * the present value stays in use until its real end, and attempts go on with growing, random pauses.
 */
export class Refresher<T> {
  readonly #options: RefresherOptions<T>;
  #running = false;
  #issued: Issued<T> | null = null;
  #obtainedAtMs: number | null = null;
  #failure: Failure | null = null;
  #attempt: Promise<void> | null = null;
  #abort: AbortController | null = null;
  #cancelTimer: (() => void) | null = null;
  #nextAtMs: number | null = null;
  #invalidatedAtMs: number | null = null;

  constructor(options: RefresherOptions<T>) {
    this.#options = options;
  }

  /** Makes the first attempt; resolves when it is over, at the latest after three seconds. Never rejects. */
  async start(): Promise<void> {
    this.#running = true;
    const attempt = this.#renew();
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.scheduler.after(START_PATIENCE_MS, resolve);
    await Promise.race([attempt, promise]);
    cancel();
  }

  /** Ends the timer and the attempt under way. The value stays usable for what is in flight. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#cancelTimer?.();
    this.#nextAtMs = null;
    this.#abort?.abort();
    await this.#attempt;
  }

  /** The valid value. Throws WeirError when there is none. */
  current(): T {
    const nowMs = this.#options.clock.nowMs();
    if (this.#nextAtMs !== null && nowMs > this.#nextAtMs + OVERDUE_MS) this.#wake();
    if (this.#issued !== null && isValid(this.#issued, nowMs)) return this.#issued.value;
    throw this.#unavailable();
  }

  status(): CredentialStatus {
    const valid = this.#issued !== null && isValid(this.#issued, this.#options.clock.nowMs());
    const failure = this.#failure;
    const fine = failure === null ? "ready" : "stale";
    const missing = failure === null && this.#issued === null ? "pending" : "failed";
    return {
      state: valid ? fine : missing,
      obtainedAtMs: this.#obtainedAtMs,
      expiresAtMs: this.#issued?.expiresAtMs ?? null,
      nextAttemptAtMs: this.#nextAtMs,
      failure:
        failure === null ? null : { reason: failure.text.detail, sinceMs: failure.sinceMs, attempts: failure.attempts },
    };
  }

  /** Renews ahead of time, at most once a minute and not while attempts fail anyway. */
  invalidate(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const last = this.#invalidatedAtMs;
    if (!this.#running || this.#failure !== null || this.#attempt !== null) return;
    if (last !== null && nowMs - last < INVALIDATE_INTERVAL_MS) return;
    this.#invalidatedAtMs = nowMs;
    this.#options.logger.info(this.#fields(), "the upstream refuses the credential; renewing it");
    this.#wake();
  }

  #wake(): void {
    if (!this.#running || this.#attempt !== null) return;
    this.#cancelTimer?.();
    this.#nextAtMs = null;
    void this.#renew();
  }

  /** One attempt, or the one that is under way. Never rejects. */
  #renew(): Promise<void> {
    this.#attempt ??= this.#tryOnce().finally(() => {
      this.#attempt = null;
      this.#abort = null;
    });
    return this.#attempt;
  }

  async #tryOnce(): Promise<void> {
    const { issuer, scheduler } = this.#options;
    const abort = new AbortController();
    this.#abort = abort;
    const aborted = Promise.withResolvers<never>();
    abort.signal.addEventListener("abort", () => aborted.reject(abort.signal.reason), { once: true });
    const cancel = scheduler.after(ATTEMPT_TIMEOUT_MS, () =>
      abort.abort(new DOMException(`no answer within ${ATTEMPT_TIMEOUT_MS / 1000} s`, "TimeoutError")),
    );
    try {
      // The libraries do not all heed the signal; what they bring after it is left aside.
      const issued = await Promise.race([issuer.issue(abort.signal), aborted.promise]);
      this.#accept(issued);
    } catch (error) {
      if (this.#running) this.#fail(error);
    } finally {
      cancel();
    }
  }

  #accept(issued: Issued<T>): void {
    const { clock, logger, random } = this.#options;
    const nowMs = clock.nowMs();
    if (!isValid(issued, nowMs)) throw tooOld(issued.expiresAtMs, nowMs);
    const isFirst = this.#issued === null;
    const recovered = this.#failure !== null;
    this.#issued = issued;
    this.#obtainedAtMs = nowMs;
    this.#failure = null;
    this.#schedule(renewDelayMs(issued, nowMs, random));
    const fields = {
      ...this.#fields(),
      expiresAt: isoOrNull(issued.expiresAtMs),
      nextAttemptAt: isoOrNull(this.#nextAtMs),
    };
    if (isFirst) logger.info(fields, "credential obtained");
    else if (recovered) logger.info(fields, "credential renewed again");
    else logger.debug(fields, "credential renewed");
  }

  #fail(error: unknown): void {
    const { clock, logger, random } = this.#options;
    const nowMs = clock.nowMs();
    const attempts = (this.#failure?.attempts ?? 0) + 1;
    const text = describeFailure(error, this.#secrets());
    this.#failure = { text, sinceMs: this.#failure?.sinceMs ?? nowMs, attempts };
    this.#schedule(retryDelayMs(attempts, random));
    const fields = { ...this.#fields(), reason: text.detail, attempts, nextAttemptAt: isoOrNull(this.#nextAtMs) };
    if (this.#issued !== null && isValid(this.#issued, nowMs)) {
      const validUntil = isoOrNull(this.#issued.expiresAtMs);
      logger.warn({ ...fields, validUntil }, "credential not renewed; the present one stays in use");
    } else {
      logger.error(fields, "no valid credential; the upstream cannot be used");
    }
  }

  #schedule(delayMs: number | null): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#nextAtMs = null;
    if (!this.#running || delayMs === null) return;
    this.#nextAtMs = this.#options.clock.nowMs() + delayMs;
    this.#cancelTimer = this.#options.scheduler.after(delayMs, () => {
      this.#cancelTimer = null;
      this.#nextAtMs = null;
      void this.#renew();
    });
  }

  #unavailable(): WeirError {
    const { upstream, issuer } = this.#options;
    const subject = `the credential of upstream ${JSON.stringify(upstream)} (${issuer.what})`;
    const expiresAtMs = this.#issued?.expiresAtMs ?? null;
    const state = expiresAtMs === null ? "has not been obtained" : `expired at ${iso(expiresAtMs)}`;
    const failure = this.#failure;
    const why =
      failure === null
        ? " yet"
        : `: ${failure.text.summary}, since ${iso(failure.sinceMs)} (${failure.attempts} ${failure.attempts === 1 ? "attempt" : "attempts"})`;
    return new WeirError("weir:upstream:credential", `${subject} ${state}${why}. ${issuer.fix}`);
  }

  #fields(): { upstream: string; credential: string } {
    return { upstream: this.#options.upstream, credential: this.#options.issuer.what };
  }

  #secrets(): readonly string[] {
    const { issuer, secretsOf } = this.#options;
    return this.#issued === null ? issuer.secrets : [...issuer.secrets, ...secretsOf(this.#issued.value)];
  }
}

function isValid(issued: Issued<unknown>, nowMs: number): boolean {
  return issued.expiresAtMs === null || nowMs < issued.expiresAtMs;
}

function tooOld(expiresAtMs: number | null, nowMs: number): IssueError {
  return new IssueError(
    "what its token endpoint gave has already expired",
    `it ended at ${isoOrNull(expiresAtMs)} and this machine's clock says ${iso(nowMs)}; is the clock right?`,
  );
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}
