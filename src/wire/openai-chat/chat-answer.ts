import { WeirError } from "../../core/weir-error.ts";
import type { AnswerContext } from "../codec.ts";
import { openaiId } from "../openai/ids.ts";
import { type JsonObject, type JsonRecord, isObject } from "../openai/json-reader.ts";
import { argumentsOfInput } from "../openai/tools.ts";
import { chatUsage, noTokens, readMessagesUsage } from "../openai/usage.ts";
import { chatCitations } from "./annotations.ts";
import { chatServiceTier, finishOf } from "./finish-reason.ts";

export const CHAT_ID = "chatcmpl-";

/** A whole Messages answer as a Chat Completion. Throws when it is no Messages answer. */
export function encodeChatAnswer(canonical: Buffer, context: AnswerContext): Buffer {
  const message = parseMessage(canonical);
  const content = Array.isArray(message["content"]) ? message["content"] : [];
  const collector = new MessageCollector();
  for (const block of content) if (isObject(block)) collector.take(block);
  const counts = noTokens();
  readMessagesUsage(message["usage"], counts);
  const tier = chatServiceTier(message["usage"]);
  const answer = {
    id: openaiId(CHAT_ID, String(message["id"])),
    object: "chat.completion",
    created: Math.floor(context.createdAtMs / 1000),
    model: context.modelAsked,
    choices: [
      {
        index: 0,
        message: collector.message(refusalOf(message)),
        logprobs: null,
        ...finishOf(message["stop_reason"], message["stop_sequence"]),
      },
    ],
    usage: chatUsage(counts),
    ...(tier === null ? {} : { service_tier: tier }),
  };
  return Buffer.from(JSON.stringify(answer));
}

/** Why the model refused, where the answer says so; null otherwise. */
export function refusalOf(message: JsonObject): string | null {
  const details = message["stop_details"];
  if (message["stop_reason"] !== "refusal" || !isObject(details)) return null;
  return typeof details["explanation"] === "string" ? details["explanation"] : null;
}

function parseMessage(canonical: Buffer): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(canonical.toString("utf8"));
  } catch (cause) {
    throw new WeirError("weir:upstream:bad_answer", "The upstream's answer is not JSON.", { cause });
  }
  if (isObject(value) && value["type"] === "message") return value;
  throw new WeirError("weir:upstream:bad_answer", "The upstream's answer is not a Messages answer.");
}

/** Gathers the blocks of an answer into the members of Chat's assistant message. */
class MessageCollector {
  #text: string | null = null;
  #reasoning = "";
  readonly #thinking: JsonObject[] = [];
  readonly #toolCalls: JsonRecord[] = [];
  readonly #serverBlocks: JsonObject[] = [];
  readonly #annotations: JsonRecord[] = [];
  readonly #citations: JsonRecord[] = [];

  take(block: JsonObject): void {
    const { type, text } = block;
    if (type === "text" && typeof text === "string") this.#takeText(text, block["citations"]);
    else if (type === "thinking" || type === "redacted_thinking") {
      this.#thinking.push(block);
      if (typeof block["thinking"] === "string") this.#reasoning += block["thinking"];
    } else if (type === "tool_use") {
      const { id, name } = block;
      const fn = { name, arguments: argumentsOfInput(block["input"]) };
      this.#toolCalls.push({ id, type: "function", function: fn });
    } else this.#serverBlocks.push(block);
  }

  #takeText(text: string, citations: unknown): void {
    const start = this.#text?.length ?? 0;
    this.#text = (this.#text ?? "") + text;
    if (!Array.isArray(citations)) return;
    const found = chatCitations(citations, { start, end: this.#text.length });
    this.#annotations.push(...found.annotations);
    this.#citations.push(...found.citations);
  }

  message(refusal: string | null): JsonRecord {
    const message: JsonRecord = { role: "assistant", content: this.#text, refusal };
    if (this.#reasoning !== "") message["reasoning_content"] = this.#reasoning;
    if (this.#thinking.length > 0) message["thinking_blocks"] = this.#thinking;
    if (this.#toolCalls.length > 0) message["tool_calls"] = this.#toolCalls;
    if (this.#annotations.length > 0) message["annotations"] = this.#annotations;
    if (this.#citations.length > 0) message["citations"] = this.#citations;
    if (this.#serverBlocks.length > 0) message["server_tool_blocks"] = this.#serverBlocks;
    return message;
  }
}
