import type { Dispatcher } from "undici";

import type { Clock } from "../../../core/clock.ts";
import { clean, codeOf, failure, isConnectError, type Failure, type FailureKind } from "./failure.ts";
import { SseEvents } from "./sse-events.ts";
import { noTokens, parseJson, property, takeUsage, textProperty, type TokenUsage } from "./token-usage.ts";

/** How much of an answer that is no stream is kept for reading its usage or its error. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024;
/** A stream whose deltas came within less than this was not paced: its tokens per second would be a figure of the network. */
const MIN_PACED_SECONDS = 0.02;

/** What was measured of one request. Times are milliseconds from `dueMs`, which counts any wait before sending. */
export interface ExchangeResult {
  /** Monotonic time at which the request was due; what latencies are measured from. */
  readonly dueMs: number;
  readonly sentMs: number;
  readonly endMs: number;
  /** Null when no answer began. */
  readonly status: number | null;
  readonly failure: Failure | null;
  /** True when the run's end stopped the request: it neither succeeded nor failed. */
  readonly unfinished: boolean;
  readonly ttfbMs: number | null;
  readonly ttftMs: number | null;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly events: number;
  readonly tokens: TokenUsage;
  /** Pace of a stream's output between its first and last delta; null without deltas spread over time. */
  readonly tokensPerSecond: number | null;
}

interface ExchangeOptions {
  readonly clock: Clock;
  readonly dueMs: number;
  readonly stream: boolean;
  readonly bytesSent: number;
  readonly secrets: readonly string[];
  /** Called for each content delta after the first with the time since the one before. */
  readonly onGap: (gapMs: number) => void;
  readonly onEnd: (result: ExchangeResult) => void;
  /** Closes the connection: the way to stop a request that still waits for it to be made. */
  readonly closeConnection: () => void;
}

class Unfinished extends Error {}
class TimedOut extends Error {}

/** One request on its way: takes undici's callbacks, measures, and calls `onEnd` exactly once. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #options: ExchangeOptions;
  readonly #sentMs: number;
  readonly #tokens = noTokens();
  #controller: Dispatcher.DispatchController | null = null;
  #stopped: Error | null = null;
  #ended = false;
  #status: number | null = null;
  #sse: SseEvents | null = null;
  #kept: Buffer[] = [];
  #ttfbMs: number | null = null;
  #firstDeltaMs: number | null = null;
  #lastDeltaMs = 0;
  #bytesReceived = 0;
  #events = 0;
  #sawStop = false;
  #streamError: unknown = null;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#sentMs = options.clock.monotonicMs();
  }

  /** The monotonic time at which it was sent. */
  get sentMs(): number {
    return this.#sentMs;
  }

  /** Ends the request: as failed when it took too long, as unfinished when the run is over. */
  stop(why: "timeout" | "run_over"): void {
    if (this.#ended) return;
    this.#stopped = why === "timeout" ? new TimedOut("timed out") : new Unfinished("the run is over");
    if (this.#controller === null) this.#options.closeConnection();
    else this.#controller.abort(this.#stopped);
    this.#end(null);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#stopped !== null) controller.abort(this.#stopped);
  }

  onResponseStart(_: unknown, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200) return;
    this.#status = status;
    this.#ttfbMs = this.#sinceDue();
    const type = String(headers["content-type"] ?? "");
    if (status === 200 && this.#options.stream && type.startsWith("text/event-stream")) {
      this.#sse = new SseEvents((name, data) => this.#onEvent(name, data));
    }
  }

  onResponseData(_: unknown, chunk: Buffer): void {
    this.#bytesReceived += chunk.length;
    if (this.#sse !== null) this.#sse.push(chunk);
    // undici may reuse its buffer, so what is kept is copied.
    else if (this.#bytesReceived <= MAX_KEPT_BYTES) this.#kept.push(Buffer.from(chunk));
  }

  onResponseEnd(): void {
    this.#end(null);
  }

  onResponseError(_: unknown, error: Error): void {
    this.#end(error);
  }

  #onEvent(name: string, data: Buffer): void {
    this.#events += 1;
    if (name === "content_block_delta") this.#onDelta();
    else if (name === "message_delta") takeUsage(this.#tokens, property(parseJson(data.toString()), "usage"));
    else if (name === "message_start") {
      takeUsage(this.#tokens, property(property(parseJson(data.toString()), "message"), "usage"));
    } else if (name === "message_stop") this.#sawStop = true;
    else if (name === "error")
      this.#streamError = parseJson(data.toString()) ?? { error: { message: data.toString() } };
  }

  #onDelta(): void {
    const now = this.#options.clock.monotonicMs();
    if (this.#firstDeltaMs === null) this.#firstDeltaMs = now;
    else this.#options.onGap(now - this.#lastDeltaMs);
    this.#lastDeltaMs = now;
  }

  #end(error: Error | null): void {
    if (this.#ended) return;
    this.#ended = true;
    const found = this.#verdict(error);
    const { dueMs, bytesSent, clock } = this.#options;
    this.#options.onEnd({
      dueMs,
      sentMs: this.#sentMs,
      endMs: clock.monotonicMs(),
      status: this.#status,
      failure: found,
      unfinished: this.#stopped instanceof Unfinished,
      ttfbMs: this.#ttfbMs,
      ttftMs: this.#firstDeltaMs === null ? null : this.#firstDeltaMs - dueMs,
      bytesSent,
      bytesReceived: this.#bytesReceived,
      events: this.#events,
      tokens: this.#tokens,
      tokensPerSecond: this.#pace(),
    });
    this.#kept = [];
  }

  #verdict(error: Error | null): Failure | null {
    if (this.#stopped instanceof TimedOut) {
      const phase = this.#status === null ? "before the answer" : "during the answer";
      return this.#fail("timeout", phase, `no end after ${Math.round(this.#sinceDue())} ms`);
    }
    if (this.#stopped !== null) return null;
    if (this.#streamError !== null) return this.#failFromBody("stream_error", this.#streamError);
    // What comes after the last event does not make a whole answer a failed one.
    if (this.#sse !== null && this.#sawStop) return null;
    if (this.#status === null) return this.#failBeforeAnswer(error);
    if (this.#status >= 400) return this.#failFromBody("http", this.#keptJson(), `${this.#status} `);
    if (error !== null) return this.#fail("cut", `${codeOf(error)} during the answer`, error.message);
    if (this.#sse !== null) return this.#fail("cut", "ended without message_stop", `after ${this.#events} events`);
    return this.#readAnswer();
  }

  #failBeforeAnswer(error: Error | null): Failure {
    if (error === null) return this.#fail("reset", "no answer", "the connection ended without an answer");
    return this.#fail(isConnectError(error) ? "connect" : "reset", codeOf(error), error.message);
  }

  /** A whole answer that is no stream: null when it is a message. */
  #readAnswer(): Failure | null {
    const status = String(this.#status ?? "");
    if (this.#options.stream) return this.#fail("protocol", `${status} without an event stream`, this.#keptText());
    const answer = this.#keptJson();
    if (property(answer, "type") !== "message")
      return this.#fail("protocol", `${status} without a message`, this.#keptText());
    takeUsage(this.#tokens, property(answer, "usage"));
    return null;
  }

  #failFromBody(kind: FailureKind, body: unknown, prefix = ""): Failure {
    const error = property(body, "error");
    const type = textProperty(error, "type") ?? "without an error type";
    return this.#fail(kind, prefix + type, textProperty(error, "message") ?? this.#keptText());
  }

  #fail(kind: FailureKind, detail: string, message: string): Failure {
    return failure(kind, { detail, message }, this.#options.secrets);
  }

  #keptText(): string {
    return clean(Buffer.concat(this.#kept).toString("utf8", 0, 1000), 300, this.#options.secrets);
  }

  #keptJson(): unknown {
    return parseJson(Buffer.concat(this.#kept).toString());
  }

  #sinceDue(): number {
    return this.#options.clock.monotonicMs() - this.#options.dueMs;
  }

  #pace(): number | null {
    const seconds = this.#firstDeltaMs === null ? 0 : (this.#lastDeltaMs - this.#firstDeltaMs) / 1000;
    return seconds >= MIN_PACED_SECONDS && this.#tokens.outputTokens > 1
      ? (this.#tokens.outputTokens - 1) / seconds
      : null;
  }
}
