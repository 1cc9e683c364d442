import { WeirError } from "../../core/weir-error.ts";
import type { Outcome } from "../../message/entry.ts";
import { emptyUsage } from "../../message/usage.ts";
import type { AttemptFailure } from "../../routing/health/signal.ts";
import { routeHeader } from "../../routing/route-header.ts";
import type { Plan, PlannedTarget } from "../../routing/plan.ts";
import type { NextStep } from "../../routing/retry/next-step.ts";
import { RetryProgress } from "../../routing/retry/retry-progress.ts";
import type { Target } from "../../routing/route-table.ts";
import type { Attempt } from "../../routing/runtime/attempt.ts";
import { backsField, refusedBetas } from "../../wire/cloud/refused-betas.ts";
import { required, type Exchange } from "../exchange.ts";
import { refusalOutcome } from "../refusal-outcome.ts";
import { ClientGone } from "../http/body-reader.ts";
import { AnswerTranslation } from "../relay/answer-translation.ts";
import { UpstreamCall, type AttemptHead, type AttemptJudge } from "../relay/upstream-call.ts";
import { errorCode, isTimeout } from "../relay/upstream-failure.ts";
import type { GatewayServices } from "../services.ts";
import { outgoing, type Outgoing } from "./outgoing.ts";

/** An error about betas says so early. */
const MAX_REFUSAL_BYTES = 4_096;

type Failed = Extract<AttemptHead, { kind: "failed" }>;

/** The attempts of one exchange: one after another, until one's answer is relayed or the router gives up. */
export class AttemptLoop implements AttemptJudge {
  readonly #exchange: Exchange;
  readonly #services: GatewayServices;
  readonly #plan: Plan;
  readonly #progress: RetryProgress;
  #attempt: Attempt | null = null;
  /** What went out last, and whether a request was repeated for its betas. */
  #sent: { readonly target: Target; readonly betas: readonly string[] } | null = null;
  #repeatedForBetas = false;

  constructor(exchange: Exchange, services: GatewayServices) {
    this.#exchange = exchange;
    this.#services = services;
    this.#plan = required(exchange.plan, "plan");
    this.#progress = new RetryProgress(required(this.#plan.targets[0] ?? null, "first target"));
  }

  /** Returns when an answer is being relayed. Throws ClientGone, or WeirError when there is no answer. */
  async run(): Promise<void> {
    let repeats = false;
    while (!this.#exchange.clientGone) {
      const tried = this.#progress.current;
      const number = this.#progress.attempts;
      const failed = await this.#try(tried, repeats);
      if (failed === null) return;
      if (this.#exchange.clientGone) break;
      this.#warn(tried, number, failed);
      if (failed.step.kind === "give_up") {
        this.#exchange.onClientGone = null;
        throw this.#exhausted(failed);
      }
      repeats = failed.step.kind === "retry";
      this.#services.metrics.retried(failed.step.target.target.upstream, failed.step.kind);
      if (failed.step.delayMs > 0) await this.#pause(failed.step.delayMs);
    }
    this.#exchange.onClientGone = null;
    this.#clientLeftEarly();
    throw new ClientGone();
  }

  answered(): void {
    const attempt = required(this.#attempt, "attempt");
    const now = this.#services.clock.monotonicMs();
    this.#services.router.answered(attempt, now - attempt.startedAtMs, now);
    if (this.#sent !== null && this.#sent.betas.length > 0) {
      const { target, betas } = this.#sent;
      target.upstream.betas.noteTaken(target.upstreamModel, betas);
    }
  }

  refused(status: number, body: Buffer): NextStep | null {
    const sent = this.#sent;
    if (status !== 400 || sent === null || sent.betas.length === 0 || this.#repeatedForBetas) return null;
    const named = refusedBetas(body.toString("utf8", 0, MAX_REFUSAL_BYTES), sent.betas);
    const message = required(this.#exchange.body, "body");
    const idle = named?.filter((beta) => !backsField(beta, message)) ?? [];
    if (idle.length === 0) return null;
    const memory = sent.target.upstream.betas;
    const dropped = memory.suspects(sent.target.upstreamModel, idle);
    memory.noteRefused(sent.target.upstreamModel, dropped, this.#services.clock.monotonicMs());
    this.#repeatedForBetas = true;
    this.#progress.repeats();
    const why = `it refuses a beta; again without ${dropped.join(", ")}`;
    return { kind: "retry", target: this.#progress.current, delayMs: 0, why };
  }

  failed(failure: AttemptFailure): NextStep {
    const now = this.#services.clock.monotonicMs();
    const { router } = this.#services;
    router.ended(required(this.#attempt, "attempt"), failure, now);
    this.#refreshCredential(failure);
    const kind = failure.kind === "status" ? String(failure.status) : failure.kind;
    this.#services.metrics.attemptFailed(this.#progress.current.target.upstream, kind);
    return router.nextStep(this.#plan, this.#progress, { failure, relayed: false }, now);
  }

  /** Null when the answer is being relayed. */
  async #try(planned: PlannedTarget, repeats: boolean): Promise<Failed | null> {
    const exchange = this.#exchange;
    const target = required(required(exchange.route, "route").byKey(planned.target.key), "target");
    const attempts = this.#progress.attempts;
    exchange.routeReason = routeHeader(planned, attempts, repeats);
    this.#attempt = this.#services.router.begun(planned, this.#services.clock.monotonicMs(), repeats);
    exchange.attempt = { planned, attempt: this.#attempt };
    if (target.upstream.isFull) return this.#unsendable(full(target));
    let prepared: Outgoing;
    try {
      const pending = this.#prepare(target);
      prepared = pending instanceof Promise ? await pending : pending;
    } catch (error) {
      return this.#unsendable(error);
    }
    exchange.warnings = prepared.warnings;
    this.#sent = { target, betas: prepared.betas };
    const { framing } = target.upstream.dialect;
    const translation = new AnswerTranslation(exchange, { ...prepared, framing });
    const call = new UpstreamCall(exchange, this.#services, { target, attempts, translation, judge: this });
    exchange.onClientGone = call.clientGone.bind(call);
    target.upstream.dispatch(prepared.request, call, this.#plan.timeouts);
    const head = await call.head;
    return head.kind === "relaying" ? null : head;
  }

  /** The request with its credential: a promise only where one must be computed. */
  #prepare(target: Target): Outgoing | Promise<Outgoing> {
    const prepared = outgoing(this.#exchange, target, this.#services.clock.monotonicMs());
    const signed = target.upstream.sign(prepared.request);
    if (!(signed instanceof Promise)) return { ...prepared, request: signed };
    return signed.then((request) => ({ ...prepared, request }));
  }

  /** Nothing could be sent: the format cannot express the request, or there is no credential. Another target may do. */
  #unsendable(error: unknown): Failed {
    if (!(error instanceof WeirError)) throw error;
    const { router, clock } = this.#services;
    const now = clock.monotonicMs();
    const isCredential = error.code === "weir:upstream:credential";
    const failure: AttemptFailure = isCredential
      ? { kind: "credential" }
      : { kind: "status", status: 501, retryAfterMs: null };
    // What a format lacks says nothing of the upstream's health.
    router.ended(required(this.#attempt, "attempt"), isCredential ? failure : { kind: "client_gone" }, now);
    const step = router.nextStep(this.#plan, this.#progress, { failure, relayed: false }, now);
    return { kind: "failed", error, failure, step, spent: null };
  }

  /** Waits before a repeat, but not for a client that has left. */
  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#exchange.onClientGone = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #refreshCredential(failure: AttemptFailure): void {
    if (failure.kind !== "status" || (failure.status !== 401 && failure.status !== 403)) return;
    const { route } = this.#exchange;
    route?.byKey(this.#progress.current.target.key)?.upstream.credential?.invalidate();
  }

  #warn(planned: PlannedTarget, attempt: number, { error, step }: Failed): void {
    this.#services.logger.warn(
      {
        request_id: this.#exchange.id,
        upstream: planned.target.upstream,
        attempt,
        error: error.message,
        next: step.why,
      },
      "attempt failed",
    );
  }

  #clientLeftEarly(): void {
    const exchange = this.#exchange;
    const { attempts, current } = this.#progress;
    exchange.result ??= {
      status: 499,
      outcome: exchange.outcomeWhenLeft,
      usage: emptyUsage(),
      usageSource: "estimated",
      target: exchange.route?.byKey(current.target.key) ?? null,
      attempts,
      upstreamRequestId: null,
      firstTokenAtMs: null,
      errorType: null,
    };
  }

  #exhausted({ error: last, spent }: Failed): WeirError {
    const exchange = this.#exchange;
    const { tried, attempts, current } = this.#progress;
    const error = refusalOf(last, tried.map(({ target }) => target.upstream).join(", "));
    exchange.result = {
      status: error.row.status,
      outcome: isTimeout(last) ? "timeout" : exhaustedOutcome(error),
      usage: spent ?? emptyUsage(),
      usageSource: "estimated",
      target: exchange.route?.byKey(current.target.key) ?? null,
      attempts,
      upstreamRequestId: null,
      firstTokenAtMs: null,
      errorType: error.row.type,
    };
    return error;
  }
}

/** Where no target took the request, be it for its format or for want of room, no upstream has failed. */
function exhaustedOutcome(error: WeirError): Outcome {
  const isUpstreams = error.code.startsWith("weir:upstream:") && error.code !== "weir:upstream:full";
  return isUpstreams ? "upstream_error" : refusalOutcome(error);
}

/** The configuration bounds how many requests may be open there, and so many are. */
function full(target: Target): WeirError {
  const message = `Every upstream of this model has as many requests open as it may (${target.upstream.name} last).`;
  return new WeirError("weir:upstream:full", message, { retryAfterSeconds: 1 });
}

/** What the caller is told when nobody answered. What is wrong with the request itself is said as it is. */
function refusalOf(last: Error, names: string): WeirError {
  if (last instanceof WeirError && (last.row.status < 500 || last.code === "weir:upstream:full")) return last;
  const isCredential = last instanceof WeirError && last.code === "weir:upstream:credential";
  const code = isTimeout(last)
    ? "weir:upstream:timeout"
    : isCredential
      ? "weir:upstream:credential"
      : "weir:upstream:failed";
  const why = last instanceof WeirError || errorCode(last) === "Error" ? last.message : errorCode(last);
  return new WeirError(code, `No upstream answered (tried ${names}; last: ${why}).`, { cause: last });
}
