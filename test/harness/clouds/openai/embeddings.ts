import { hash } from "node:crypto";

import type { JsonObject } from "../../../../src/upstream/sandbox/json-value.ts";
import { estimateTokens } from "../../../../src/upstream/sandbox/tokens.ts";
import { jsonAnswer, type WholeAnswer } from "../dialect.ts";
import { oneOf, onlyMembers, requiredList } from "./check-members.ts";
import { wrongShape } from "./openai-error.ts";

const DEFAULT_DIMENSIONS = 64;

/** Checks a request for embeddings and answers it with vectors that depend on the text alone. Throws a Refusal. */
export function answerEmbeddings(
  body: JsonObject,
  model: string,
  headers: Readonly<Record<string, string>>,
): WholeAnswer {
  onlyMembers(body, ["input", "model", "dimensions", "encoding_format", "user"], "");
  const inputs = inputsOf(body["input"]);
  const format = oneOf(body["encoding_format"] ?? "float", ["float", "base64"], "encoding_format");
  const dimensions = body["dimensions"] ?? DEFAULT_DIMENSIONS;
  if (typeof dimensions !== "number" || !Number.isInteger(dimensions) || dimensions < 1) {
    throw wrongShape(
      "Invalid 'dimensions': integer below minimum value. Expected a value >= 1.",
      "dimensions",
      "integer_below_min_value",
    );
  }
  const data = inputs.map(({ key }, index) => {
    const vector = vectorOf(key, dimensions);
    const embedding = format === "float" ? [...vector] : Buffer.from(vector.buffer).toString("base64");
    return { object: "embedding", index, embedding };
  });
  const tokens = inputs.reduce((sum, { tokens: count }) => sum + count, 0);
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  return jsonAnswer({ object: "list", data, model, usage }, headers);
}

interface EmbeddingInput {
  readonly key: string;
  readonly tokens: number;
}

/** A text, several texts, a list of tokens, or several of those. */
function inputsOf(value: unknown): readonly EmbeddingInput[] {
  if (typeof value === "string") return [textInput(value)];
  if (value === undefined)
    throw wrongShape("Missing required parameter: 'input'.", "input", "missing_required_parameter");
  const list = requiredList(value, "input");
  if (list.length === 0) throw wrongShape("Invalid 'input': empty array.", "input", "empty_array");
  if (list.every((item) => typeof item === "number")) return [{ key: list.join(), tokens: list.length }];
  return list.map((item, index) => {
    if (typeof item === "string") return textInput(item);
    const tokens = requiredList(item, `input[${index}]`);
    return { key: tokens.join(), tokens: tokens.length };
  });
}

function textInput(text: string): EmbeddingInput {
  if (text === "") throw wrongShape("Invalid 'input': input cannot be an empty string.", "input", "invalid_value");
  return { key: text, tokens: estimateTokens(text) };
}

/** A unit vector that depends on the text alone. */
function vectorOf(text: string, dimensions: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(dimensions);
  for (let at = 0; at < dimensions; at += 16) {
    const bytes = Buffer.from(hash("sha256", `${at}:${text}`, "hex"), "hex");
    for (let index = 0; index < 16 && at + index < dimensions; index++) {
      values[at + index] = bytes.readInt16LE(index * 2) / 32_768;
    }
  }
  const norm = Math.hypot(...values) || 1;
  return values.map((value) => value / norm);
}
