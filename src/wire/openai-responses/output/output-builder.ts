import type { JsonObject, JsonRecord } from "../../openai/json-reader.ts";
import type { EventSink } from "../response-events.ts";
import type { ResponseSettings } from "../response-settings.ts";
import { CustomCallWriter, FunctionCallWriter } from "./function-call-writer.ts";
import { MessageWriter } from "./message-writer.ts";
import { type ItemStatus, type ItemWriter, type LiteralKind, OutputList } from "./output-list.ts";
import { ReasoningWriter } from "./reasoning-writer.ts";
import { McpCallWriter, ResultWriter, SearchCallWriter, type ServerCallWriter } from "./server-call-writers.ts";

export interface OutputEnd {
  readonly status: ItemStatus;
  /** Why the model declined; null when it did not, or did not say. */
  readonly refusal: string | null;
}

/** Turns the content blocks of an answer into output items, and tells the sink of each step. */
export class OutputBuilder {
  readonly #list: OutputList;
  readonly #settings: ResponseSettings;
  readonly #writers = new Map<number, ItemWriter>();
  /** Of the block that began last, until it ends. */
  #current: ItemWriter | null = null;
  /** Written last and not closed yet: only what follows shows whether it is complete. */
  #open: ItemWriter | null = null;
  /** Calls that wait for their result, by the id of the tool use. */
  readonly #calls = new Map<string, ServerCallWriter>();

  constructor(sink: EventSink, messageId: string, settings: ResponseSettings) {
    this.#list = new OutputList(sink, messageId);
    this.#settings = settings;
  }

  get items(): readonly JsonRecord[] {
    return this.#list.items;
  }

  start(index: number, block: JsonObject): void {
    this.#current = block["type"] === "text" ? this.#text(block) : this.#other(block);
    this.#writers.set(index, this.#current);
  }

  /** Takes a delta without its being parsed; false when it must be. Blocks of a stream do not overlap. */
  literal(kind: LiteralKind, literal: string): boolean {
    return this.#current !== null && this.#current.literal(kind, literal);
  }

  delta(index: number, delta: JsonObject): void {
    this.#writers.get(index)?.delta(delta);
  }

  stop(index: number): void {
    this.#current = null;
    this.#writers.get(index)?.endBlock();
    this.#writers.delete(index);
  }

  /** Closes what is open. Blocks that were cut in the middle are ended as they are. */
  end({ status, refusal }: OutputEnd): void {
    for (const writer of this.#writers.values()) writer.endBlock();
    this.#writers.clear();
    if (refusal !== null) this.#message().refuse(refusal);
    this.#close(status);
    for (const call of this.#calls.values()) call.close("incomplete");
    this.#calls.clear();
  }

  #text(block: JsonObject): MessageWriter {
    const writer = this.#message();
    writer.begin(block);
    return writer;
  }

  /** The message that is open, else a new one. */
  #message(): MessageWriter {
    if (this.#open instanceof MessageWriter) return this.#open;
    this.#close("completed");
    const writer = new MessageWriter(this.#list);
    this.#open = writer;
    return writer;
  }

  #other(block: JsonObject): ItemWriter {
    this.#close("completed");
    const { type, tool_use_id: callId, id } = block;
    const call = typeof callId === "string" ? this.#calls.get(callId) : undefined;
    if (call !== undefined) {
      this.#calls.delete(String(callId));
      return new ResultWriter(call, block);
    }
    if (type === "server_tool_use" && isSearch(block)) {
      return this.#wait(id, new SearchCallWriter(this.#list, block, { sources: this.#settings.searchSources }));
    }
    if (type === "mcp_tool_use") return this.#wait(id, new McpCallWriter(this.#list, block));
    this.#open = type === "tool_use" ? this.#call(block) : new ReasoningWriter(this.#list, block, this.#settings);
    return this.#open;
  }

  #call(block: JsonObject): ItemWriter {
    const custom = this.#settings.customTools.has(String(block["name"]));
    return custom ? new CustomCallWriter(this.#list, block) : new FunctionCallWriter(this.#list, block);
  }

  #wait(id: unknown, call: ServerCallWriter): ServerCallWriter {
    this.#calls.set(String(id), call);
    return call;
  }

  #close(status: ItemStatus): void {
    this.#open?.close(status);
    this.#open = null;
  }
}

function isSearch({ name }: JsonObject): boolean {
  return name === "web_search" || name === "web_fetch";
}
