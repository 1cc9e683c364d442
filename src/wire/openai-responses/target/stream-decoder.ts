import { WeirError } from "../../../core/weir-error.ts";
import type { StreamDecoder } from "../../codec.ts";
import { anthropicErrorOf } from "../../openai/error-shape.ts";
import { messageId } from "../../openai/ids.ts";
import { isObject, type JsonObject } from "../../openai/json-reader.ts";
import { eventData, MAX_EVENT_BYTES } from "../../openai/sse-data.ts";
import { EventSplitter } from "../../sse/event-splitter.ts";
import { mcpBlocks, searchBlocks } from "./answer-blocks.ts";
import { type OutputFacts, stopFields, usageFields } from "./answer-end.ts";
import { MessagesEvents } from "./block-events.ts";
import {
  FunctionCallDecoder,
  HostedCallDecoder,
  ignoredItem,
  type ItemDecoder,
  MessageDecoder,
  ReasoningDecoder,
} from "./item-decoders.ts";

/** Turns a Responses stream into Messages events. A stream that is cut ends without `message_stop`. */
export class ResponsesStreamDecoder implements StreamDecoder {
  readonly #events = new MessagesEvents();
  readonly #splitter = new EventSplitter(this.#event.bind(this), MAX_EVENT_BYTES);
  /** Items that are not complete, by their place in the output. */
  readonly #items = new Map<unknown, ItemDecoder>();
  #started = false;
  #ended = false;
  #hasToolCalls = false;
  #refusal: string | null = null;
  #searches = 0;

  get atBoundary(): boolean {
    return this.#splitter.atBoundary;
  }

  push(chunk: Buffer): Buffer {
    this.#splitter.push(chunk);
    return this.#events.take();
  }

  #event(buffer: Buffer, start: number, end: number): void {
    if (this.#ended) return;
    const data = eventData(buffer, start, end);
    if (data === null || data === "[DONE]") return;
    const event = parsed(data);
    const { type, response } = event;
    switch (type) {
      case "response.created":
        this.#begin(isObject(response) ? response : {});
        break;
      case "response.output_item.added":
        this.#add(event);
        break;
      case "response.output_item.done":
        this.#done(event);
        break;
      case "response.completed":
      case "response.incomplete":
        this.#end(isObject(response) ? response : {});
        break;
      case "response.failed":
        this.#fail(isObject(response) ? response["error"] : null);
        break;
      case "error":
        this.#fail(isObject(event["error"]) ? event["error"] : event);
        break;
      default:
        this.#items.get(event["output_index"])?.take(String(type), event);
    }
  }

  #begin({ id, model }: JsonObject): void {
    if (this.#started) return;
    this.#started = true;
    const message = {
      id: messageId("resp_", String(id)),
      type: "message",
      role: "assistant",
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      // Known at the end alone: Responses does not tell it before.
      usage: { input_tokens: 0, output_tokens: 0 },
    };
    this.#events.event("message_start", { message });
  }

  #add({ output_index: index, item }: JsonObject): void {
    if (isObject(item)) this.#items.set(index, this.#decoderOf(item));
  }

  #decoderOf(item: JsonObject): ItemDecoder {
    switch (item["type"]) {
      case "message":
        return new MessageDecoder(this.#events);
      case "reasoning":
        return new ReasoningDecoder(this.#events);
      case "function_call":
        this.#hasToolCalls = true;
        return new FunctionCallDecoder(this.#events, item);
      case "web_search_call":
        return new HostedCallDecoder(this.#events, searchBlocks);
      case "mcp_call":
        return new HostedCallDecoder(this.#events, mcpBlocks);
      default:
        return ignoredItem;
    }
  }

  #done({ output_index: index, item }: JsonObject): void {
    const fields: JsonObject = isObject(item) ? item : {};
    if (!this.#items.has(index)) this.#add({ output_index: index, item: fields });
    const decoder = this.#items.get(index);
    this.#items.delete(index);
    if (fields["type"] === "web_search_call" && fields["status"] !== "failed") this.#searches++;
    if (decoder !== undefined) this.#close(decoder, fields);
  }

  #close(decoder: ItemDecoder, item: JsonObject): void {
    decoder.end(item);
    if (decoder instanceof MessageDecoder && decoder.refusal !== "") {
      this.#refusal = (this.#refusal ?? "") + decoder.refusal;
    }
  }

  #end(response: JsonObject): void {
    this.#begin(response);
    for (const decoder of this.#items.values()) this.#close(decoder, {});
    this.#items.clear();
    this.#ended = true;
    const facts: OutputFacts = {
      hasToolCalls: this.#hasToolCalls,
      refusal: this.#refusal,
      searches: this.#searches,
    };
    const usage = usageFields(response, facts);
    this.#events.event("message_delta", { delta: stopFields(response, facts), usage });
    this.#events.event("message_stop", {});
  }

  /** An error is told once: what follows it is the same again. */
  #fail(error: unknown): void {
    this.#ended = true;
    this.#events.event("error", { error: anthropicErrorOf(error, 0) });
  }
}

function parsed(data: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch (cause) {
    throw badStream(cause);
  }
  if (!isObject(value)) throw badStream(undefined);
  return value;
}

function badStream(cause: unknown): WeirError {
  return new WeirError("weir:upstream:bad_answer", "The upstream's stream is not one of the Responses API.", { cause });
}
