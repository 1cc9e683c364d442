import { WeirError } from "../../../core/weir-error.ts";
import type { Operation } from "../../codec.ts";
import { messageId } from "../../openai/ids.ts";
import { isObject, type JsonObject } from "../../openai/json-reader.ts";
import { blocksOfItem, refusalOf } from "./answer-blocks.ts";
import { type OutputFacts, stopFields, usageFields } from "./answer-end.ts";

/** A whole Response, or a count of tokens, as a Messages answer. Throws WeirError when it is none, or failed. */
export function decodeAnswer(body: Buffer, operation: Operation): Buffer {
  const value = parse(body);
  if (!isObject(value)) throw badAnswer("is not a JSON object");
  const answer = operation === "count_tokens" ? tokenCount(value) : message(value);
  return Buffer.from(JSON.stringify(answer));
}

function message(response: JsonObject): JsonObject {
  const { output, status, id, model } = response;
  if (!Array.isArray(output)) throw badAnswer("is not a Response: it has no output");
  const { error } = response;
  if (isObject(error)) throw badAnswer(`says that the response failed: ${String(error["message"])}`);
  if (status !== "completed" && status !== "incomplete")
    throw badAnswer(`is not complete: its status is ${String(status)}`);
  const items = output.filter(isObject);
  const facts = factsOf(items);
  return {
    id: messageId("resp_", String(id)),
    type: "message",
    role: "assistant",
    model,
    content: items.flatMap(blocksOfItem),
    ...stopFields(response, facts),
    usage: usageFields(response, facts),
  };
}

function factsOf(items: readonly JsonObject[]): OutputFacts {
  const refusals = items.map(refusalOf).filter((text) => text !== null);
  return {
    hasToolCalls: items.some(({ type }) => type === "function_call"),
    refusal: refusals.length === 0 ? null : refusals.join(""),
    searches: items.filter(({ type, status }) => type === "web_search_call" && status !== "failed").length,
  };
}

function tokenCount(value: JsonObject): JsonObject {
  const { input_tokens: count } = value;
  if (typeof count !== "number") throw badAnswer("has no input_tokens");
  return { input_tokens: count };
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new WeirError("weir:upstream:bad_answer", "The upstream's answer is not valid JSON.", { cause });
  }
}

function badAnswer(problem: string): WeirError {
  return new WeirError("weir:upstream:bad_answer", `The upstream's answer ${problem}.`);
}
