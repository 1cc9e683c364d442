import type { MessageEvent } from "../message-events.ts";
import type { AnswerWriter } from "./answer-writer.ts";
import { BrainCut } from "./brain.ts";
import type { CloudFault } from "./cloud-fault.ts";
import type { CloudRequest } from "./cloud-request.ts";
import type { CloudError, Dialect, Framing, WholeAnswer } from "./dialect.ts";

/** An inference that the provider bills: one for each that began to answer. */
export interface Charge {
  /** Index in `requests`; -1 where they are not kept. */
  readonly request: number;
  /** The model as the request named it. */
  readonly model: string;
  /** The last `usage` of Messages that the answer had; null when it broke off before any, or has none. */
  usage: Readonly<Record<string, unknown>> | null;
  /** `whole`: sent to its end; `broken`: ended by a fault; `left`: by the caller; `open`: still going on. */
  outcome: "open" | "whole" | "broken" | "left";
}

/** What a delivery needs besides what is delivered. */
export interface Delivery {
  readonly writer: AnswerWriter;
  readonly dialect: Dialect;
  readonly request: CloudRequest;
  readonly fault: CloudFault | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Called with the first byte of the answer. */
  readonly begin: () => Charge;
}

/** Sends an answer that is not streamed, with the fault that is planned for it. */
export async function deliverWhole(answer: WholeAnswer, usage: Charge["usage"], to: Delivery): Promise<void> {
  const { writer, fault } = to;
  if (fault?.kind === "error_event") return await deliverError(errorOf(fault), to);
  const charge = to.begin();
  charge.usage = usage;
  charge.outcome = "broken";
  if (fault?.kind === "damage" || fault?.kind === "cut") return await deliverHalf(answer, fault, to);
  writer.head(answer.status, { ...answer.headers, ...to.headers, "content-length": answer.body.length });
  if (fault?.kind !== "silence") await writer.write(answer.body);
  else {
    const before = fault.afterEvents > 0 ? Math.floor(answer.body.length / 2) : 0;
    await writer.write(answer.body.subarray(0, before));
    if (fault.resumes === undefined) return await writer.silence();
    if (await writer.waitFor(fault.resumes)) await writer.write(answer.body.subarray(before));
  }
  charge.outcome = writer.isGone ? "left" : "whole";
  writer.end();
}

/** Sends half an answer: as a whole one of that length, as one whose end HTTP does not know, or cut off. */
async function deliverHalf(
  answer: WholeAnswer,
  fault: Extract<CloudFault, { kind: "damage" | "cut" }>,
  { writer, headers }: Delivery,
): Promise<void> {
  const half = answer.body.subarray(0, Math.floor(answer.body.length / 2));
  const isClean = fault.kind === "cut" && fault.how === "clean";
  const length = { "content-length": fault.kind === "damage" ? half.length : answer.body.length };
  writer.head(answer.status, { ...answer.headers, ...headers, ...(isClean ? {} : length) });
  await writer.write(half);
  if (fault.kind === "damage" || fault.how === "clean") writer.end();
  else await writer.cut(fault.how);
}

/** Sends a stream, with the fault that is planned for it. */
export async function deliverStream(
  events: AsyncIterable<MessageEvent>,
  framing: Framing,
  to: Delivery,
): Promise<void> {
  const sender = new StreamSender(framing, to);
  to.writer.head(200, { ...framing.streamHeaders, ...to.headers });
  try {
    for await (const event of events) {
      sender.noteUsage(event);
      for (const bytes of framing.events(event)) if (!(await sender.send(bytes))) return;
    }
  } catch (error) {
    if (to.writer.isGone) return sender.end("left");
    if (!(error instanceof BrainCut)) throw error;
    sender.end("broken");
    await to.writer.cut("fin");
    return;
  }
  if (!(await sender.send(null))) return;
  sender.end("whole");
  to.writer.end();
}

/** Sends an error of the provider. */
export async function deliverError(error: CloudError, to: Omit<Delivery, "begin">): Promise<void> {
  const answer = to.dialect.error(error, to.request);
  const headers = { ...answer.headers, ...to.headers, ...error.headers, "content-length": answer.body.length };
  to.writer.head(answer.status, headers);
  await to.writer.write(answer.body);
  to.writer.end();
}

class StreamSender {
  readonly #framing: Framing;
  readonly #to: Delivery;
  #sent = 0;
  #charge: Charge | null = null;
  #usage: Charge["usage"] = null;
  #hasPaused = false;

  constructor(framing: Framing, to: Delivery) {
    this.#framing = framing;
    this.#to = to;
  }

  noteUsage({ data }: MessageEvent): void {
    const message = data["message"];
    const usage = data["usage"] ?? (isRecord(message) ? message["usage"] : undefined);
    if (!isRecord(usage)) return;
    this.#usage = { ...this.#usage, ...usage };
    if (this.#charge !== null) this.#charge.usage = this.#usage;
  }

  /** Sends the next event, null for the stream's end; false when the stream is over. */
  async send(bytes: Buffer | null): Promise<boolean> {
    const { writer } = this.#to;
    if (!(await this.#passFault())) return false;
    if (bytes === null) return !writer.isGone || this.#leave();
    this.#begin();
    const isSpoilt = this.#to.fault?.kind === "damage" && this.#to.fault.atEvent === this.#sent;
    this.#sent += 1;
    await writer.write(isSpoilt ? this.#framing.damage(bytes) : bytes);
    return !writer.isGone || this.#leave();
  }

  end(outcome: Charge["outcome"]): void {
    if (this.#charge !== null) this.#charge.outcome = outcome;
  }

  #leave(): false {
    this.end("left");
    return false;
  }

  #begin(): void {
    if (this.#charge !== null) return;
    this.#charge = this.#to.begin();
    this.#charge.usage = this.#usage;
  }

  /** False when the fault ended the stream. */
  async #passFault(): Promise<boolean> {
    const { fault, writer } = this.#to;
    if (fault?.kind !== "silence" && fault?.kind !== "error_event" && fault?.kind !== "cut") return true;
    if (this.#sent < fault.afterEvents || this.#hasPaused) return true;
    this.end("broken");
    if (fault.kind === "silence") {
      this.#hasPaused = true;
      if (fault.resumes === undefined) {
        await writer.silence();
        return false;
      }
      this.end("open");
      return (await writer.waitFor(fault.resumes)) || this.#leave();
    }
    if (fault.kind === "error_event") {
      await writer.write(this.#framing.errorEvent(errorOf(fault)));
      writer.end();
    } else if (fault.how === "clean") writer.end();
    else await writer.cut(fault.how);
    return false;
  }
}

function errorOf(fault: Extract<CloudFault, { kind: "error_event" }>): CloudError {
  const { status = 529, message = "Overloaded", code } = fault;
  return { status, message, ...(code === undefined ? {} : { code }) };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
