import type { AnswerContext, StreamEncoder } from "../codec.ts";
import { openaiErrorOf } from "../openai/error-shape.ts";
import { openaiId } from "../openai/ids.ts";
import { type JsonObject, type JsonRecord, isObject, stringOf } from "../openai/json-reader.ts";
import { MAX_EVENT_BYTES, eventJson } from "../openai/sse-data.ts";
import { type TokenCounts, chatUsage, noTokens, readMessagesUsage } from "../openai/usage.ts";
import { EventSplitter } from "../sse/event-splitter.ts";
import { chatCitations } from "./annotations.ts";
import { CHAT_ID, refusalOf } from "./chat-answer.ts";
import { lengthOfLiteral, scanDelta } from "./delta-scan.ts";
import { chatServiceTier, finishOf } from "./finish-reason.ts";

const PING = Buffer.from(": ping\n\n");
const NOTHING = Buffer.alloc(0);
/** A delta event of usual size; a longer one is cheaper to parse than to search. */
const MAX_SCANNED_BYTES = 64 * 1024;

/** The block that the stream is in. */
interface OpenBlock {
  readonly index: unknown;
  readonly type: string;
  /** The block as it began. */
  readonly block: JsonObject;
  /** Offset of the answer's text when the block began. */
  readonly textStart: number;
  /** JSON texts of strings, without quotes, one character a byte: thinking, or a server tool's input. */
  gathered: string;
  signature: string;
  /** Whether a tool's arguments have begun. */
  hasArguments: boolean;
  citations: unknown[] | null;
}

/**
 * Messages events in, Chat Completion chunks out. Output is gathered as Latin-1 text, one character a byte, and made bytes
 * once for each chunk that comes in.
 */
export class ChatStreamEncoder implements StreamEncoder {
  readonly contentType = "text/event-stream; charset=utf-8";
  readonly #context: AnswerContext;
  readonly #includeUsage: boolean;
  readonly #splitter: EventSplitter;
  #out = "";
  /** What each chunk begins and ends with; known from `message_start`. */
  #head = "";
  #tail = "";
  #block: OpenBlock | null = null;
  #toolIndex = -1;
  #textLength = 0;
  readonly #counts: TokenCounts = noTokens();
  #delta: JsonObject = {};
  /** After the end or an error nothing more is said. */
  #closed = false;

  constructor(context: AnswerContext, includeUsage: boolean) {
    this.#context = context;
    this.#includeUsage = includeUsage;
    this.#splitter = new EventSplitter(this.#event.bind(this), MAX_EVENT_BYTES);
  }

  push(chunk: Buffer): Buffer {
    this.#out = "";
    this.#splitter.push(chunk);
    return this.#out === "" ? NOTHING : Buffer.from(this.#out, "latin1");
  }

  ping(): Buffer {
    return PING;
  }

  #event(buffer: Buffer, start: number, end: number): void {
    if (this.#closed) return;
    // "event: content_block_delta": its ninth and its twenty-second character are enough to tell it from the others.
    const isDelta = buffer[start + 7] === 99 && buffer[start + 21] === 100 && end - start < MAX_SCANNED_BYTES;
    const scanned = isDelta ? scanDelta(buffer.toString("latin1", start, end)) : null;
    if (scanned !== null && this.#block !== null) {
      this.#string(this.#block, scanned.kind, scanned.literal);
      return;
    }
    const event = eventJson(buffer, start, end);
    if (isObject(event)) this.#decoded(event);
  }

  #decoded(event: JsonObject): void {
    switch (event["type"]) {
      case "message_start":
        return this.#messageStart(event["message"]);
      case "content_block_start":
        return this.#blockStart(event);
      case "content_block_delta":
        return this.#blockDelta(event["delta"]);
      case "content_block_stop":
        return this.#blockStop();
      case "message_delta":
        readMessagesUsage(event["usage"], this.#counts);
        if (isObject(event["delta"])) this.#delta = event["delta"];
        return;
      case "message_stop":
        return this.#messageStop();
      case "ping":
        this.#out += ": ping\n\n";
        return;
      case "error":
        this.#closed = true;
        this.#out += `data: ${latin1({ error: openaiErrorOf(event["error"]) })}\n\n`;
        return;
      default:
      // Events of later versions have no place in a chunk.
    }
  }

  #messageStart(message: unknown): void {
    const fields: JsonObject = isObject(message) ? message : {};
    const { createdAtMs, modelAsked } = this.#context;
    const tier = chatServiceTier(fields["usage"]);
    const head = latin1({
      id: openaiId(CHAT_ID, String(fields["id"])),
      object: "chat.completion.chunk",
      created: Math.floor(createdAtMs / 1000),
      model: modelAsked,
      ...(tier === null ? {} : { service_tier: tier }),
    });
    this.#head = `data: ${head.slice(0, -1)},"choices":[`;
    this.#tail = this.#includeUsage ? `],"usage":null}\n\n` : "]}\n\n";
    readMessagesUsage(fields["usage"], this.#counts);
    this.#chunk('{"role":"assistant","content":"","refusal":null}');
  }

  /** One chunk; `delta` is JSON, one character a byte. */
  #chunk(delta: string): void {
    this.#out += `${this.#head}{"index":0,"delta":${delta},"logprobs":null,"finish_reason":null}${this.#tail}`;
  }

  #blockStart(event: JsonObject): void {
    const block: JsonObject = isObject(event["content_block"]) ? event["content_block"] : {};
    const type = String(block["type"]);
    const open: OpenBlock = {
      index: event["index"],
      type,
      block,
      textStart: this.#textLength,
      gathered: "",
      signature: "",
      hasArguments: false,
      citations: null,
    };
    this.#block = open;
    if (type === "tool_use") this.#toolStart(open);
    else if (type === "text") this.#string(open, "text", latin1(stringOf(block["text"])));
    else if (type === "thinking") this.#string(open, "reasoning", latin1(stringOf(block["thinking"])));
  }

  #toolStart(open: OpenBlock): void {
    const { id, name, input } = open.block;
    const index = ++this.#toolIndex;
    this.#chunk(latin1({ tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] }));
    // Upstreams that do not stream arguments give them here.
    if (isObject(input) && Object.keys(input).length > 0) {
      this.#string(open, "arguments", latin1(JSON.stringify(input)));
    }
  }

  #blockDelta(delta: unknown): void {
    const open = this.#block;
    if (open === null || !isObject(delta)) return;
    const { text, thinking, partial_json, signature, citation } = delta;
    if (typeof text === "string") this.#string(open, "text", latin1(text));
    else if (typeof partial_json === "string") this.#string(open, "arguments", latin1(partial_json));
    else if (typeof thinking === "string") this.#string(open, "reasoning", latin1(thinking));
    else if (typeof signature === "string") open.signature += signature;
    else if (citation !== undefined) (open.citations ??= []).push(citation);
  }

  /** A piece of text, of arguments or of thinking. `literal` is its JSON text, quotes included, one character a byte. */
  #string(open: OpenBlock, kind: "text" | "arguments" | "reasoning", literal: string): void {
    if (literal.length === 2) return;
    if (kind === "text") {
      this.#textLength += lengthOfLiteral(literal);
      this.#chunk(`{"content":${literal}}`);
    } else if (kind === "reasoning") {
      open.gathered += literal.slice(1, -1);
      this.#chunk(`{"reasoning_content":${literal}}`);
    } else if (open.type === "tool_use") {
      open.hasArguments = true;
      this.#chunk(`{"tool_calls":[{"index":${this.#toolIndex},"function":{"arguments":${literal}}}]}`);
    } else open.gathered += literal.slice(1, -1);
  }

  #blockStop(): void {
    const open = this.#block;
    this.#block = null;
    if (open === null) return;
    switch (open.type) {
      case "text":
        return this.#citations(open);
      case "tool_use":
        // Without arguments the stream has none, and a client would parse an empty text.
        if (!open.hasArguments) this.#string(open, "arguments", '"{}"');
        return;
      case "thinking":
        // Whole, so that it can be sent back as it is: a signature holds for the very text.
        return this.#thinkingBlock(open);
      case "redacted_thinking":
        return this.#chunk(latin1({ thinking_blocks: [open.block] }));
      default:
        return this.#chunk(latin1({ server_tool_blocks: [serverBlock(open)] }));
    }
  }

  #thinkingBlock({ block, gathered, signature }: OpenBlock): void {
    const seal = latin1(signature === "" ? stringOf(block["signature"]) : signature);
    this.#chunk(`{"thinking_blocks":[{"type":"thinking","thinking":"${gathered}","signature":${seal}}]}`);
  }

  #citations(open: OpenBlock): void {
    const list = open.citations ?? (Array.isArray(open.block["citations"]) ? open.block["citations"] : []);
    if (list.length === 0) return;
    const { annotations, citations } = chatCitations(list, { start: open.textStart, end: this.#textLength });
    const delta: JsonRecord = {};
    if (annotations.length > 0) delta["annotations"] = annotations;
    if (citations.length > 0) delta["citations"] = citations;
    this.#chunk(latin1(delta));
  }

  #messageStop(): void {
    this.#closed = true;
    const refusal = refusalOf(this.#delta);
    if (refusal !== null) this.#chunk(latin1({ refusal }));
    const finish = finishOf(this.#delta["stop_reason"], this.#delta["stop_sequence"]);
    this.#out += `${this.#head}${latin1({ index: 0, delta: {}, logprobs: null, ...finish })}${this.#tail}`;
    if (this.#includeUsage) this.#out += `${this.#head}],"usage":${latin1(chatUsage(this.#counts))}}\n\n`;
    this.#out += "data: [DONE]\n\n";
  }
}

/** A block of a server tool with the input that was streamed after its start. */
function serverBlock({ block, gathered }: OpenBlock): JsonObject {
  if (gathered === "") return block;
  const text: unknown = JSON.parse(`"${Buffer.from(gathered, "latin1").toString("utf8")}"`);
  try {
    return { ...block, input: JSON.parse(String(text)) };
  } catch {
    return { ...block, input: text }; // Cut by the token limit: as far as it came.
  }
}

/** JSON text with one character for each of its bytes. */
function latin1(value: unknown): string {
  const json = JSON.stringify(value);
  // eslint-disable-next-line no-control-regex -- the range of ASCII
  return /^[\u0000-\u007f]*$/.test(json) ? json : Buffer.from(json, "utf8").toString("latin1");
}
