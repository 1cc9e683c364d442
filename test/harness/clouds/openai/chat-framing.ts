import { hash, randomBytes } from "node:crypto";

import type { ChatCompletion, ChatCompletionChunk } from "openai/resources/chat/completions";
import type { CompletionUsage } from "openai/resources/completions";

import { isObject, objectsOf, textOf, type JsonObject } from "../../../../src/upstream/sandbox/json-value.ts";
import type { MessageEvent } from "../../message-events.ts";
import { jsonAnswer, type CloudError, type Framing, type WholeAnswer } from "../dialect.ts";
import { damagedSse } from "../sse-framing.ts";
import { openAiError } from "./openai-error.ts";
import { countsOf, thinkingCharsOf } from "./openai-usage.ts";

type FinishReason = "stop" | "length" | "tool_calls" | "content_filter";

const FINISH: Readonly<Record<string, FinishReason>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  pause_turn: "stop",
  tool_use: "tool_calls",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  refusal: "content_filter",
};
/** What Azure says of every piece of text. */
const HARMLESS = { hate: { filtered: false, severity: "safe" }, violence: { filtered: false, severity: "safe" } };

export interface ChatFramingOptions {
  /** The model as the answer names it. */
  readonly model: string;
  readonly includesUsage: boolean;
  /** Azure's additions: content filter results, an opening chunk without choices. */
  readonly isAzure: boolean;
  /** Whether thinking is shown as `reasoning_content`, as compatible servers do; OpenAI's own hides it. */
  readonly showsReasoning: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

/** Answers of Chat Completions: one document, or chunks that end with `[DONE]`. */
export class ChatFraming implements Framing {
  readonly streamHeaders: Readonly<Record<string, string>>;
  readonly #options: ChatFramingOptions;
  readonly #id = `chatcmpl-${randomBytes(15).toString("base64url")}`;
  readonly #created = Math.floor(Date.now() / 1000);
  #usage: JsonObject = {};
  #thinkingChars = 0;
  #hasRole = false;
  #tools = -1;
  #finish: FinishReason = "stop";

  constructor(options: ChatFramingOptions) {
    this.#options = options;
    this.streamHeaders = { "content-type": "text/event-stream; charset=utf-8", ...options.headers };
  }

  whole(message: JsonObject): WholeAnswer {
    const blocks = objectsOf(message["content"]);
    const text = blocks.map((block) => textOf(block, "text")).join("");
    const calls = blocks.filter((block) => block["type"] === "tool_use").map(toolCall);
    const thinking = blocks.map((block) => textOf(block, "thinking")).join("");
    const completion: ChatCompletion = {
      id: this.#id,
      object: "chat.completion",
      created: this.#created,
      model: this.#options.model,
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: text === "" && calls.length > 0 ? null : text,
            refusal: null,
            annotations: [],
            ...(calls.length > 0 ? { tool_calls: calls } : {}),
          },
          logprobs: null,
          finish_reason: finishOf(message["stop_reason"]),
        },
      ],
      usage: usageOf(message["usage"], thinkingCharsOf(message)),
      service_tier: "default",
      system_fingerprint: "fp_stand_in",
    };
    const choice = { ...completion.choices[0], ...this.#filtered() };
    const shown = this.#options.showsReasoning && thinking !== "" ? { reasoning_content: thinking } : {};
    const choices = [{ ...choice, message: { ...completion.choices[0]?.message, ...shown } }];
    return jsonAnswer({ ...completion, choices, ...this.#promptFiltered() }, this.#options.headers);
  }

  events({ name, data }: MessageEvent): readonly Buffer[] {
    switch (name) {
      case "message_start":
        this.#noteUsage(isObject(data["message"]) ? data["message"]["usage"] : null);
        return this.#options.isAzure ? [this.#azureOpening()] : [];
      case "content_block_start":
        return this.#blockStart(data["content_block"]);
      case "content_block_delta":
        return this.#delta(data["delta"]);
      case "message_delta":
        return this.#messageDelta(data);
      case "message_stop":
        return [...(this.#options.includesUsage ? [this.#usageChunk()] : []), Buffer.from("data: [DONE]\n\n")];
      case "error":
        return [this.errorEvent({ status: 500, message: "The server had an error while processing your request." })];
      default:
        return [];
    }
  }

  errorEvent(error: CloudError): Buffer {
    return Buffer.from(`data: ${JSON.stringify({ error: openAiError(error) })}\n\n`);
  }

  damage(event: Buffer): Buffer {
    return damagedSse(event);
  }

  #blockStart(block: unknown): readonly Buffer[] {
    if (!isObject(block)) return [];
    if (block["type"] === "text") return this.#role({ content: "", refusal: null });
    if (block["type"] === "thinking") return this.#options.showsReasoning ? this.#role({ content: "" }) : [];
    if (block["type"] !== "tool_use") return [];
    this.#tools += 1;
    const call = { index: this.#tools, id: callId(textOf(block, "id")), type: "function" as const };
    const delta = { tool_calls: [{ ...call, function: { name: textOf(block, "name"), arguments: "" } }] };
    // A first call comes in one chunk with the role.
    return this.#hasRole ? [this.#chunk(delta)] : this.#role({ content: null, ...delta });
  }

  #role(delta: ChatCompletionChunk.Choice.Delta): readonly Buffer[] {
    if (this.#hasRole) return [];
    this.#hasRole = true;
    return [this.#chunk({ role: "assistant", ...delta })];
  }

  #delta(delta: unknown): readonly Buffer[] {
    if (!isObject(delta)) return [];
    const text = textOf(delta, "text");
    if (text !== "") return [this.#chunk({ content: text })];
    const json = textOf(delta, "partial_json");
    if (json !== "") return [this.#chunk({ tool_calls: [{ index: this.#tools, function: { arguments: json } }] })];
    const thinking = textOf(delta, "thinking");
    this.#thinkingChars += thinking.length;
    if (thinking === "" || !this.#options.showsReasoning) return [];
    return [this.#chunk({ reasoning_content: thinking })];
  }

  #messageDelta(data: MessageEvent["data"]): readonly Buffer[] {
    this.#noteUsage(data["usage"]);
    this.#finish = finishOf(isObject(data["delta"]) ? data["delta"]["stop_reason"] : null);
    return [...this.#role({ content: "", refusal: null }), this.#chunk({}, this.#finish)];
  }

  #chunk(
    delta: ChatCompletionChunk.Choice.Delta & { reasoning_content?: string },
    finish: FinishReason | null = null,
  ): Buffer {
    const choice = { index: 0, delta, logprobs: null, finish_reason: finish, ...this.#filtered() };
    return this.#encode({
      ...this.#head(),
      choices: [choice],
      ...(this.#options.includesUsage ? { usage: null } : {}),
    });
  }

  #usageChunk(): Buffer {
    return this.#encode({ ...this.#head(), choices: [], usage: usageOf(this.#usage, this.#thinkingChars) });
  }

  #azureOpening(): Buffer {
    return this.#encode({ id: "", object: "", created: 0, model: "", choices: [], ...this.#promptFiltered() });
  }

  #head(): Omit<ChatCompletionChunk, "choices"> {
    return {
      id: this.#id,
      object: "chat.completion.chunk",
      created: this.#created,
      model: this.#options.model,
      service_tier: "default",
      system_fingerprint: "fp_stand_in",
    };
  }

  #filtered(): JsonObject {
    return this.#options.isAzure ? { content_filter_results: HARMLESS } : {};
  }

  #promptFiltered(): JsonObject {
    if (!this.#options.isAzure) return {};
    return { prompt_filter_results: [{ prompt_index: 0, content_filter_results: HARMLESS }] };
  }

  #noteUsage(usage: unknown): void {
    if (isObject(usage)) this.#usage = { ...this.#usage, ...usage };
  }

  #encode(chunk: object): Buffer {
    return Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`);
  }
}

/** OpenAI's kind of id for a tool call of the engine's. */
export function callId(id: string): string {
  return `call_${hash("sha256", id, "hex").slice(0, 24)}`;
}

function toolCall(block: JsonObject): { id: string; type: "function"; function: { name: string; arguments: string } } {
  const fn = { name: textOf(block, "name"), arguments: JSON.stringify(block["input"]) };
  return { id: callId(textOf(block, "id")), type: "function", function: fn };
}

function finishOf(stopReason: unknown): FinishReason {
  return FINISH[String(stopReason)] ?? "stop";
}

function usageOf(usage: unknown, thinkingChars: number): CompletionUsage {
  const { input, cached, output, reasoning } = countsOf(usage, thinkingChars);
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
