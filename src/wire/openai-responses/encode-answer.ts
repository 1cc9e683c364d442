import { WeirError } from "../../core/weir-error.ts";
import type { AnswerContext } from "../codec.ts";
import { isObject } from "../openai/json-reader.ts";
import { AnswerState } from "./answer-state.ts";
import { noEvents } from "./response-events.ts";
import type { ResponseSettings } from "./response-settings.ts";

/** A whole Messages answer as a Response. Throws WeirError when it is none. */
export function encodeAnswer(canonical: Buffer, settings: ResponseSettings, context: AnswerContext): Buffer {
  const message = parse(canonical);
  if (!isObject(message) || message["type"] !== "message" || !Array.isArray(message["content"])) {
    throw new WeirError("weir:upstream:bad_answer", "The upstream's answer is not a Messages answer.");
  }
  const state = new AnswerState(message, { sink: noEvents, settings, context });
  for (const [index, block] of message["content"].entries()) {
    if (!isObject(block)) continue;
    state.output.start(index, block);
    state.output.stop(index);
  }
  state.end();
  return Buffer.from(JSON.stringify(state.response(state.endStatus)));
}

/** A count of tokens in the words of the Responses API. Throws WeirError when it is none. */
export function encodeTokenCount(canonical: Buffer): Buffer {
  const count = parse(canonical);
  if (!isObject(count) || typeof count["input_tokens"] !== "number") {
    throw new WeirError("weir:upstream:bad_answer", "The upstream's answer is not a count of tokens.");
  }
  return Buffer.from(JSON.stringify({ object: "response.input_tokens", input_tokens: count["input_tokens"] }));
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new WeirError("weir:upstream:bad_answer", "The upstream's answer is not valid JSON.", { cause });
  }
}
