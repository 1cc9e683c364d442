import { type JsonObject, type JsonRecord, isObject, unsupportedField } from "../openai/json-reader.ts";
import { argumentsOfInput } from "../openai/tools.ts";
import { type PartWriter, plainParts } from "./target-parts.ts";
import { isUnsigned } from "./unsigned-thinking.ts";

/** Messages' `system` and turns as Chat's messages. */
export function chatMessages(request: JsonObject, writer: PartWriter): JsonRecord[] {
  const messages = new ChatMessages(writer);
  messages.system(request["system"], "system");
  const turns = Array.isArray(request["messages"]) ? request["messages"] : [];
  for (const [i, turn] of turns.entries()) if (isObject(turn)) messages.turn(turn, `messages[${i}]`);
  refusePrefill(turns, writer);
  return messages.list;
}

/** Claude goes on where the last assistant turn ends; other models would answer it. */
function refusePrefill(turns: readonly unknown[], writer: PartWriter): void {
  const last = turns.at(-1);
  if (writer.rules.claude || !isObject(last) || last["role"] !== "assistant") return;
  throw unsupportedField(`messages[${turns.length - 1}]`, "this model cannot continue an answer that was begun for it");
}

class ChatMessages {
  readonly list: JsonRecord[] = [];
  readonly #writer: PartWriter;

  constructor(writer: PartWriter) {
    this.#writer = writer;
  }

  system(content: unknown, path: string): void {
    const blocks = this.#writer.blocks(content);
    if (blocks.length === 0) return;
    const parts = blocks.flatMap((block, i) => this.#writer.parts(block, `${path}[${i}]`));
    this.list.push({ role: "system", content: this.#writer.rules.claude ? plainParts(parts) : joined(parts) });
  }

  turn(turn: JsonObject, path: string): void {
    const { role, content } = turn;
    if (role === "system") return this.system(content, `${path}.content`);
    const blocks = this.#writer.blocks(content);
    if (role === "assistant") this.#assistant(blocks, path);
    else this.#user(blocks, path);
  }

  /** Tool results come first: a tool message must follow the call at once. */
  #user(blocks: readonly JsonObject[], path: string): void {
    const parts: JsonRecord[] = [];
    for (const [i, block] of blocks.entries()) {
      const at = `${path}.content[${i}]`;
      if (block["type"] === "tool_result") parts.push(...this.#toolResult(block, at));
      else parts.push(...this.#writer.parts(block, at));
    }
    if (parts.length > 0) this.list.push({ role: "user", content: plainParts(parts) });
  }

  /** Puts a tool message; returns what such a message cannot hold, for the user message after it. */
  #toolResult(block: JsonObject, path: string): JsonRecord[] {
    const { rules, warnings } = this.#writer;
    const id = String(block["tool_use_id"]);
    const parts = this.#writer
      .blocks(block["content"])
      .flatMap((inner, i) => this.#writer.parts(inner, `${path}.content[${i}]`));
    const texts = rules.claude ? parts : parts.filter(({ type }) => type === "text");
    const others = rules.claude ? [] : parts.filter(({ type }) => type !== "text");
    const failed = block["is_error"] === true;
    if (failed && !rules.claude) markAsError(texts);
    this.list.push({
      role: "tool",
      tool_call_id: id,
      content: plainParts(texts),
      ...(failed && rules.claude ? { is_error: true } : {}),
      ...this.#writer.cacheControl(block, path),
    });
    if (others.length === 0) return [];
    const message = "holds more than text, which was moved to the user message after it";
    warnings.once("tool_result", `${path}.content`, message);
    return [{ type: "text", text: `Attached by the result of tool call ${id}:` }, ...others];
  }

  #assistant(blocks: readonly JsonObject[], path: string): void {
    const message: JsonRecord = { role: "assistant", content: null };
    const parts: JsonRecord[] = [];
    const thinking: JsonObject[] = [];
    const calls: JsonRecord[] = [];
    const server: JsonObject[] = [];
    for (const [i, block] of blocks.entries()) {
      const { type } = block;
      const at = `${path}.content[${i}]`;
      if (type === "thinking" || type === "redacted_thinking") thinking.push(block);
      else if (type === "tool_use") calls.push(this.#toolCall(block, at));
      else if (type === "text") parts.push(...this.#writer.parts(block, at));
      else server.push(this.#serverBlock(block, at));
    }
    this.#thinking(message, thinking, path);
    if (server.length > 0) message["server_tool_blocks"] = server;
    if (parts.length > 0) message["content"] = this.#writer.rules.claude ? plainParts(parts) : merged(parts);
    if (calls.length > 0) message["tool_calls"] = calls;
    this.list.push(message);
  }

  /**
   * Thinking goes back to where it can be read: signed blocks to Claude, unsigned ones (some models want theirs back while
   * they use tools) as `reasoning_content`.
   */
  #thinking(message: JsonRecord, blocks: readonly JsonObject[], path: string): void {
    const { rules, warnings } = this.#writer;
    const signed = blocks.filter((block) => block["type"] === "redacted_thinking" || !isUnsigned(block["signature"]));
    const unsigned = blocks.filter((block) => !signed.includes(block));
    if (rules.claude) {
      if (signed.length > 0) message["thinking_blocks"] = signed;
      if (unsigned.length > 0) warnings.once("unsigned", path, "has thinking without a signature, which was left out");
      return;
    }
    if (unsigned.length > 0) message["reasoning_content"] = unsigned.map(({ thinking }) => String(thinking)).join("");
    if (signed.length > 0) {
      warnings.once("thinking", path, "has thinking that only Claude can read, which was left out");
    }
  }

  #toolCall(block: JsonObject, path: string): JsonRecord {
    const { id, name, input } = block;
    return {
      id,
      type: "function",
      function: { name, arguments: argumentsOfInput(input) },
      ...this.#writer.cacheControl(block, path),
    };
  }

  #serverBlock(block: JsonObject, path: string): JsonObject {
    if (this.#writer.rules.claude) return block;
    const type = String(block["type"]);
    throw unsupportedField(
      path,
      `blocks of type ${type} are only read by Claude; this conversation cannot change to another model`,
    );
  }
}

/** System text as one string: not every server takes parts there. */
function joined(parts: readonly JsonRecord[]): string {
  return parts.map(({ text }) => String(text)).join("\n\n");
}

/** An assistant's texts were one text that was cut into blocks. */
function merged(parts: readonly JsonRecord[]): string {
  return parts.map(({ text }) => String(text)).join("");
}

/** Chat has no mark for a failed tool call; the text itself must say so. */
function markAsError(texts: JsonRecord[]): void {
  const [first] = texts;
  if (first === undefined) texts.push({ type: "text", text: "Error" });
  else if (!/^\W*(?:error|failed|failure)/i.test(String(first["text"])))
    first["text"] = `Error: ${String(first["text"])}`;
}
