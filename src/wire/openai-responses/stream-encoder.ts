import type { AnswerContext, StreamEncoder } from "../codec.ts";
import { openaiErrorOf } from "../openai/error-shape.ts";
import { isObject, type JsonObject } from "../openai/json-reader.ts";
import { eventJson, MAX_EVENT_BYTES } from "../openai/sse-data.ts";
import { scanDelta } from "../openai-chat/delta-scan.ts";
import { EventSplitter } from "../sse/event-splitter.ts";
import { AnswerState } from "./answer-state.ts";
import { EventWriter } from "./response-events.ts";
import type { ResponseSettings } from "./response-settings.ts";

/** A delta event of usual size; a longer one is cheaper to parse than to search. */
const MAX_SCANNED_BYTES = 64 * 1024;

/** Turns a Messages stream into a Responses stream. A stream that is cut ends without a last event, as it came. */
export class ResponsesStreamEncoder implements StreamEncoder {
  readonly contentType = "text/event-stream; charset=utf-8";
  readonly #writer = new EventWriter();
  readonly #splitter = new EventSplitter(this.#event.bind(this), MAX_EVENT_BYTES);
  readonly #settings: ResponseSettings;
  readonly #context: AnswerContext;
  #answer: AnswerState | null = null;
  #ended = false;

  constructor(settings: ResponseSettings, context: AnswerContext) {
    this.#settings = settings;
    this.#context = context;
  }

  push(chunk: Buffer): Buffer {
    this.#splitter.push(chunk);
    return this.#writer.take();
  }

  ping(): Buffer {
    return Buffer.from(": ping\n\n");
  }

  #event(buffer: Buffer, start: number, end: number): void {
    if (this.#ended || this.#delta(buffer, start, end)) return;
    // What is no JSON object is passed over: without a `message_stop` the stream counts as cut.
    const event = eventJson(buffer, start, end);
    if (!isObject(event)) return;
    switch (event["type"]) {
      case "message_start":
        this.#begin(isObject(event["message"]) ? event["message"] : {});
        break;
      case "message_stop":
        this.#end();
        break;
      case "error":
        this.#fail(event["error"]);
        break;
      case "ping":
        this.#writer.comment("ping");
        break;
      default:
        if (this.#answer !== null) content(this.#answer, event);
    }
  }

  /** Passes on the frequent deltas without parsing them; false for any other event. */
  #delta(buffer: Buffer, start: number, end: number): boolean {
    // "event: content_block_delta": its eighth and its twenty-second character are enough to tell it from the others.
    const isDelta = buffer[start + 7] === 99 && buffer[start + 21] === 100 && end - start < MAX_SCANNED_BYTES;
    if (!isDelta || this.#answer === null) return false;
    const scanned = scanDelta(buffer.toString("latin1", start, end));
    return scanned !== null && this.#answer.output.literal(scanned.kind, scanned.literal);
  }

  #begin(message: JsonObject): AnswerState {
    this.#answer = new AnswerState(message, { sink: this.#writer, settings: this.#settings, context: this.#context });
    const response = this.#answer.response("in_progress");
    this.#writer.event("response.created", { response });
    this.#writer.event("response.in_progress", { response });
    return this.#answer;
  }

  #end(): void {
    if (this.#answer === null) return;
    this.#ended = true;
    this.#answer.end();
    const status = this.#answer.endStatus;
    this.#writer.event(`response.${status}`, { response: this.#answer.response(status) });
  }

  /** OpenAI tells of an error twice: as an event of its own, and as the end of the response. */
  #fail(inside: unknown): void {
    const answer = this.#answer ?? this.#begin({});
    this.#ended = true;
    const { code, message, param } = openaiErrorOf(inside);
    this.#writer.event("error", { code, message, param });
    const response = answer.response("failed", { code: code ?? "server_error", message });
    this.#writer.event("response.failed", { response });
  }
}

/** An event about the content, or about the message as a whole. Events that are not known have no counterpart. */
function content(answer: AnswerState, event: JsonObject): void {
  const { type, index, delta } = event;
  if (type === "message_delta") {
    answer.update(isObject(delta) ? delta : {}, event["usage"]);
    return;
  }
  if (typeof index !== "number") return;
  const block = event["content_block"];
  if (type === "content_block_start" && isObject(block)) answer.output.start(index, block);
  else if (type === "content_block_delta" && isObject(delta)) answer.output.delta(index, delta);
  else if (type === "content_block_stop") answer.output.stop(index);
}
