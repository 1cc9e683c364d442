import { StreamTap } from "../../wire/anthropic/stream-tap.ts";
import { CostForecaster } from "../../ledger/budgets/cost-forecaster.ts";
import type { Outcome } from "../../message/entry.ts";
import type { Usage, UsageSource } from "../../message/usage.ts";
import type { Target } from "../../routing/route-table.ts";
import { required, type Exchange, type Result } from "../exchange.ts";
import type { GatewayServices } from "../services.ts";
import { answerHeaders } from "./answer-headers.ts";
import { FrameWriter } from "./frame-writer.ts";
import type { AnswerHead, Relay } from "./relay.ts";
import type { KeptStream } from "./stream-keeper.ts";
import { failureOutcome } from "./upstream-failure.ts";

const PING = Buffer.from('event: ping\ndata: {"type": "ping"}\n\n');
const NOTHING = Buffer.alloc(0);

/**
 * Relays an event stream byte for byte as it comes, with back-pressure, metering it on the way. Its last event is held
 * back until the entry is durable; a stream that the upstream cut is cut for the client too.
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
  #paused = false;
  #firstTokenAtMs: number | null = null;
  #finished = false;
  /** Whether the client gets the end of the stream: the upstream sent it, or said in the stream why not. */
  #whole = false;
  #finish: () => void = () => {};

  constructor(
    exchange: Exchange,
    services: GatewayServices,
    answer: { target: Target; head: AnswerHead; attempts: number },
  ) {
    this.#exchange = exchange;
    this.#services = services;
    this.#target = answer.target;
    this.#head = answer.head;
    this.#attempts = answer.attempts;
    this.#writer = new FrameWriter(exchange.response);
    this.pingAfterMs = exchange.snapshot.pingIntervalMs;
    this.lastSentAtMs = services.clock.monotonicMs();
    this.done = new Promise((resolve) => (this.#finish = resolve));
    this.#writer.start(answer.head.status, answerHeaders(exchange, answer.target, answer.head.headers));
    services.streams.add(this);
  }

  data(chunk: Buffer): void {
    if (this.#finished) return;
    const now = this.#services.clock.monotonicMs();
    const holdFrom = this.#tap.push(chunk);
    if (this.#firstTokenAtMs === null && this.#tap.hasContent) this.#firstTokenAtMs = now;
    this.lastSentAtMs = now;
    if (holdFrom < 0) {
      this.#send(chunk);
      return;
    }
    if (holdFrom > 0) this.#send(chunk.subarray(0, holdFrom));
    this.#held.push(chunk.subarray(holdFrom));
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
    this.#conclude("client_gone", null);
  }

  release(durable: boolean): void {
    if (durable && this.#whole) this.#writer.end(this.#held.length === 0 ? NOTHING : Buffer.concat(this.#held));
    else this.#writer.cut();
  }

  ping(): void {
    // Only between two events, after the stream has begun and before its last event; a slow reader needs no ping.
    if (!this.#tap.started || this.#tap.complete || !this.#tap.atBoundary || this.#paused) return;
    this.lastSentAtMs = this.#services.clock.monotonicMs();
    this.#send(PING);
  }

  #send(chunk: Buffer): void {
    if (this.#writer.write(chunk) || this.#paused) return;
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
      upstreamRequestId: upstreamRequestId(this.#head),
      firstTokenAtMs: this.#firstTokenAtMs,
      errorType,
    };
    this.#exchange.result = result;
    this.#whole = outcome === "complete" || this.#tap.error !== null;
    this.#finish();
  }

  #usage(): { usage: Usage; source: UsageSource } {
    const tap = this.#tap;
    const usage = tap.usage.result();
    if (tap.complete && tap.usage.seen) return { usage, source: "reported" };
    const output = Math.max(usage.outputTokens, tap.estimatedOutputTokens);
    if (tap.usage.seen) return { usage: { ...usage, outputTokens: output }, source: "partial" };
    const input = CostForecaster.estimateInputTokens(required(this.#exchange.body, "body").length);
    return { usage: { ...usage, inputTokens: input, outputTokens: output }, source: "estimated" };
  }
}

/** The id that the upstream gave the request, for looking it up there. */
export function upstreamRequestId(head: AnswerHead): string | null {
  const id = head.headers["request-id"];
  return typeof id === "string" ? id : null;
}
