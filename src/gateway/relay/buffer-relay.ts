import { WeirError } from "../../core/weir-error.ts";
import { CostForecaster } from "../../ledger/budgets/cost-forecaster.ts";
import type { Outcome } from "../../message/entry.ts";
import { emptyUsage } from "../../message/usage.ts";
import type { Target } from "../../routing/route-table.ts";
import { UsageMeter } from "../../wire/anthropic/usage-meter.ts";
import { required, type Exchange, type Result } from "../exchange.ts";
import { sendError } from "../http/error-response.ts";
import type { GatewayServices } from "../services.ts";
import { answerHeaders } from "./answer-headers.ts";
import type { AnswerHead, Relay } from "./relay.ts";
import { upstreamRequestId } from "./stream-relay.ts";
import { failureOutcome, isTimeout } from "./upstream-failure.ts";

/** A whole answer is never longer than this; a longer one is refused rather than kept in memory. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Bodies below this are cheaper to join to the head than to send beside it. */
const JOIN_BELOW = 8_192;
const NOTHING = Buffer.alloc(0);

/** What is made of a whole answer before it goes to the client; null leaves it as it came. */
export type AnswerRewrite = (status: number, body: Buffer) => { status: number; body: Buffer } | null;

/** Relays an answer that is not a stream: kept whole until its entry is durable, then sent as it came. */
export class BufferRelay implements Relay {
  readonly done: Promise<void>;
  readonly #exchange: Exchange;
  readonly #services: GatewayServices;
  readonly #answer: { target: Target; head: AnswerHead; attempts: number };
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #firstByteAtMs: number | null = null;
  #finished = false;
  /** The whole answer, once it has come. */
  #body: Buffer | null = null;
  /** What the client is told when the answer broke off. */
  #failure: WeirError | null = null;
  #finish: () => void = () => {};

  constructor(
    exchange: Exchange,
    services: GatewayServices,
    answer: { target: Target; head: AnswerHead; attempts: number },
  ) {
    this.#exchange = exchange;
    this.#services = services;
    this.#answer = answer;
    this.done = new Promise((resolve) => (this.#finish = resolve));
  }

  data(chunk: Buffer): void {
    this.#firstByteAtMs ??= this.#services.clock.monotonicMs();
    this.#bytes += chunk.length;
    if (this.#bytes <= MAX_ANSWER_BYTES) this.#chunks.push(chunk);
    else this.#answer.head.controller.abort(new Error("the upstream's answer is too large"));
  }

  end(): void {
    const body = this.#chunks.length === 1 ? (this.#chunks[0] ?? NOTHING) : Buffer.concat(this.#chunks);
    this.#body = body;
    const parsed = parseAnswer(body);
    const ok = this.#answer.head.status < 400;
    this.#conclude(
      { outcome: ok ? "complete" : "upstream_error", errorType: ok ? null : parsed.errorType },
      parsed.meter,
    );
  }

  fail(error: Error): void {
    this.#conclude({ outcome: failureOutcome(error), errorType: "api_error" }, null);
    const failure = new WeirError(
      isTimeout(error) ? "weir:upstream:timeout" : "weir:upstream:failed",
      "The upstream's answer broke off before it was complete.",
      { cause: error },
    );
    if (this.#exchange.result !== null) this.#exchange.result.status = failure.row.status;
    this.#failure = failure;
  }

  clientGone(): void {
    this.#conclude({ outcome: "client_gone", errorType: null }, null);
  }

  #conclude(how: { outcome: Outcome; errorType: string | null }, meter: UsageMeter | null): void {
    if (this.#finished) return;
    this.#finished = true;
    const { target, head, attempts } = this.#answer;
    const reported = meter !== null && (meter.seen || head.status >= 400);
    const usage = meter?.result() ?? emptyUsage();
    if (!reported) {
      usage.inputTokens = CostForecaster.estimateInputTokens(required(this.#exchange.body, "body").length);
      usage.outputTokens = Math.ceil(this.#bytes / 4);
    }
    const result: Result = {
      status: head.status,
      outcome: how.outcome,
      usage,
      usageSource: reported ? "reported" : "estimated",
      target,
      attempts,
      upstreamRequestId: upstreamRequestId(head),
      firstTokenAtMs: head.status < 400 ? this.#firstByteAtMs : null,
      errorType: how.errorType,
    };
    this.#exchange.result = result;
    this.#finish();
  }

  release(durable: boolean): void {
    const exchange = this.#exchange;
    if (!durable) {
      const unrecorded = "The usage of this request could not be recorded.";
      sendError(exchange, new WeirError("weir:server:journal_full", unrecorded));
    } else if (this.#failure !== null) {
      sendError(exchange, this.#failure);
    } else if (this.#body !== null) {
      this.#send(this.#body);
    }
  }

  #send(body: Buffer): void {
    const exchange = this.#exchange;
    const { target, head } = this.#answer;
    const headers = answerHeaders(exchange, target, head.headers);
    const rewritten = exchange.rewriteAnswer?.(head.status, body) ?? null;
    const answer = rewritten ?? { status: head.status, body };
    if (rewritten !== null) headers["content-type"] = "application/json";
    headers["content-length"] = String(answer.body.length);
    exchange.response.writeHead(answer.status, headers);
    // As a string node joins a small body to the head and sends both with one plain write. Latin-1 keeps every byte.
    if (answer.body.length < JOIN_BELOW) exchange.response.end(answer.body.toString("latin1"), "latin1");
    else exchange.response.end(answer.body);
  }
}

/** Reads usage, or the error's type, out of an answer that is JSON; anything else is passed on unread. */
function parseAnswer(body: Buffer): { meter: UsageMeter; errorType: string } {
  const meter = new UsageMeter();
  let errorType = "api_error";
  try {
    const answer: unknown = JSON.parse(body.toString("utf8"));
    if (typeof answer !== "object" || answer === null) return { meter, errorType };
    if ("usage" in answer) meter.read(answer.usage);
    if ("error" in answer && typeof answer.error === "object" && answer.error !== null && "type" in answer.error) {
      errorType = String(answer.error.type);
    }
  } catch {
    // Not JSON: an error page of a proxy, say. Its bytes go to the client as they are.
  }
  return { meter, errorType };
}
