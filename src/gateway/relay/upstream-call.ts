import type { IncomingHttpHeaders } from "node:http";

import type { Dispatcher } from "undici";

import { WeirError } from "../../core/weir-error.ts";
import { CostForecaster } from "../../ledger/budgets/cost-forecaster.ts";
import { emptyUsage, type Usage } from "../../message/usage.ts";
import type { AttemptFailure } from "../../routing/health/signal.ts";
import type { NextStep } from "../../routing/retry/next-step.ts";
import type { Target } from "../../routing/route-table.ts";
import { required, type Exchange } from "../exchange.ts";
import type { GatewayServices } from "../services.ts";
import type { AnswerTranslation, StreamTranslation } from "./answer-translation.ts";
import { BufferRelay, type Refusal } from "./buffer-relay.ts";
import type { AnswerHead, Relay } from "./relay.ts";
import { StreamOpening } from "./stream-opening.ts";
import { StreamRelay } from "./stream-relay.ts";
import { unreadableUsage } from "./unreadable-usage.ts";
import { connectionFailure, retryAfterMs } from "./upstream-failure.ts";

/** How an attempt began: its answer is being relayed, or it failed and this is what comes next. */
export type AttemptHead =
  | { readonly kind: "relaying" }
  | {
      readonly kind: "failed";
      readonly error: Error;
      readonly failure: AttemptFailure;
      readonly step: NextStep;
      /** What the upstream probably charges for it all the same; null for nothing. */
      readonly spent: Usage | null;
    };

/** Who decides what becomes of an attempt. */
export interface AttemptJudge {
  /** The answer has begun. */
  answered(): void;
  /** The attempt has failed before anything was relayed: what to do. `give_up` relays the answer, if there is one. */
  failed(failure: AttemptFailure): NextStep;
  /** An error answer that is the caller's has come whole: how to go on if Weir itself can mend the request, else null. */
  refused(status: number, body: Buffer): NextStep | null;
}

export interface AttemptFacts {
  readonly target: Target;
  /** Number of this attempt, from 1. */
  readonly attempts: number;
  readonly translation: AnswerTranslation;
  readonly judge: AttemptJudge;
}

/** One attempt: receives undici's calls and hands the answer to a relay once it is decided that the client gets it. */
export class UpstreamCall implements Dispatcher.DispatchHandler {
  readonly head: Promise<AttemptHead>;
  readonly #exchange: Exchange;
  readonly #services: GatewayServices;
  readonly #attempt: AttemptFacts;
  #resolve: (head: AttemptHead) => void = () => {};
  #controller: Dispatcher.DispatchController | null = null;
  #relay: Relay | null = null;
  /** A whole answer that is still coming: nothing of it has gone to the client, so another attempt may take its place. */
  #whole: BufferRelay | null = null;
  /** While the first event of a stream has not come. */
  #opening: {
    readonly stream: StreamOpening;
    readonly translation: StreamTranslation;
    readonly head: AnswerHead;
  } | null = null;
  #failed = false;
  /** Of an answer whose status says success. */
  #answerBytes = 0;

  constructor(exchange: Exchange, services: GatewayServices, attempt: AttemptFacts) {
    this.#exchange = exchange;
    this.#services = services;
    this.#attempt = attempt;
    this.head = new Promise((resolve) => (this.#resolve = resolve));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#exchange.clientGone) controller.abort(new Error("client gone"));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    const head = { status, headers, controller };
    // What the container said is in the body; it is judged when that has come.
    const isWrapped = this.#attempt.translation.mayWrap(status);
    if (status >= 300 && !isWrapped && this.#refused(head)) return;
    if (status < 300) this.#attempt.judge.answered();
    if (!this.#isStream(head)) {
      this.#whole = new BufferRelay(this.#exchange, this.#services, { ...this.#attempt, head });
      return;
    }
    const translation = this.#attempt.translation.stream();
    this.#opening = { stream: new StreamOpening(translation), translation, head };
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#opening !== null) this.#answerBytes += chunk.length;
    try {
      if (this.#whole !== null) this.#whole.data(chunk);
      else if (this.#opening === null) this.#relay?.data(chunk);
      else this.#opens(chunk);
    } catch (error) {
      // Not of the upstream's format: a wrong checksum, a frame that is too large.
      controller.abort(error instanceof Error ? error : new Error(String(error)));
    }
  }

  onResponseEnd(): void {
    if (this.#whole !== null) this.#wholeEnded(this.#whole);
    else if (this.#opening !== null) this.#fail(new Error("the stream ended before its first event"), { kind: "cut" });
    else this.#relay?.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const failure = connectionFailure(error);
    if (this.#whole !== null) this.#wholeFailed(this.#whole, error, failure);
    else if (this.#relay !== null) this.#relay.fail(error);
    else this.#fail(error, failure);
  }

  /** The client went away: the upstream is told at once, by closing its connection. */
  clientGone(): void {
    const relay = this.#relay ?? this.#whole;
    if (relay === null) this.#leftBeforeAnswer();
    else relay.clientGone();
    if (this.#whole !== null) this.#relayBy(this.#whole);
    this.#controller?.abort(new Error("client gone"));
  }

  /** Whether a status that is no success ends the attempt; if not, the answer is for the client. */
  #refused({ status, headers, controller }: AnswerHead): boolean {
    const waitMs = this.#retryAfterMs(headers);
    const isFinal = headers["x-should-retry"] === "false";
    const failure: AttemptFailure = { kind: "status", status, retryAfterMs: waitMs, isFinal };
    const step = this.#attempt.judge.failed(failure);
    if (step.kind === "give_up" && status >= 400 && status !== 401) return false;
    const error = new WeirError("weir:upstream:failed", statusWords(status));
    this.#resolveFailed(error, failure, step);
    controller.abort(error);
    return true;
  }

  #isStream({ status, headers }: AnswerHead): boolean {
    if (status >= 300 || this.#exchange.rewriteAnswer !== null) return false;
    const type = headers["content-type"];
    return typeof type === "string" && /^(?:text\/event-stream|application\/vnd\.amazon\.eventstream)\b/i.test(type);
  }

  #opens(chunk: Buffer): void {
    const opening = this.#opening;
    if (opening === null) return;
    const state = opening.stream.push(chunk);
    if (state.kind === "waiting") return;
    if (state.kind === "unreadable") {
      const error = new WeirError("weir:upstream:bad_answer", "the stream began with what is no event");
      this.#fail(error, { kind: "cut" });
      opening.head.controller.abort(error);
      return;
    }
    if (state.kind === "error") {
      const failure: AttemptFailure = { kind: "in_band_error", errorType: state.errorType, retryAfterMs: null };
      const step = this.#attempt.judge.failed(failure);
      if (step.kind !== "give_up") {
        const error = new WeirError("weir:upstream:failed", `the stream began with an error (${state.errorType})`);
        this.#opening = null;
        this.#resolveFailed(error, failure, step);
        opening.head.controller.abort(error);
        return;
      }
    }
    this.#opening = null;
    const answer = { ...this.#attempt, head: opening.head };
    const relay = new StreamRelay(this.#exchange, this.#services, answer, opening.translation);
    this.#relayBy(relay);
    for (const { raw, canonical } of opening.stream.chunks) relay.accept(raw, canonical);
  }

  #wholeEnded(whole: BufferRelay): void {
    const refusal = whole.refusal();
    if (refusal !== null && this.#goesOn(refusal)) return;
    const error = whole.end();
    if (error === null) this.#relayBy(whole);
    else this.#wholeFailed(whole, error, { kind: "cut" });
  }

  /** Whether an error answer, now that it can be read, is followed by another attempt. */
  #goesOn({ status, outerStatus, body, headers }: Refusal): boolean {
    const failure: AttemptFailure = { kind: "status", status, retryAfterMs: this.#retryAfterMs(headers) };
    const wasWrapped = this.#attempt.translation.mayWrap(outerStatus);
    const judged = wasWrapped ? this.#attempt.judge.failed(failure) : null;
    const step = judged === null || judged.kind === "give_up" ? this.#attempt.judge.refused(status, body) : judged;
    const isOwn = status === 401 && judged !== null;
    if (step === null && !isOwn) return false;
    this.#resolveFailed(new WeirError("weir:upstream:failed", statusWords(status)), failure, step ?? judged ?? LEFT);
    return true;
  }

  #retryAfterMs(headers: IncomingHttpHeaders): number | null {
    return retryAfterMs(headers["retry-after"], this.#services.clock.nowMs());
  }

  #wholeFailed(whole: BufferRelay, error: Error, failure: AttemptFailure): void {
    const step = this.#attempt.judge.failed(failure);
    if (step.kind !== "give_up") {
      this.#resolveFailed(error, failure, step);
      return;
    }
    whole.fail(error);
    this.#relayBy(whole);
  }

  #relayBy(relay: Relay): void {
    this.#whole = null;
    this.#relay = relay;
    this.#exchange.relay = relay;
    this.#resolve({ kind: "relaying" });
  }

  #fail(error: Error, failure: AttemptFailure): void {
    if (this.#failed) return;
    if (this.#exchange.clientGone) {
      // Not the upstream's doing: its connection was closed because nobody waits for the answer any more.
      this.#resolveFailed(error, failure, LEFT);
      return;
    }
    this.#resolveFailed(error, failure, this.#attempt.judge.failed(failure));
  }

  #resolveFailed(error: Error, failure: AttemptFailure, step: NextStep): void {
    const spent = this.#opening === null ? null : unreadableUsage(this.#exchange, this.#answerBytes);
    this.#failed = true;
    this.#opening = null;
    this.#whole = null;
    this.#resolve({ kind: "failed", error, failure, step, spent });
  }

  /** The request had been sent and no answer had begun: the provider has read the input, and charges for it. */
  #leftBeforeAnswer(): void {
    const usage = emptyUsage();
    usage.inputTokens = CostForecaster.estimateInputTokens(required(this.#exchange.body, "body").length);
    this.#exchange.result = {
      status: 499,
      outcome: this.#exchange.outcomeWhenLeft,
      usage,
      usageSource: "estimated",
      target: this.#attempt.target,
      attempts: this.#attempt.attempts,
      upstreamRequestId: null,
      firstTokenAtMs: null,
      errorType: null,
    };
  }
}

const LEFT: NextStep = { kind: "give_up", target: null, delayMs: 0, why: "the client left", verbatim: false };

function statusWords(status: number): string {
  if (status === 401) return "the upstream refused Weir's own credential (401)";
  if (status < 400) return `the upstream answered with a redirect (${status}), which is not followed`;
  return `status ${status}`;
}
