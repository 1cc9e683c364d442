import { isObject, type JsonObject, type JsonRecord } from "../../openai/json-reader.ts";
import { UNSIGNED } from "../../openai-chat/unsigned-thinking.ts";
import { citationsOf, signatureOf, SUMMARY_BREAK } from "./answer-blocks.ts";
import type { MessagesEvents } from "./block-events.ts";

/** Turns the events about one output item into those of its blocks. */
export interface ItemDecoder {
  /** Takes an event about the item but its end. */
  take(type: string, event: JsonObject): void;
  /** The item is complete, as `item` has it; empty when the stream ended without saying so. */
  end(item: JsonObject): void;
}

/** A message: a text block for each part. Refusals have no block, they are in the message's end. */
export class MessageDecoder implements ItemDecoder {
  readonly #events: MessagesEvents;
  #block: number | null = null;
  #text = "";
  #part: unknown = null;
  /** How many parts have had their text. */
  #parts = 0;
  refusal = "";

  constructor(events: MessagesEvents) {
    this.#events = events;
  }

  take(type: string, event: JsonObject): void {
    switch (type) {
      case "response.output_text.delta":
        this.#write(event["content_index"], event["delta"]);
        break;
      case "response.output_text.annotation.added":
        this.#cite(event["annotation"]);
        break;
      case "response.refusal.delta":
        if (typeof event["delta"] === "string") this.refusal += event["delta"];
        break;
      case "response.content_part.added":
        if (isObject(event["part"]) && event["part"]["type"] === "output_text") this.#begin(event["content_index"]);
        break;
      case "response.content_part.done":
        this.#stop();
        break;
      default:
    }
  }

  /** A text that came without deltas, from a server that does not cut it, is in the item. */
  end(item: JsonObject): void {
    this.#stop();
    const content = Array.isArray(item["content"]) ? item["content"].filter(isObject) : [];
    const uncut = this.#parts === 0;
    for (const [index, part] of content.entries()) {
      if (part["type"] === "output_text" && uncut) {
        this.#write(index, part["text"]);
        this.#stop();
      }
      if (typeof part["refusal"] === "string" && this.refusal === "") this.refusal = part["refusal"];
    }
  }

  #begin(part: unknown): number {
    if (this.#block !== null && this.#part === part) return this.#block;
    this.#stop();
    this.#part = part;
    this.#parts++;
    this.#block = this.#events.start({ type: "text", text: "" });
    return this.#block;
  }

  #write(part: unknown, text: unknown): void {
    if (typeof text !== "string" || text === "") return;
    const block = this.#begin(part);
    this.#text += text;
    this.#events.delta(block, { type: "text_delta", text });
  }

  #cite(annotation: unknown): void {
    if (this.#block === null || !isObject(annotation)) return;
    for (const citation of citationsOf(annotation, this.#text)) {
      this.#events.delta(this.#block, { type: "citations_delta", citation });
    }
  }

  #stop(): void {
    if (this.#block !== null) this.#events.stop(this.#block);
    this.#block = null;
    this.#text = "";
  }
}

/** Reasoning: a thinking block, with what the upstream wants back as its signature. */
export class ReasoningDecoder implements ItemDecoder {
  readonly #events: MessagesEvents;
  #block: number | null = null;
  #part: unknown = null;

  constructor(events: MessagesEvents) {
    this.#events = events;
  }

  take(type: string, event: JsonObject): void {
    if (type === "response.reasoning_summary_text.delta") this.#write(event["summary_index"], event["delta"]);
    else if (type === "response.reasoning_text.delta") this.#write(event["content_index"], event["delta"]);
  }

  end(item: JsonObject): void {
    const summaries = Array.isArray(item["summary"]) ? item["summary"].filter(isObject) : [];
    if (this.#block === null) for (const [index, { text }] of summaries.entries()) this.#write(index, text);
    const signature = signatureOf(item);
    const isSome = signature !== UNSIGNED || this.#block !== null;
    if (isSome) this.#events.delta(this.#begin(), { type: "signature_delta", signature });
    if (this.#block !== null) this.#events.stop(this.#block);
    this.#block = null;
  }

  #begin(): number {
    this.#block ??= this.#events.start({ type: "thinking", thinking: "", signature: "" });
    return this.#block;
  }

  #write(part: unknown, text: unknown): void {
    if (typeof text !== "string" || text === "") return;
    const isNext = this.#block !== null && this.#part !== part;
    const block = this.#begin();
    this.#part = part;
    const thinking = isNext ? SUMMARY_BREAK + text : text;
    this.#events.delta(block, { type: "thinking_delta", thinking });
  }
}

/** A function's call: a tool use, whose arguments go over as they are cut. */
export class FunctionCallDecoder implements ItemDecoder {
  readonly #events: MessagesEvents;
  readonly #block: number;
  #hasArguments = false;

  constructor(events: MessagesEvents, item: JsonObject) {
    this.#events = events;
    const { call_id: id, name } = item;
    this.#block = events.start({ type: "tool_use", id, name, input: {} });
  }

  take(type: string, event: JsonObject): void {
    if (type === "response.function_call_arguments.delta") this.#write(event["delta"]);
    else if (type === "response.function_call_arguments.done" && !this.#hasArguments) this.#write(event["arguments"]);
  }

  end(item: JsonObject): void {
    if (!this.#hasArguments) this.#write(item["arguments"]);
    this.#events.stop(this.#block);
  }

  #write(text: unknown): void {
    if (typeof text !== "string" || text === "") return;
    this.#hasArguments = true;
    this.#events.delta(this.#block, { type: "input_json_delta", partial_json: text });
  }
}

/** A call that the upstream carries out itself: told of when it is complete. */
export class HostedCallDecoder implements ItemDecoder {
  readonly #events: MessagesEvents;
  readonly #blocksOf: (item: JsonObject) => JsonRecord[];

  constructor(events: MessagesEvents, blocksOf: (item: JsonObject) => JsonRecord[]) {
    this.#events = events;
    this.#blocksOf = blocksOf;
  }

  take(): void {
    // Its progress has no counterpart.
  }

  end(item: JsonObject): void {
    if (item["type"] === undefined) return;
    for (const block of this.#blocksOf(item)) this.#write(block);
  }

  #write(block: JsonRecord): void {
    const { input, ...rest } = block;
    const index = this.#events.start(input === undefined ? block : { ...rest, input: {} });
    if (input !== undefined) {
      this.#events.delta(index, { type: "input_json_delta", partial_json: JSON.stringify(input) });
    }
    this.#events.stop(index);
  }
}

/** An item that a Messages client has no use for. */
export const ignoredItem: ItemDecoder = {
  take: () => {
    // Nothing of it is told.
  },
  end: () => {
    // Nothing of it is told.
  },
};
