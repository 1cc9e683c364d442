import { StreamTap } from "../../wire/anthropic/stream-tap.ts";
import { CostForecaster } from "../../ledger/budgets/cost-forecaster.ts";
import type { Outcome } from "../../message/entry.ts";
import { emptyUsage, type Usage, type UsageSource } from "../../message/usage.ts";
import type { Target } from "../../routing/route-table.ts";
import { required, type Exchange, type Result } from "../exchange.ts";
import type { GatewayServices } from "../services.ts";
import { answerHeaders } from "./answer-headers.ts";
import { FrameWriter } from "./frame-writer.ts";
import { boundedOutputTokens } from "./bounded-output.ts";
import type { Answer, AnswerHead, Relay } from "./relay.ts";
import type { StreamTranslation } from "./answer-translation.ts";
import type { KeptStream } from "./stream-keeper.ts";
import { failureOutcome } from "./upstream-failure.ts";

const NOTHING = Buffer.alloc(0);

/**
 * Relays an event stream as it comes (byte for byte where client and upstream speak the same format), with back-pressure,
 * metering it on the way. Its last event is held back until the entry is durable; a stream that the upstream cut is cut for
 * the client too.
 */
export class StreamRelay implements Relay, KeptStream {
  readonly done: Promise<void>;
  readonly pingAfterMs: number;
  lastSentAtMs: number;
  readonly #exchange: Exchange;
  readonly #services: GatewayServices;
  readonly #target: Target;
  readonly #head: AnswerHead;
  readonly #writer: FrameWriter;
  readonly #tap = new StreamTap();
  readonly #held: Buffer[] = [];
  readonly #attempts: number;
  readonly #translation: StreamTranslation;
  #paused = false;
  #firstTokenAtMs: number | null = null;
  #finished = false;
  /** Whether the client gets the end of the stream: the upstream sent it, or said in the stream why not. */
  #whole = false;
  #finish: () => void = () => {};

  constructor(exchange: Exchange, services: GatewayServices, answer: Answer, translation: StreamTranslation) {
    this.#exchange = exchange;
    this.#services = services;
    this.#target = answer.target;
    this.#head = answer.head;
    this.#attempts = answer.attempts;
    this.#translation = translation;
    this.#writer = new FrameWriter(exchange.response);
    this.pingAfterMs = exchange.snapshot.pingIntervalMs;
    this.lastSentAtMs = services.clock.monotonicMs();
    this.done = new Promise((resolve) => (this.#finish = resolve));
    const headers = answerHeaders(exchange, answer);
    if (translation.contentType !== null) headers["content-type"] = translation.contentType;
    this.#writer.start(answer.head.status, headers);
    services.streams.add(this);
  }

  data(chunk: Buffer): void {
    if (this.#finished) return;
    this.accept(chunk, this.#translation.decode(chunk));
  }

  /** Takes the upstream's bytes together with what they are in canonical form. */
  accept(raw: Buffer, canonical: Buffer): void {
    const now = this.#services.clock.monotonicMs();
    const holdFrom = this.#tap.push(canonical);
    if (this.#firstTokenAtMs === null && this.#tap.hasContent) this.#firstTokenAtMs = now;
    this.lastSentAtMs = now;
    const translation = this.#translation;
    if (translation.passesForeign) {
      // Where the last event begins in these bytes is not known, so all that came with it waits.
      const bytes = translation.filter(raw);
      if (this.#tap.complete) this.#held.push(bytes);
      else this.#send(bytes);
    } else if (holdFrom < 0) {
      this.#send(translation.encode(canonical));
    } else {
      if (holdFrom > 0) this.#send(translation.encode(canonical.subarray(0, holdFrom)));
      this.#held.push(translation.encode(canonical.subarray(holdFrom)));
    }
  }

  end(): void {
    const { error, complete } = this.#tap;
    if (complete) this.#conclude("complete", null);
    else if (error !== null) this.#conclude("upstream_error", error.type);
    else this.#conclude("upstream_cut", "upstream_cut");
  }

  fail(error: Error): void {
    // Everything that the client needs has come; how the connection ended after that does not matter.
    if (this.#tap.complete) this.#conclude("complete", null);
    else this.#conclude(failureOutcome(error), "upstream_cut");
  }

  clientGone(): void {
    this.#conclude(this.#exchange.outcomeWhenLeft, null);
  }

  release(durable: boolean): void {
    if (durable && this.#whole) this.#writer.end(this.#held.length === 0 ? NOTHING : Buffer.concat(this.#held));
    else this.#writer.cut();
  }

  ping(): void {
    // Only between two events, after the stream has begun and before its last event; a slow reader needs no ping.
    if (!this.#tap.started || this.#tap.complete || this.#paused) return;
    if (!this.#translation.atBoundary(this.#tap.atBoundary)) return;
    this.lastSentAtMs = this.#services.clock.monotonicMs();
    this.#send(this.#translation.ping());
  }

  #send(chunk: Buffer): void {
    if (chunk.length === 0 || this.#writer.write(chunk) || this.#paused) return;
    this.#paused = true;
    this.#head.controller.pause();
    this.#writer.onDrain(() => {
      this.#paused = false;
      this.#head.controller.resume();
    });
  }

  #conclude(outcome: Outcome, errorType: string | null): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#services.streams.remove(this);
    const { usage, source } = this.#usage();
    const result: Result = {
      status: this.#head.status,
      outcome,
      usage,
      usageSource: source,
      target: this.#target,
      attempts: this.#attempts,
      upstreamRequestId: upstreamRequestId(this.#target, this.#head),
      firstTokenAtMs: this.#firstTokenAtMs,
      errorType,
    };
    this.#exchange.result = result;
    this.#whole = outcome === "complete" || this.#tap.error !== null;
    this.#finish();
  }

  #usage(): { usage: Usage; source: UsageSource } {
    const tap = this.#tap;
    // An upstream that says that it failed before it had begun charges nothing, as with a status that says so.
    if (tap.error !== null && !tap.started) return { usage: emptyUsage(), source: "reported" };
    const usage = tap.usage.result();
    // Providers that tell the usage at the end begin with zeros, and nothing was ever answered to no input.
    const isKnown = tap.usage.seen && hasInput(usage);
    if (tap.complete && isKnown) return { usage, source: "reported" };
    const output = Math.max(usage.outputTokens, boundedOutputTokens(this.#exchange, tap.estimatedOutputTokens));
    if (isKnown) return { usage: { ...usage, outputTokens: output }, source: "partial" };
    const input = CostForecaster.estimateInputTokens(required(this.#exchange.body, "body").length);
    return { usage: { ...usage, inputTokens: input, outputTokens: output }, source: "estimated" };
  }
}

function hasInput(usage: Usage): boolean {
  const { inputTokens, cacheReadTokens, cacheWrite5mTokens, cacheWrite1hTokens } = usage;
  return inputTokens + cacheReadTokens + cacheWrite5mTokens + cacheWrite1hTokens > 0;
}

/** The id that the upstream gave the request, for looking it up there. */
export function upstreamRequestId({ upstream }: Target, head: AnswerHead): string | null {
  for (const name of upstream.dialect.requestIdHeaders) {
    const id = head.headers[name];
    if (typeof id === "string") return id;
  }
  return null;
}
