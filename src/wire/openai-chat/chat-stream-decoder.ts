import { WeirError } from "../../core/weir-error.ts";
import type { StreamDecoder } from "../codec.ts";
import { anthropicErrorOf } from "../openai/error-shape.ts";
import { messageId } from "../openai/ids.ts";
import { type JsonObject, type JsonRecord, isObject, stringOf } from "../openai/json-reader.ts";
import { MAX_EVENT_BYTES, eventData } from "../openai/sse-data.ts";
import { noTokens, readChatUsage } from "../openai/usage.ts";
import { EventSplitter } from "../sse/event-splitter.ts";
import { BlockQueue, type StreamedBlock, toolStart } from "./block-queue.ts";
import { CHAT_ID } from "./chat-answer.ts";
import { chatUsageAsMessages, citationsOf, reasoningText, stopMembers } from "./target-answer.ts";

const NOTHING = Buffer.alloc(0);

/**
 * Chat Completion chunks in, Messages events out. `message_stop` comes with `[DONE]`, or with the usage chunk that follows a
 * finish reason; a stream that ends before is cut, and looks so.
 */
export class ChatStreamDecoder implements StreamDecoder {
  readonly #splitter = new EventSplitter(this.#event.bind(this), MAX_EVENT_BYTES);
  readonly #blocks = new BlockQueue();
  #out = "";
  #started = false;
  #closed = false;
  #id = "";
  /** The choice that told how the answer ended. */
  #finish: JsonObject | null = null;
  #counts = noTokens();
  #serviceTier: unknown = null;
  #refusal = "";
  /** The words of refusal are the answer's text when it has no other. */
  #refusalIsText = false;
  #toolCount = 0;
  /** Text so far, for citations that point into it. */
  #text = "";

  get atBoundary(): boolean {
    return this.#splitter.atBoundary;
  }

  push(chunk: Buffer): Buffer {
    this.#out = "";
    this.#splitter.push(chunk);
    return this.#out === "" ? NOTHING : Buffer.from(this.#out);
  }

  #event(buffer: Buffer, start: number, end: number): void {
    if (this.#closed) return;
    const data = eventData(buffer, start, end);
    if (data === null || data === "") return; // A comment.
    if (data.trim() === "[DONE]") this.#end();
    else this.#chunk(parseChunk(data));
  }

  #chunk(chunk: JsonObject): void {
    if (chunk["error"] !== undefined && chunk["error"] !== null) {
      this.#closed = true;
      this.#say("error", { type: "error", error: anthropicErrorOf(chunk["error"], 0) });
      return;
    }
    const choice = Array.isArray(chunk["choices"]) ? (chunk["choices"] as readonly unknown[])[0] : undefined;
    const counts = readChatUsage(chunk["usage"]);
    if (counts !== null) this.#counts = counts;
    if (typeof chunk["service_tier"] === "string") this.#serviceTier = chunk["service_tier"];
    if (isObject(choice)) this.#choice(chunk, choice);
    // Azure sends chunks without choices at the beginning, for its filters.
    else if (counts !== null && this.#finish !== null) this.#end();
  }

  #choice(chunk: JsonObject, choice: JsonObject): void {
    this.#start(chunk);
    if (isObject(choice["delta"])) this.#delta(choice["delta"]);
    if (typeof choice["finish_reason"] === "string") this.#finish = choice;
    this.#flush();
  }

  #start({ id, model }: JsonObject): void {
    if (this.#started) return;
    this.#started = true;
    this.#id = messageId(CHAT_ID, stringOf(id));
    const message = {
      id: this.#id,
      type: "message",
      role: "assistant",
      model: stringOf(model),
      content: [],
      stop_reason: null,
      stop_sequence: null,
      // Chat counts at the end; what it counts comes with message_delta.
      usage: { input_tokens: 0, output_tokens: 0 },
    };
    this.#say("message_start", { type: "message_start", message });
  }

  #delta(delta: JsonObject): void {
    this.#thinking(delta);
    for (const block of objectsOf(delta["server_tool_blocks"])) this.#whole(block);
    const { content, refusal } = delta;
    if (typeof content === "string" && content !== "") this.#textDelta(content);
    if (typeof refusal === "string" && refusal !== "") {
      if (this.#refusal === "") this.#refusalIsText = this.#text === "";
      this.#refusal += refusal;
      if (this.#refusalIsText) this.#textDelta(refusal);
    }
    this.#citations(delta);
    for (const call of objectsOf(delta["tool_calls"])) this.#toolDelta(call);
    if (isObject(delta["function_call"])) this.#toolDelta({ index: 0, function: delta["function_call"] });
  }

  #textDelta(text: string): void {
    this.#text += text;
    const block = this.#continued("text", '{"type":"text","text":""}');
    this.#blocks.delta(block, `{"type":"text_delta","text":${JSON.stringify(text)}}`);
  }

  /** The block at the end of the answer when it is of the kind, else a new one. */
  #continued(kind: "text" | "thinking", start: string): StreamedBlock {
    const { last } = this.#blocks;
    if (last?.kind === kind && !last.signed) return last;
    const block: StreamedBlock = { kind, toolIndex: -1, start, waiting: [], args: "", signed: false };
    this.#blocks.add(block);
    return block;
  }

  /**
   * Reasoning as text; from Claude behind a proxy also as `thinking_blocks`, whole after the text or in pieces beside it,
   * with the signature at last.
   */
  #thinking(delta: JsonObject): void {
    const reasoning = reasoningText(delta);
    if (reasoning !== "") this.#thinkingDelta(reasoning);
    for (const block of objectsOf(delta["thinking_blocks"])) {
      if (block["type"] === "thinking") this.#thinkingBlock(block, reasoning !== "");
      else this.#whole(block);
    }
  }

  #thinkingDelta(thinking: string): StreamedBlock {
    const block = this.#continued("thinking", '{"type":"thinking","thinking":"","signature":""}');
    this.#blocks.delta(block, `{"type":"thinking_delta","thinking":${JSON.stringify(thinking)}}`);
    return block;
  }

  #thinkingBlock(source: JsonObject, said: boolean): void {
    const { last } = this.#blocks;
    const open = last?.kind === "thinking" && !last.signed ? last : undefined;
    const thinking = stringOf(source["thinking"]);
    const signature = stringOf(source["signature"]);
    // With a signature the text of an open block is what has been said of it already.
    const isNew = thinking !== "" && !said && (signature === "" || open === undefined);
    const block = isNew ? this.#thinkingDelta(thinking) : open;
    if (signature === "") return;
    const signed = block ?? this.#continued("thinking", '{"type":"thinking","thinking":"","signature":""}');
    this.#blocks.delta(signed, `{"type":"signature_delta","signature":${JSON.stringify(signature)}}`);
    signed.signed = true;
  }

  #whole(block: JsonObject): void {
    const start = JSON.stringify(block);
    this.#blocks.add({ kind: "whole", toolIndex: -1, start, waiting: [], args: "", signed: false });
  }

  #citations(delta: JsonObject): void {
    const { last } = this.#blocks;
    if (last?.kind !== "text") return;
    for (const citation of citationsOf(delta, this.#text)) {
      this.#blocks.delta(last, JSON.stringify({ type: "citations_delta", citation }));
    }
  }

  #toolDelta(call: JsonObject): void {
    const fn: JsonObject = isObject(call["function"]) ? call["function"] : {};
    const block = this.#tool(call);
    const name = stringOf(fn["name"]);
    if (block.start === null && name !== "") {
      block.start = toolStart(stringOf(call["id"]) || `call_${this.#id}_${this.#toolCount}`, name);
      this.#blocks.startKnown();
    }
    const args = stringOf(fn["arguments"]);
    if (args === "") return;
    block.args += args;
    this.#blocks.delta(block, `{"type":"input_json_delta","partial_json":${JSON.stringify(args)}}`);
  }

  /** The call that a delta belongs to. Some servers count wrong, or not at all: a new id with a name is a new call. */
  #tool(call: JsonObject): StreamedBlock {
    const { index, id } = call;
    const toolIndex = typeof index === "number" ? index : 0;
    const known = this.#blocks.tool(toolIndex);
    const startsAnew = typeof id === "string" && id !== "" && known?.start?.includes(JSON.stringify(id)) === false;
    if (known !== undefined && !startsAnew) return known;
    const block: StreamedBlock = { kind: "tool", toolIndex, start: null, waiting: [], args: "", signed: false };
    this.#toolCount++;
    this.#blocks.add(block);
    return block;
  }

  #end(): void {
    if (!this.#started) return;
    this.#closed = true;
    this.#blocks.finish();
    this.#flush();
    // [DONE] without a finish reason is an end all the same.
    const choice = this.#finish ?? { finish_reason: "stop" };
    const stop = stopMembers(choice, { usedTools: this.#toolCount > 0, refusal: this.#refusal });
    const usage = chatUsageAsMessages(this.#counts, this.#serviceTier);
    this.#say("message_delta", { type: "message_delta", delta: stop, usage });
    this.#say("message_stop", { type: "message_stop" });
  }

  #flush(): void {
    this.#out += this.#blocks.out;
    this.#blocks.out = "";
  }

  #say(name: string, data: JsonRecord): void {
    this.#out += `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  }
}

function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function parseChunk(data: string): JsonObject {
  try {
    const value: unknown = JSON.parse(data);
    if (isObject(value)) return value;
  } catch {
    // Reported below, like JSON of the wrong kind.
  }
  throw new WeirError(
    "weir:upstream:bad_answer",
    "The upstream's stream has an event that is no Chat Completion chunk.",
  );
}
