import { WeirError } from "../../core/weir-error.ts";
import { modelSplice, parseBody, spliceBody, topLevelMembers } from "./json-body.ts";
import {
  type JsonObject,
  expected,
  invalidField,
  isObject,
  optionalInteger,
  optionalString,
  optionalWord,
  requiredString,
} from "./json-reader.ts";

/**
 * What the gateway needs to know of a `/v1/embeddings` request. Messages has nothing like it, so the body is passed on as it
 * is, to upstreams that speak OpenAI's formats alone.
 */
export interface EmbeddingsRequest {
  readonly model: string;
  /** How many vectors are asked for. */
  readonly inputs: number;
  /** An estimate of the prompt's tokens for limits and forecasts, rather too high: four bytes of text are one token. */
  readonly estimatedTokens: number;
  /** Null where the model decides. */
  readonly dimensions: number | null;
  readonly encodingFormat: "float" | "base64";
  readonly user: string | null;
}

const BYTES_PER_TOKEN = 4;
/** OpenAI's limit on inputs in one request. */
const MAX_INPUTS = 2048;

/** Reads and checks a request. Throws WeirError with the path of what is wrong. */
export function parseEmbeddings(body: Buffer, maxDepth: number): EmbeddingsRequest {
  const fields = parseBody(body, maxDepth);
  const { inputs, tokens } = measureInput(fields["input"]);
  const words = ["float", "base64"] as const;
  return {
    model: requiredString(fields, "model", ""),
    inputs,
    estimatedTokens: tokens,
    dimensions: optionalInteger(fields, "dimensions", { path: "", min: 1 }) ?? null,
    encodingFormat: optionalWord(fields, "encoding_format", { path: "", words }) ?? "float",
    user: optionalString(fields, "user", "") ?? null,
  };
}

interface InputSize {
  readonly inputs: number;
  readonly tokens: number;
}

/** A text, a list of texts, a list of token numbers, or a list of those. */
function measureInput(input: unknown): InputSize {
  if (typeof input === "string") return { inputs: 1, tokens: textTokens(input, "input") };
  if (!Array.isArray(input)) throw expected("a string or an array", input, "input");
  if (input.length === 0) throw invalidField("input", "must not be empty");
  if (input.every((entry) => typeof entry === "number")) return { inputs: 1, tokens: input.length };
  if (input.length > MAX_INPUTS) throw invalidField("input", `expected at most ${MAX_INPUTS} entries`);
  let tokens = 0;
  for (const [i, entry] of input.entries()) tokens += entryTokens(entry, `input[${i}]`);
  return { inputs: input.length, tokens };
}

function entryTokens(entry: unknown, path: string): number {
  if (typeof entry === "string") return textTokens(entry, path);
  if (Array.isArray(entry) && entry.length > 0 && entry.every((token) => typeof token === "number")) {
    return entry.length;
  }
  throw expected("a string or an array of token numbers", entry, path);
}

function textTokens(text: string, path: string): number {
  if (text === "") throw invalidField(path, "must not be empty");
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

/** The same bytes with the model's id at the upstream. */
export function embeddingsWithModel(body: Buffer, upstreamModel: string): Buffer {
  return spliceBody(body, [modelSplice(topLevelMembers(body), upstreamModel)]);
}

/** Tokens of the prompt that an answer reports; null when it does not. Only the end of a large answer is looked at. */
export function embeddingsTokens(answer: Buffer): number | null {
  const usage = usageOf(answer);
  const tokens = usage?.["prompt_tokens"] ?? usage?.["total_tokens"];
  return typeof tokens === "number" && Number.isSafeInteger(tokens) && tokens >= 0 ? tokens : null;
}

/** Vectors are long and usage is short: its bytes are found without parsing the vectors. */
function usageOf(answer: Buffer): JsonObject | null {
  let members;
  try {
    members = topLevelMembers(answer);
  } catch {
    return null; // No JSON object: the caller passes it on and meters its estimate.
  }
  const member = members.find(({ key }) => key === "usage");
  if (member === undefined) return null;
  const usage: unknown = JSON.parse(answer.toString("utf8", member.valueStart, member.valueEnd));
  return isObject(usage) ? usage : null;
}

/** The error for a model whose upstreams cannot make embeddings. */
export function noEmbeddings(model: string): WeirError {
  return new WeirError(
    "weir:request:unsupported_feature",
    `model: ${model} is served by no upstream that makes embeddings. Claude models make none; choose a model of an OpenAI-compatible upstream.`,
  );
}
