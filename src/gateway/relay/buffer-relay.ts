import type { IncomingHttpHeaders } from "node:http";

import { WeirError } from "../../core/weir-error.ts";
import { UsageMeter } from "../../wire/anthropic/usage-meter.ts";
import type { Exchange, Result } from "../exchange.ts";
import { sendError } from "../http/error-response.ts";
import type { GatewayServices } from "../services.ts";
import { answerHeaders } from "./answer-headers.ts";
import type { ClientAnswer } from "./answer-translation.ts";
import type { Answer, AnswerHead, Relay } from "./relay.ts";
import { upstreamRequestId } from "./stream-relay.ts";
import { unreadableUsage } from "./unreadable-usage.ts";
import { failureOutcome, isTimeout } from "./upstream-failure.ts";

/** A whole answer is never longer than this; a longer one is refused rather than kept in memory. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Bodies below this are cheaper to join to the head than to send beside it. */
const JOIN_BELOW = 8_192;
const NOTHING = Buffer.alloc(0);

/** What is made of a whole answer before it goes to the client; null leaves it as it came. */
export type AnswerRewrite = (status: number, body: Buffer) => { status: number; body: Buffer } | null;

/** An error answer: what the model's own server said, and in which status it came. */
export interface Refusal {
  readonly status: number;
  readonly outerStatus: number;
  readonly body: Buffer;
  readonly headers: IncomingHttpHeaders;
}

/** Relays an answer that is not a stream: kept whole until its entry is durable, then sent as it came. */
export class BufferRelay implements Relay {
  readonly done: Promise<void>;
  readonly #exchange: Exchange;
  readonly #services: GatewayServices;
  readonly #answer: Answer;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #firstByteAtMs: number | null = null;
  /** What the answer says it used, once it could be read. */
  #meter: UsageMeter | null = null;
  #finished = false;
  /** What the client gets once it has all come: the answer as it came, or what was made of it. */
  #whole: ClientAnswer | null = null;
  /** What the client is told when the answer broke off, or nothing could be made of it. */
  #failure: WeirError | null = null;
  #finish: () => void = () => {};

  constructor(exchange: Exchange, services: GatewayServices, answer: Answer) {
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

  /** The answer, if it is an error: as the model behind the upstream gave it. Null for a success. */
  refusal(): Refusal | null {
    const { head, translation } = this.#answer;
    if (head.status < 400) return null;
    const { status, body } = translation.unwrapped(head.status, this.#joined(), head.headers);
    return { status, outerStatus: head.status, body, headers: head.headers };
  }

  #joined(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks.splice(0, this.#chunks.length, Buffer.concat(this.#chunks));
    return this.#chunks[0] ?? NOTHING;
  }

  /** The answer is whole. Returns why it cannot be used, having concluded nothing; null when it can. */
  end(): WeirError | null {
    const raw = this.#joined();
    const { head, translation } = this.#answer;
    try {
      const { status, body } = translation.unwrapped(head.status, raw, head.headers);
      const canonical = translation.canonical(status, body, head.headers);
      const ok = status < 400;
      const parsed = parseAnswer(canonical, ok && isPlain(head));
      this.#meter = parsed.meter;
      this.#whole = this.#forClient(status, body, canonical);
      this.#conclude({
        status: this.#whole.status,
        outcome: ok ? "complete" : "upstream_error",
        errorType: ok ? null : parsed.errorType,
      });
      return null;
    } catch (error) {
      if (error instanceof WeirError) return error;
      const unusable = "The upstream's answer is not one that its format allows.";
      return new WeirError("weir:upstream:bad_answer", unusable, { cause: error });
    }
  }

  #forClient(status: number, raw: Buffer, canonical: Buffer): ClientAnswer {
    const rewritten = this.#exchange.rewriteAnswer?.(status, canonical) ?? null;
    if (rewritten !== null) return { ...rewritten, headers: { "content-type": "application/json" } };
    return this.#answer.translation.forClient(status, raw, canonical);
  }

  fail(error: Error): void {
    // The client left: this is only the upstream's connection being closed for it.
    if (this.#finished) return;
    const failure = error instanceof WeirError ? error : brokenOff(error);
    this.#failure = failure;
    const outcome = error instanceof WeirError ? "upstream_error" : failureOutcome(error);
    this.#conclude({ status: failure.row.status, outcome, errorType: "api_error" });
  }

  clientGone(): void {
    this.#conclude({ status: 499, outcome: this.#exchange.outcomeWhenLeft, errorType: null });
  }

  #conclude(how: Pick<Result, "status" | "outcome" | "errorType">): void {
    if (this.#finished) return;
    this.#finished = true;
    const { target, head, attempts } = this.#answer;
    const meter = this.#meter;
    const reported = meter !== null && (meter.seen || head.status >= 400);
    const usage = reported ? meter.result() : unreadableUsage(this.#exchange, this.#bytes);
    const result: Result = {
      ...how,
      usage,
      usageSource: reported ? "reported" : "estimated",
      target,
      attempts,
      upstreamRequestId: upstreamRequestId(target, head),
      firstTokenAtMs: head.status < 400 ? this.#firstByteAtMs : null,
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
    } else if (this.#whole !== null) {
      this.#send(this.#whole);
    }
  }

  #send({ status, body, headers: own }: ClientAnswer): void {
    const { response } = this.#exchange;
    const headers = answerHeaders(this.#exchange, this.#answer);
    if (own !== null) {
      // The encoding was that of the upstream's bytes.
      delete headers["content-encoding"];
      Object.assign(headers, own);
    }
    headers["content-length"] = String(body.length);
    response.writeHead(status, headers);
    // As a string node joins a small body to the head and sends both with one plain write. Latin-1 keeps every byte.
    if (body.length < JOIN_BELOW) response.end(body.toString("latin1"), "latin1");
    else response.end(body);
  }
}

function brokenOff(error: Error): WeirError {
  const code = isTimeout(error) ? "weir:upstream:timeout" : "weir:upstream:failed";
  return new WeirError(code, "The upstream's answer broke off before it was complete.", { cause: error });
}

interface ParsedAnswer {
  readonly meter: UsageMeter;
  readonly errorType: string;
}

/**
 * Reads usage, or the error's type, out of an answer. Throws where it `mustBeJson` and is none: half an answer whose
 * connection ended as if it were all of it. Anything else is passed on unread.
 */
function parseAnswer(body: Buffer, mustBeJson: boolean): ParsedAnswer {
  const meter = new UsageMeter();
  let errorType = "api_error";
  try {
    const answer: unknown = JSON.parse(body.toString("utf8"));
    if (typeof answer !== "object" || answer === null) return { meter, errorType };
    if ("usage" in answer) meter.read(answer.usage);
    if ("error" in answer && typeof answer.error === "object" && answer.error !== null && "type" in answer.error) {
      errorType = String(answer.error.type);
    }
  } catch (error) {
    if (mustBeJson) throw error;
    // An error page of a proxy, say. Its bytes go to the client as they are.
  }
  return { meter, errorType };
}

/** Weir asks for no encoding; what is encoded all the same cannot be read here. */
function isPlain({ headers }: AnswerHead): boolean {
  const encoding = headers["content-encoding"];
  return encoding === undefined || encoding === "identity";
}
