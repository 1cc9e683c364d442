import { randomBytes } from "node:crypto";

import type {
  ResponseFunctionToolCall,
  ResponseOutputItem,
  ResponseOutputMessage,
  ResponseReasoningItem,
  ResponseStreamEvent,
  ResponseUsage,
} from "openai/resources/responses/responses";

import { isObject, objectsOf, textOf, type JsonObject } from "../../../../src/upstream/sandbox/json-value.ts";
import type { MessageEvent } from "../../message-events.ts";
import { jsonAnswer, type CloudError, type Framing, type WholeAnswer } from "../dialect.ts";
import { damagedSse } from "../sse-framing.ts";
import { callId } from "./chat-framing.ts";
import { openAiError } from "./openai-error.ts";
import { countsOf, thinkingCharsOf } from "./openai-usage.ts";
import { sealReasoning } from "./reasoning-seal.ts";

export interface ResponsesFramingOptions {
  readonly model: string;
  readonly showsSummary: boolean;
  readonly includesEncrypted: boolean;
  readonly echo: JsonObject;
  readonly headers: Readonly<Record<string, string>>;
}

/** An event without its number. */
type Unnumbered<T = ResponseStreamEvent> = T extends { sequence_number: number } ? Omit<T, "sequence_number"> : never;
type Output = ResponseOutputMessage | ResponseFunctionToolCall | ResponseReasoningItem;

/** Answers of the Responses API: one document, or numbered events that end with the whole response. */
export class ResponsesFraming implements Framing {
  readonly streamHeaders: Readonly<Record<string, string>>;
  readonly #options: ResponsesFramingOptions;
  readonly #id = newId("resp");
  readonly #createdAt = Math.floor(Date.now() / 1000);
  readonly #output: Output[] = [];
  #sequence = 0;
  #usage: JsonObject = {};
  #thinkingChars = 0;
  #stopReason: unknown = null;
  /** Text, arguments or summary of the item that is being written. */
  #text = "";

  constructor(options: ResponsesFramingOptions) {
    this.#options = options;
    this.streamHeaders = { "content-type": "text/event-stream; charset=utf-8", ...options.headers };
  }

  whole(message: JsonObject): WholeAnswer {
    for (const block of objectsOf(message["content"])) {
      const item = this.#newItem(block);
      if (item === null) continue;
      this.#text = textOf(block, "text") || textOf(block, "thinking");
      if (block["type"] === "tool_use") this.#text = JSON.stringify(block["input"]);
      this.#output.push(this.#finished(item));
    }
    this.#noteUsage(message["usage"]);
    this.#thinkingChars = thinkingCharsOf(message);
    this.#stopReason = message["stop_reason"];
    return jsonAnswer(this.#response(this.#finalStatus()), this.#options.headers);
  }

  events({ name, data }: MessageEvent): readonly Buffer[] {
    switch (name) {
      case "message_start":
        this.#noteUsage(isObject(data["message"]) ? data["message"]["usage"] : null);
        return ["response.created", "response.in_progress"].map((type) => this.#lifecycle(type, "in_progress"));
      case "content_block_start":
        return isObject(data["content_block"]) ? this.#start(data["content_block"]) : [];
      case "content_block_delta":
        return isObject(data["delta"]) ? this.#delta(data["delta"]) : [];
      case "content_block_stop":
        return this.#stop();
      case "message_delta":
        this.#noteUsage(data["usage"]);
        this.#stopReason = isObject(data["delta"]) ? data["delta"]["stop_reason"] : null;
        return [];
      case "message_stop":
        return [this.#lifecycle(`response.${this.#finalStatus()}`, this.#finalStatus())];
      case "error":
        return [this.errorEvent({ status: 500, message: "The server had an error while processing your request." })];
      default:
        return [];
    }
  }

  errorEvent(error: CloudError): Buffer {
    const { code } = openAiError(error);
    const text = typeof code === "string" ? code : "server_error";
    return this.#encode({ type: "error", code: text, message: error.message, param: null });
  }

  damage(event: Buffer): Buffer {
    return damagedSse(event);
  }

  /** An item in the state in which it begins; null for a block that has none. */
  #newItem(block: JsonObject): Output | null {
    switch (block["type"]) {
      case "text":
        return { id: newId("msg"), type: "message", status: "in_progress", role: "assistant", content: [] };
      case "thinking":
        return { id: newId("rs"), type: "reasoning", summary: [] };
      case "tool_use":
        return {
          id: newId("fc"),
          type: "function_call",
          status: "in_progress",
          call_id: callId(textOf(block, "id")),
          name: textOf(block, "name"),
          arguments: "",
        };
      default:
        return null;
    }
  }

  #start(block: JsonObject): readonly Buffer[] {
    const item = this.#newItem(block);
    if (item === null) return [];
    this.#output.push(item);
    this.#text = "";
    const at = { item_id: item.id ?? "", output_index: this.#index };
    const added = this.#encode({ type: "response.output_item.added", output_index: this.#index, item });
    if (item.type === "message") {
      const part = { type: "output_text" as const, text: "", annotations: [], logprobs: [] };
      return [added, this.#encode({ type: "response.content_part.added", ...at, content_index: 0, part })];
    }
    if (item.type !== "reasoning" || !this.#options.showsSummary) return [added];
    const part = { type: "summary_text" as const, text: "" };
    return [added, this.#encode({ type: "response.reasoning_summary_part.added", ...at, summary_index: 0, part })];
  }

  #delta(delta: JsonObject): readonly Buffer[] {
    const item = this.#output.at(-1);
    const piece = textOf(delta, "text") || textOf(delta, "partial_json") || textOf(delta, "thinking");
    if (item === undefined || piece === "") return [];
    this.#text += piece;
    const at = { item_id: item.id ?? "", output_index: this.#index, delta: piece };
    switch (item.type) {
      case "message":
        return [this.#encode({ type: "response.output_text.delta", ...at, content_index: 0, logprobs: [] })];
      case "function_call":
        return [this.#encode({ type: "response.function_call_arguments.delta", ...at })];
      case "reasoning":
        break;
    }
    this.#thinkingChars += piece.length;
    if (!this.#options.showsSummary) return [];
    return [this.#encode({ type: "response.reasoning_summary_text.delta", ...at, summary_index: 0 })];
  }

  #stop(): readonly Buffer[] {
    const begun = this.#output.at(-1);
    if (begun === undefined) return [];
    const item = this.#finished(begun);
    this.#output[this.#index] = item;
    const at = { item_id: item.id ?? "", output_index: this.#index };
    const text = this.#text;
    const done = this.#doneEvents(item, at, text);
    return [...done, this.#encode({ type: "response.output_item.done", output_index: this.#index, item })];
  }

  #doneEvents(item: Output, at: { item_id: string; output_index: number }, text: string): readonly Buffer[] {
    if (item.type === "function_call") {
      return [this.#encode({ type: "response.function_call_arguments.done", ...at, arguments: text })];
    }
    if (item.type === "message") {
      const part = { type: "output_text" as const, text, annotations: [], logprobs: [] };
      return [
        this.#encode({ type: "response.output_text.done", ...at, content_index: 0, text, logprobs: [] }),
        this.#encode({ type: "response.content_part.done", ...at, content_index: 0, part }),
      ];
    }
    if (!this.#options.showsSummary) return [];
    const part = { type: "summary_text" as const, text };
    return [
      this.#encode({ type: "response.reasoning_summary_text.done", ...at, summary_index: 0, text }),
      this.#encode({ type: "response.reasoning_summary_part.done", ...at, summary_index: 0, part }),
    ];
  }

  #finished(item: Output): Output {
    const text = this.#text;
    if (item.type === "function_call") return { ...item, status: "completed", arguments: text };
    if (item.type === "message") {
      return {
        ...item,
        status: "completed",
        content: [{ type: "output_text", text, annotations: [], logprobs: [] }],
      };
    }
    return {
      ...item,
      summary: this.#options.showsSummary && text !== "" ? [{ type: "summary_text", text }] : [],
      ...(this.#options.includesEncrypted ? { encrypted_content: sealReasoning(text) } : {}),
    };
  }

  get #index(): number {
    return this.#output.length - 1;
  }

  #finalStatus(): "completed" | "incomplete" {
    return this.#incompleteReason() === null ? "completed" : "incomplete";
  }

  #incompleteReason(): "max_output_tokens" | "content_filter" | null {
    if (this.#stopReason === "refusal") return "content_filter";
    const isCut = this.#stopReason === "max_tokens" || this.#stopReason === "model_context_window_exceeded";
    return isCut ? "max_output_tokens" : null;
  }

  #response(status: "in_progress" | "completed" | "incomplete"): JsonObject {
    const reason = this.#incompleteReason();
    const output: readonly ResponseOutputItem[] = status === "in_progress" ? [] : this.#output;
    return {
      id: this.#id,
      object: "response",
      created_at: this.#createdAt,
      status,
      background: false,
      error: null,
      incomplete_details: status === "incomplete" ? { reason } : null,
      model: this.#options.model,
      output,
      usage: status === "in_progress" ? null : usageOf(this.#usage, this.#thinkingChars),
      user: null,
      ...this.#options.echo,
    };
  }

  #lifecycle(type: string, status: "in_progress" | "completed" | "incomplete"): Buffer {
    return this.#encode({ type, response: this.#response(status) });
  }

  /** Typed for every event but those that carry the response, which repeats parts of the request as they came. */
  #encode(event: Unnumbered | { readonly type: string; readonly response: JsonObject }): Buffer {
    const numbered = { ...event, sequence_number: this.#sequence };
    this.#sequence += 1;
    return Buffer.from(`event: ${event.type}\ndata: ${JSON.stringify(numbered)}\n\n`);
  }

  #noteUsage(usage: unknown): void {
    if (isObject(usage)) this.#usage = { ...this.#usage, ...usage };
  }
}

function newId(prefix: string): string {
  return `${prefix}_${randomBytes(20).toString("hex")}`;
}

function usageOf(usage: JsonObject, thinkingChars: number): Omit<ResponseUsage, "input_tokens_details"> & JsonObject {
  const { input, cached, output, reasoning } = countsOf(usage, thinkingChars);
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  };
}
