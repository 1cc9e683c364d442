import { WeirError } from "../../core/weir-error.ts";
import { messageId } from "../openai/ids.ts";
import { type JsonObject, type JsonRecord, isObject, stringOf } from "../openai/json-reader.ts";
import { inputOfArguments } from "../openai/tools.ts";
import { type TokenCounts, messagesUsage, noTokens, readChatUsage } from "../openai/usage.ts";
import { CHAT_ID } from "./chat-answer.ts";
import { stopOf } from "./finish-reason.ts";
import { UNSIGNED } from "./unsigned-thinking.ts";

/** A Chat Completion as a Messages answer. Throws when it is none. */
export function decodeChatAnswer(body: Buffer): Buffer {
  const answer = parseAnswer(body);
  const choice = Array.isArray(answer["choices"]) ? (answer["choices"] as readonly unknown[])[0] : undefined;
  if (!isObject(choice) || !isObject(choice["message"])) {
    throw new WeirError("weir:upstream:bad_answer", "The upstream's answer has no choices[0].message.");
  }
  const { message } = choice;
  const content = contentOf(message);
  const usedTools = content.some(({ type }) => type === "tool_use");
  const canonical = {
    id: messageId(CHAT_ID, stringOf(answer["id"])),
    type: "message",
    role: "assistant",
    model: answer["model"],
    content,
    ...stopMembers(choice, { usedTools, refusal: refusalText(message) }),
    usage: chatUsageAsMessages(readChatUsage(answer["usage"]) ?? noTokens(), answer["service_tier"]),
  };
  return Buffer.from(JSON.stringify(canonical));
}

function parseAnswer(body: Buffer): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch (cause) {
    throw new WeirError("weir:upstream:bad_answer", "The upstream's answer is not JSON.", { cause });
  }
  if (isObject(value) && value["error"] === undefined) return value;
  const error = isObject(value) && isObject(value["error"]) ? stringOf(value["error"]["message"]) : "";
  // Some servers answer 200 with an error in it.
  const said = error === "" ? "The upstream's answer is not a Chat Completion." : error;
  throw new WeirError("weir:upstream:bad_answer", said);
}

function refusalText(message: JsonObject): string {
  return stringOf(message["refusal"]);
}

export interface Ending {
  readonly usedTools: boolean;
  /** The model's words of refusal; empty for none. */
  readonly refusal: string;
}

/** `stop_reason`, `stop_sequence` and, for a refusal, `stop_details`. */
export function stopMembers(choice: JsonObject, { usedTools, refusal }: Ending): JsonRecord {
  const stop = stopOf(choice, usedTools);
  if (refusal === "") return { ...stop };
  const details = { type: "refusal", category: null, explanation: refusal };
  return { stop_reason: "refusal", stop_sequence: null, stop_details: details };
}

/** Messages' usage with the service tier in its words. */
export function chatUsageAsMessages(counts: TokenCounts, serviceTier: unknown): JsonRecord {
  const tier = serviceTier === "default" ? "standard" : serviceTier;
  return { ...messagesUsage(counts), ...(typeof tier === "string" ? { service_tier: tier } : {}) };
}

/** The blocks of an answer in the order that Messages gives them: thinking, server tools, text, tool calls. */
function contentOf(message: JsonObject): JsonRecord[] {
  const blocks = [...thinkingBlocks(message), ...objects(message["server_tool_blocks"])];
  const text = stringOf(message["content"]) || refusalText(message);
  if (text !== "") blocks.push(textBlock(text, message));
  for (const call of objects(message["tool_calls"])) blocks.push(toolUse(call));
  const legacy = message["function_call"];
  if (isObject(legacy)) blocks.push(toolUse({ id: "call_function", function: legacy }));
  return blocks;
}

function objects(value: unknown): JsonRecord[] {
  return Array.isArray(value) ? value.filter(isObject).map((block) => ({ ...block })) : [];
}

/** Signed blocks where the upstream gives them (Claude behind a proxy), else its reasoning as an unsigned one. */
function thinkingBlocks(message: JsonObject): JsonRecord[] {
  const blocks = objects(message["thinking_blocks"]);
  if (blocks.length > 0) return blocks;
  const reasoning = reasoningText(message);
  return reasoning === "" ? [] : [{ type: "thinking", thinking: reasoning, signature: UNSIGNED }];
}

/** The reasoning in a message or a delta: `reasoning_content` with most servers, `reasoning` with some. */
export function reasoningText(source: JsonObject): string {
  return stringOf(source["reasoning_content"]) || stringOf(source["reasoning"]);
}

function textBlock(text: string, message: JsonObject): JsonRecord {
  const found = citationsOf(message, text);
  return { type: "text", text, ...(found.length === 0 ? {} : { citations: found }) };
}

/** Chat's annotations, and what Weir puts beside them, as Messages' citations of `text`. */
export function citationsOf(source: JsonObject, text: string): JsonRecord[] {
  const pages = objects(source["annotations"]).flatMap((annotation) => webCitation(annotation, text));
  const others = objects(source["citations"]).map(({ start_index: _start, end_index: _end, ...citation }) => citation);
  return [...pages, ...others];
}

function webCitation(annotation: JsonObject, text: string): JsonRecord[] {
  const page = annotation["url_citation"];
  if (!isObject(page) || typeof page["url"] !== "string") return [];
  const { url, title, start_index: start, end_index: end } = page;
  const cited = typeof start === "number" && typeof end === "number" ? text.slice(start, end) : "";
  return [{ type: "web_search_result_location", url, title: title ?? null, cited_text: cited, encrypted_index: "" }];
}

function toolUse(call: JsonObject): JsonRecord {
  const fn: JsonObject = isObject(call["function"]) ? call["function"] : {};
  const input = inputOfArguments(stringOf(fn["arguments"]));
  return { type: "tool_use", id: stringOf(call["id"]), name: stringOf(fn["name"]), input };
}
